// Converter of pu00: what ISIS says about a pulse beside its events.
import { API, definePlugin } from '../../core/api/plugin.js'
import { encodeMessage, idCode, peekField, Table, type PulseRecord, defineConverter } from '../../schemas/index.js'

const code = idCode('pu00')
const slots = { source: 0, time: 2 }

function decode(message: Uint8Array): PulseRecord {
  const t = Table.root(message, 'pu00')
  return {
    source: t.required(0, 'source_name'),
    messageId: t.int64(1),
    timestampNs: t.time(2),
    vetos: t.has(3) ? t.uint32(3) : null,
    period: t.has(4) ? t.uint32(4) : null,
    protonCharge: t.has(5) ? t.float32(5) : null
  }
}

const encode = ({ source, messageId, timestampNs, vetos, period, protonCharge }: PulseRecord): Buffer =>
  encodeMessage('pu00', {
    source_name: source,
    message_id: messageId,
    reference_time: timestampNs,
    vetos,
    period_number: period,
    proton_charge: protonCharge
  })

const part = defineConverter({
  id: 'pu00',
  summary: 'Vetoes, period and proton charge of a pulse (ISIS).',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => ({ peek: (message, out) => peekField(message, code, slots, out), decode, encode })
})

export default definePlugin({
  name: 'converter-pu00',
  version: '1.0.0',
  api: API,
  summary: 'Converts pulse metadata of ISIS to and from pu00.',
  apply(registry) {
    registry.converter(part)
  }
})
