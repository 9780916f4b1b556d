// A derived value: one converter that several PVs share (streams that give it the same `name`) sends the ratio of two of them.
// Load it with `[[plugins]] use = "./converter-ratio.mjs"`; examples/commands/start-derived.json has the streams.
import { API, BadMessage, defineConverter, definePlugin } from 'nexstream/plugin'
import { encodeMessage } from 'nexstream/schemas'

const ratio = defineConverter({
  id: 'ratio',
  summary: 'The ratio of two PVs as f144, sent whenever one of them changes.',
  config: {
    type: 'object',
    additionalProperties: false,
    required: ['over', 'under', 'result'],
    properties: {
      over: { type: 'string', description: 'Source name of the dividend.' },
      under: { type: 'string', description: 'Source name of the divisor.' },
      result: { type: 'string', description: 'Source name of the messages.' }
    }
  },
  open({ over, under, result }) {
    const last = new Map()
    return {
      peek() {
        throw new BadMessage('not_read', 'what it sends is read as f144')
      },
      convert({ kind, source, timestampNs, value }) {
        if (kind !== 'value') return []
        if (typeof value !== 'number') throw new BadMessage('unsupported_type', `${source} is no plain number`)
        last.set(source, { timestampNs, value })
        const [a, b] = [last.get(over), last.get(under)]
        if (a === undefined || b === undefined) return []
        // The younger of the two made it what it is.
        const at = a.timestampNs > b.timestampNs ? a.timestampNs : b.timestampNs
        const reading = { type: 'Double', value: { value: a.value / b.value } }
        return [{ value: encodeMessage('f144', { source_name: result, timestamp: at, value: reading }) }]
      }
    }
  }
})

export default definePlugin({
  name: 'converter-ratio',
  version: '1.0.0',
  api: API,
  summary: 'Sends the ratio of two PVs.',
  apply: (registry) => registry.converter(ratio)
})
