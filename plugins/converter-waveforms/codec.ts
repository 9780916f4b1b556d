// se00 and senv: the samples of one waveform.
import { BadMessage } from '../../core/api/plugin.js'
import {
  element,
  encodeMessage,
  idCode,
  missing,
  peekField,
  Table,
  toWhole,
  BySource,
  type SamplesRecord,
  isStructure,
  isVector,
  messageOf,
  type Peek,
  type PvStructure,
  type Update,
  type Vector,
  type VectorType
} from '../../schemas/index.js'

export type SampleId = 'se00' | 'senv'

// Union members in wire order; senv ends before the floats.
const members: readonly (readonly [string, VectorType])[] = [
  ['Int8Array', 'int8'],
  ['UInt8Array', 'uint8'],
  ['Int16Array', 'int16'],
  ['UInt16Array', 'uint16'],
  ['Int32Array', 'int32'],
  ['UInt32Array', 'uint32'],
  ['Int64Array', 'int64'],
  ['UInt64Array', 'uint64'],
  ['DoubleArray', 'float64'],
  ['FloatArray', 'float32']
]

const peekSlots = { source: 0, time: 2 }

function decode(id: SampleId, message: Uint8Array): SamplesRecord {
  const t = Table.root(message, id)
  const member = members.slice(0, id === 'senv' ? 8 : 10)[t.uint8(5) - 1]
  if (member === undefined) throw new BadMessage(t.has(5) ? 'unknown_type' : 'missing_field', 'values of no known type')
  const values = t.table(6)?.vector(0, member[1]) ?? missing('values')
  const timestamps = t.vector(7, id === 'senv' ? 'uint64' : 'int64')
  // Some senders write an empty vector for "no times".
  if (timestamps !== null && timestamps.length > 0 && timestamps.length !== values.length)
    throw new BadMessage('length_mismatch', `${values.length} samples have ${timestamps.length} times`)
  return {
    source: t.required(0, 'name'),
    channel: t.int32(1),
    timestampNs: t.time(2),
    timeDelta: t.float64(3),
    timestampLocation: t.uint8(4),
    values,
    timestamps: timestamps !== null && timestamps.length > 0 ? timestamps : null,
    messageCounter: id === 'senv' ? t.uint64(8) : t.int64(8)
  }
}

/** Elements as whole ns; floats are rounded. */
function nanoseconds(vector: Vector): bigint[] {
  return Array.from({ length: vector.length }, (_, i) => toWhole(element(vector, i)))
}

/** Senv knows whole numbers only: floats are rounded. */
function wholeValues(values: Vector): Vector {
  if (!values.dtype.startsWith('float')) return values
  const rounded = BigInt64Array.from(nanoseconds(values))
  return { dtype: 'int64', length: rounded.length, bytes: new Uint8Array(rounded.buffer) }
}

function encode(id: SampleId, record: SamplesRecord): Buffer {
  const values = id === 'senv' ? wholeValues(record.values) : record.values
  const member = members.find(([, dtype]) => dtype === values.dtype)
  const union = { type: member?.[0] ?? 'NONE', value: { value: values } }
  const { source, channel, timestampNs, timeDelta, timestampLocation, timestamps, messageCounter } = record
  // Empty times are left out: readers take a vector that is there for the times of the samples.
  const times = timestamps !== null && timestamps.length > 0 ? timestamps : null
  if (id === 'se00')
    return encodeMessage('se00', {
      name: source,
      channel,
      packet_timestamp: timestampNs,
      time_delta: timeDelta,
      timestamp_location: timestampLocation,
      values: union,
      timestamps: times,
      message_counter: messageCounter
    })
  return encodeMessage('senv', {
    Name: source,
    Channel: channel,
    PacketTimestamp: timestampNs,
    TimeDelta: timeDelta,
    TimestampLocation: timestampLocation,
    Values: union,
    Timestamps: times,
    MessageCounter: messageCounter
  })
}

export interface SampleOptions {
  readonly channel: number
  /** ns between the samples of a plain waveform; 0: not known. */
  readonly timeDelta: number
  readonly timestampLocation: number
}

type Samples = Pick<SamplesRecord, 'timestampNs' | 'timeDelta' | 'values' | 'timestamps'>

/** The numeric column of a table structure; undefined when it has none of that name. */
function column(table: PvStructure, name: string): Vector | undefined {
  const columns = table.fields.get('value')
  const found = isStructure(columns) ? columns.fields.get(name) : undefined
  return isVector(found) ? found : undefined
}

/** The samples of a waveform, or of a table with columns `value` and `timestamp` (ns); undefined when there are none. */
function samplesOf({ value, timestampNs, source }: Update, timeDelta: number): Samples | undefined {
  if (isVector(value))
    return value.length === 0 ? undefined : { timestampNs, timeDelta, values: value, timestamps: null }
  const values = isStructure(value) ? column(value, 'value') : undefined
  const stamps = isStructure(value) ? column(value, 'timestamp') : undefined
  if (values === undefined || stamps === undefined)
    throw new BadMessage('unsupported_type', `${source} is neither a waveform nor a table with value and timestamp`)
  if (values.length !== stamps.length)
    throw new BadMessage('length_mismatch', `${source} has ${values.length} values for ${stamps.length} timestamps`)
  const times = nanoseconds(stamps)
  const [first, second] = times
  if (first === undefined) return undefined
  const bytes = new Uint8Array(BigInt64Array.from(times).buffer)
  return {
    timestampNs: first,
    timeDelta: second === undefined ? 0 : Number(second - first),
    values,
    timestamps: { dtype: 'int64', length: times.length, bytes }
  }
}

/** Both directions of one of the two schemas. */
export function sampleCodec(id: SampleId, options: SampleOptions) {
  const code = idCode(id)
  const counters = new BySource<bigint>()
  return {
    peek: (message: Uint8Array, out: Peek): void => peekField(message, code, peekSlots, out),
    decode: (message: Uint8Array): SamplesRecord => decode(id, message),
    encode: (record: SamplesRecord): Buffer => encode(id, record),
    convert: (update: Update) => {
      if (update.kind !== 'value' || update.events !== undefined) return []
      const samples = samplesOf(update, options.timeDelta)
      if (samples === undefined) return []
      const { source } = update
      const messageCounter = counters.get(source) ?? 0n
      counters.set(source, messageCounter + 1n)
      const { channel, timestampLocation } = options
      const value = encode(id, { source, channel, timestampLocation, messageCounter, ...samples })
      return [messageOf(update, value)]
    }
  }
}

/** The options that both converters have. */
export const sampleConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    channel: {
      type: 'integer',
      minimum: -2147483648,
      maximum: 2147483647,
      default: 0,
      description: 'ADC channel written into each message; -1 when it has no meaning.'
    },
    time_delta_ns: {
      type: 'number',
      minimum: 0,
      default: 0,
      description: 'Time between the samples of a plain waveform; tables carry a time per sample.'
    },
    location: {
      enum: ['unknown', 'start', 'middle', 'end'],
      default: 'unknown',
      description: 'Which part of the sampled interval a time refers to.'
    }
  }
} as const

/** `config` of a converter as options of its codec. */
export function sampleOptions(config: {
  readonly channel?: number
  readonly time_delta_ns?: number
  readonly location?: string
}): SampleOptions {
  const location = sampleConfig.properties.location.enum.findIndex((name) => name === config.location)
  return {
    channel: config.channel ?? 0,
    timeDelta: config.time_delta_ns ?? 0,
    timestampLocation: Math.max(location, 0)
  }
}
