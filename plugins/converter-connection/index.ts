// Converters of connection states: ep00 and ep01, sent when a channel's state changes.
import { API, definePlugin } from '../../core/api/plugin.js'
import {
  BySource,
  type ConnectionRecord,
  encodeMessage,
  idCode,
  peekField,
  Table,
  type Converter,
  defineConverter,
  nowNs,
  type Update
} from '../../schemas/index.js'

type ConnectionId = 'ep00' | 'ep01'

const slots = { source: 2, time: 0 }

function decode(id: ConnectionId, message: Uint8Array): ConnectionRecord {
  const t = Table.root(message, id)
  const status = id === 'ep00' ? t.uint16(1) : t.int16(1)
  return { source: t.required(2, 'source_name'), timestampNs: t.time(0), status, service: t.text(3) }
}

function encode(id: ConnectionId, { source, timestampNs, status, service }: ConnectionRecord): Buffer {
  const fields = { timestamp: timestampNs, source_name: source, service_id: service || null }
  // ep00 knows the first five states of ep01; cancelled, finished and failed subscriptions are disconnected ones.
  return id === 'ep00'
    ? encodeMessage(id, { ...fields, type: status > 4 ? 3 : status })
    : encodeMessage(id, { ...fields, status })
}

/** Options of ep00 and ep01. */
const config = {
  type: 'object',
  additionalProperties: false,
  properties: {
    service_id: {
      type: 'string',
      default: '',
      description: 'Written into each message as the client that saw the change.'
    }
  }
} as const

/**
 * The message to send when an update shows another connection state than the source's last one.
 * A state that a value shows is stamped with the local clock: the value may be years old.
 */
function connectionChanges(
  service: string,
  encode: (record: ConnectionRecord) => Uint8Array
): (update: Update) => { value: Uint8Array }[] {
  const last = new BySource<number>()
  return (update) => {
    const { source, connection: status } = update
    const again = update.kind === 'connection' && update.repeat
    if (!again && last.get(source) === status) return []
    last.set(source, status)
    const timestampNs = update.kind === 'connection' ? update.timestampNs : nowNs()
    return [{ value: encode({ source, timestampNs, status, service }) }]
  }
}

function codec(id: ConnectionId, service: string): Converter<ConnectionRecord> {
  const code = idCode(id)
  return {
    peek: (message, out) => peekField(message, code, slots, out),
    decode: (message) => decode(id, message),
    encode: (record) => encode(id, record),
    convert: connectionChanges(service, (record) => encode(id, record))
  }
}

const part = (id: ConnectionId) =>
  defineConverter({
    id,
    summary: 'Connection state of a source, sent when it changes.',
    config,
    open: (options) => codec(id, options.service_id ?? '')
  })

export default definePlugin({
  name: 'converter-connection',
  version: '1.0.0',
  api: API,
  summary: 'Converts connection states to and from ep00 and ep01.',
  apply(registry) {
    for (const id of ['ep00', 'ep01'] as const) registry.converter(part(id))
  }
})
