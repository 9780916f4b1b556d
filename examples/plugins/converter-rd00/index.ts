// Converter of rd00: one reading as a FlatBuffer. A template; the walk-through is docs/how-to/write-a-plugin.md.
import { Builder, ByteBuffer, Encoding } from 'flatbuffers'
import {
  API,
  BadMessage,
  defineConverter,
  definePlugin,
  type LogRecord,
  messageOf,
  type Update
} from 'nexstream/plugin'
import { type SchemaLayout, verify } from 'nexstream/schemas'
import { Reading } from './rd00/reading.js'

/** The fields of rd00.fbs in their order, for `verify`: the flatbuffers package itself checks no offset and no length. */
const layout: SchemaLayout = {
  id: 'rd00',
  root: 'Reading',
  structs: {},
  tables: {
    Reading: [
      { name: 'source_name', slot: 0, kind: 'string', required: true },
      { name: 'timestamp', slot: 1, kind: 'scalar', type: 'int64' },
      { name: 'value', slot: 2, kind: 'scalar', type: 'float64' }
    ]
  }
}

/** Throws BadMessage: bytes come from anybody. */
function open(message: Uint8Array): Reading {
  verify(message, layout)
  const reading = Reading.getRootAsReading(new ByteBuffer(message))
  if (reading.timestamp() <= 0n) throw new BadMessage('bad_timestamp', `${reading.timestamp()} ns is no message time`)
  return reading
}

function decode(message: Uint8Array): LogRecord {
  const reading = open(message)
  const [source, timestampNs] = [reading.sourceName(), reading.timestamp()]
  return { source, timestampNs, dtype: 'float64', value: reading.value() }
}

type Content = Pick<LogRecord, 'source' | 'timestampNs' | 'value'>

function encode({ source, timestampNs, value }: Content): Uint8Array {
  if (typeof value !== 'number') throw new BadMessage('unsupported_type', 'rd00 carries plain numbers only')
  const builder = new Builder(128)
  const name = builder.createString(source)
  Reading.finishReadingBuffer(builder, Reading.createReading(builder, name, timestampNs, value))
  return builder.asUint8Array()
}

const rd00 = defineConverter({
  id: 'rd00',
  summary: 'One reading of a device.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: { factor: { type: 'number', default: 1, description: 'What values are multiplied by when sent.' } }
  },
  open: ({ factor }) => ({
    peek(message, out) {
      const reading = open(message)
      // A view of the message: where it lies is what is asked for
      const name = reading.sourceName(Encoding.UTF8_BYTES) as Uint8Array
      out.sourceStart = name.byteOffset - message.byteOffset
      out.sourceEnd = out.sourceStart + name.length
      out.timestampNs = reading.timestamp()
    },
    decode,
    encode,
    convert(update: Update) {
      const { kind, source, timestampNs, value } = update
      if (kind !== 'value') return []
      if (typeof value !== 'number') throw new BadMessage('unsupported_type', `${source} is no plain number`)
      return [messageOf(update, encode({ source, timestampNs, value: value * factor }))]
    }
  })
})

export default definePlugin({
  name: 'converter-rd00',
  version: '1.0.0',
  api: API,
  summary: 'Converts readings to and from rd00.',
  apply: (registry) => registry.converter(rd00)
})
