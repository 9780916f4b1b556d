// Converter of ep00: how a channel is connected, sent when that changes.
import { API, type ConnectionRecord, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { connectionChanges, connectionConfig } from '../../schemas/convert.js'
import { encodeMessage } from '../../schemas/index.js'
import { peekField } from '../../schemas/peek.js'
import { idCode, Table } from '../../schemas/reader.js'

const code = idCode('ep00')
const slots = { source: 2, time: 0 }

function decode(message: Uint8Array): ConnectionRecord {
  const t = Table.root(message, 'ep00')
  return { source: t.required(2, 'source_name'), timestampNs: t.time(0), status: t.uint16(1), service: t.text(3) }
}

// ep00 knows the first five states of ep01; cancelled, finished and failed subscriptions are disconnected ones.
const encode = ({ source, timestampNs, status, service }: ConnectionRecord): Buffer =>
  encodeMessage('ep00', {
    timestamp: timestampNs,
    type: status > 4 ? 3 : status,
    source_name: source,
    service_id: service || null
  })

const part = defineConverter({
  id: 'ep00',
  summary: 'Connection state of a source, sent when it changes.',
  config: connectionConfig,
  open: (config) => ({
    peek: (message, out) => peekField(message, code, slots, out),
    decode,
    encode,
    convert: connectionChanges(config.service_id ?? '', encode)
  })
})

export default definePlugin({
  name: 'converter-ep00',
  version: '1.0.0',
  api: API,
  summary: 'Converts connection states to and from ep00.',
  apply(registry) {
    registry.converter(part)
  }
})
