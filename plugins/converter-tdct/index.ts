// Converter of tdct: time stamps of a device, e.g. a chopper's top dead centre.
import { API, BadMessage, definePlugin, type OutMessage } from '../../core/api/plugin.js'
import {
  element,
  encodeMessage,
  idCode,
  missing,
  peekFirst,
  Table,
  timeAt,
  toWhole,
  BySource,
  type TimestampsRecord,
  defineConverter,
  isVector,
  messageOf,
  type Update,
  type Vector
} from '../../schemas/index.js'

const code = idCode('tdct')
const slots = { source: 0, time: 1 }
const MAX_TIME_NS = 2n ** 63n - 1n

function decode(message: Uint8Array): TimestampsRecord {
  const t = Table.root(message, 'tdct')
  const timestamps = t.vector(1, 'uint64') ?? missing('timestamps')
  if (timestamps.length === 0) throw new BadMessage('bad_timestamp', 'the message has no time')
  timeAt(timestamps.bytes, 0)
  return { source: t.required(0, 'name'), timestamps, sequence: t.uint64(2) }
}

const encode = ({ source, timestamps, sequence }: TimestampsRecord): Buffer =>
  encodeMessage('tdct', { name: source, timestamps, sequence_counter: sequence })

type Meaning = 'offset_ns' | 'absolute_ns' | 'seconds_and_ns'

/** The numbers of an update as whole ones; an enum is none. */
function numbers({ value, dtype, source }: Update): bigint[] {
  if (dtype !== 'enum' && (typeof value === 'number' || typeof value === 'bigint')) return [toWhole(value)]
  if (dtype === 'enum' || !isVector(value))
    throw new BadMessage('unsupported_type', `${source} is neither a number nor an array of numbers`)
  return Array.from({ length: value.length }, (_, i) => toWhole(element(value, i)))
}

function times(update: Update, meaning: Meaning): Vector {
  const list = numbers(update)
  if (meaning === 'seconds_and_ns' && list.length % 2 !== 0)
    throw new BadMessage('length_mismatch', `${update.source} has ${list.length} numbers, which are no pairs`)
  const found =
    meaning === 'absolute_ns'
      ? list
      : meaning === 'offset_ns'
        ? list.map((offset) => update.timestampNs + offset)
        : Array.from({ length: list.length / 2 }, (_, i) => list[2 * i]! * 1_000_000_000n + list[2 * i + 1]!)
  const wrong = found.find((time) => time <= 0n || time > MAX_TIME_NS)
  if (wrong !== undefined)
    throw new BadMessage('out_of_range', `${update.source} makes ${wrong}, which is no time in ns`)
  const bytes = new Uint8Array(BigUint64Array.from(found).buffer)
  return { dtype: 'uint64', length: found.length, bytes }
}

function converter(meaning: Meaning) {
  const sequences = new BySource<bigint>()
  return (update: Update): readonly OutMessage[] => {
    if (update.kind !== 'value' || update.events !== undefined) return []
    const timestamps = times(update, meaning)
    if (timestamps.length === 0) return []
    const { source } = update
    const sequence = sequences.get(source) ?? 0n
    sequences.set(source, sequence + 1n)
    return [messageOf(update, encode({ source, timestamps, sequence }))]
  }
}

const part = defineConverter({
  id: 'tdct',
  summary: 'Time stamps of a device, e.g. of a chopper.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      values: {
        enum: ['offset_ns', 'absolute_ns', 'seconds_and_ns'],
        default: 'offset_ns',
        description:
          "What the numbers of the channel are: ns after the value's own time, ns since 1970, or pairs of seconds and ns since 1970."
      }
    }
  },
  open: (config) => ({
    peek: (message, out) => peekFirst(message, code, slots, out),
    decode,
    encode,
    convert: converter(config.values ?? 'offset_ns')
  })
})

export default definePlugin({
  name: 'converter-tdct',
  version: '1.0.0',
  api: API,
  summary: 'Converts time stamps of devices to and from tdct.',
  apply(registry) {
    registry.converter(part)
  }
})
