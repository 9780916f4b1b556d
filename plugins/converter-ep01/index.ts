// Converter of ep01: how a channel is connected, sent when that changes.
import { API, type ConnectionRecord, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { connectionChanges, connectionConfig } from '../../schemas/convert.js'
import { encodeMessage } from '../../schemas/index.js'
import { peekField } from '../../schemas/peek.js'
import { idCode, Table } from '../../schemas/reader.js'

const code = idCode('ep01')
const slots = { source: 2, time: 0 }

function decode(message: Uint8Array): ConnectionRecord {
  const t = Table.root(message, 'ep01')
  return { source: t.required(2, 'source_name'), timestampNs: t.time(0), status: t.int16(1), service: t.text(3) }
}

const encode = ({ source, timestampNs, status, service }: ConnectionRecord): Buffer =>
  encodeMessage('ep01', { timestamp: timestampNs, status, source_name: source, service_id: service || null })

const part = defineConverter({
  id: 'ep01',
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
  name: 'converter-ep01',
  version: '1.0.0',
  api: API,
  summary: 'Converts connection states to and from ep01.',
  apply(registry) {
    registry.converter(part)
  }
})
