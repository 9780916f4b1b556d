// Converter of vc00: which vetoes an instrument has on (ISIS).
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineConverter, encodeMessage, idCode, peekField, Table, type VetoRecord } from '../../schemas/index.js'

const code = idCode('vc00')
// No slot of a source
const slots = { source: 9, time: 0, nameless: true }

function decode(message: Uint8Array): VetoRecord {
  const t = Table.root(message, 'vc00')
  return { timestampNs: t.time(0), vetoes: t.uint32(1) }
}

const part = defineConverter({
  id: 'vc00',
  summary: 'Configured vetoes of an instrument (ISIS); its messages name no source.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => ({
    nameless: 'vc00',
    peek: (message, out) => peekField(message, code, slots, out),
    decode,
    encode: ({ timestampNs, vetoes }: VetoRecord) => encodeMessage('vc00', { timestamp: timestampNs, vetoes })
  })
})

export default definePlugin({
  name: 'converter-vc00',
  version: '1.0.0',
  api: API,
  summary: 'Converts configured vetoes of ISIS to and from vc00.',
  apply(registry) {
    registry.converter(part)
  }
})
