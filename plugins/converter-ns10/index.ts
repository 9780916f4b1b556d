// Converter of ns10: one entry of the NICOS cache.
import { API, BadMessage, definePlugin } from '../../core/api/plugin.js'
import {
  element,
  encodeMessage,
  f64,
  fieldAt,
  idCode,
  missing,
  rootAt,
  Table,
  u32,
  vectorAt,
  type CacheRecord,
  defineConverter,
  isVector,
  messageOf,
  type Peek,
  type Update
} from '../../schemas/index.js'

const code = idCode('ns10')

/** Seconds as a float to ns; whole seconds and their fraction apart keep more digits. */
function timeNs(seconds: number): bigint {
  if (!(seconds > 0 && seconds < 9.2e9)) throw new BadMessage('bad_timestamp', `${seconds} s is no message time`)
  const whole = Math.floor(seconds)
  return BigInt(whole) * 1_000_000_000n + BigInt(Math.round((seconds - whole) * 1e9))
}

function peek(message: Uint8Array, out: Peek): void {
  const table = rootAt(message, code)
  const key = fieldAt(message, table, 0, 4)
  const time = fieldAt(message, table, 1, 8)
  if (key === 0) missing('key')
  const name = vectorAt(message, key, 1)
  out.sourceStart = name + 4
  out.sourceEnd = name + 4 + u32(message, name)
  out.timestampNs = timeNs(time === 0 ? 0 : f64(message, time))
}

function decode(message: Uint8Array): CacheRecord {
  const t = Table.root(message, 'ns10')
  return {
    source: t.required(0, 'key'),
    timestampNs: timeNs(t.float64(1)),
    ttl: t.float64(2),
    expired: t.bool(3),
    value: t.text(4)
  }
}

const encode = ({ source, timestampNs, ttl, expired, value }: CacheRecord): Buffer =>
  encodeMessage('ns10', { key: source, time: Number(timestampNs) / 1e9, ttl, expired, value })

/** A number as Python writes it: floats keep a point. */
function literal(value: number | bigint, isFloat: boolean): string {
  if (typeof value === 'bigint') return value.toString()
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const text = Object.is(value, -0) ? '-0' : String(value)
  return isFloat && Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text
}

// A JSON string is a Python one.
const quoted = (text: string): string => JSON.stringify(text)

/** A value as a Python literal; enums as their text. */
function python({ value, dtype, enumStrings, source }: Update): string {
  const isFloat = dtype === 'float32' || dtype === 'float64'
  if (dtype === 'enum' && typeof value === 'number') return quoted(enumStrings?.[value] ?? String(value))
  if (typeof value === 'number' || typeof value === 'bigint') return literal(value, isFloat)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${(value as string[]).map(quoted).join(', ')}]`
  if (isVector(value)) {
    const float = value.dtype.startsWith('float')
    return `[${Array.from({ length: value.length }, (_, i) => literal(element(value, i), float)).join(', ')}]`
  }
  throw new BadMessage('unsupported_type', `a structure of ${source} cannot be sent as a cache entry`)
}

const part = defineConverter({
  id: 'ns10',
  summary: 'Entry of the NICOS cache: a key and a Python literal.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      prefix: {
        type: 'string',
        default: '',
        description: 'Put in front of the source name to make the key, e.g. nicos/.'
      },
      ttl: { type: 'number', minimum: 0, default: 0, description: 'Time to live of the entries in seconds.' }
    }
  },
  open: (config) => ({
    peek,
    decode,
    encode,
    convert: (update) => {
      if (update.kind !== 'value' || update.events !== undefined) return []
      const { source, timestampNs } = update
      const record = { source: `${config.prefix ?? ''}${source}`, timestampNs, ttl: config.ttl ?? 0, expired: false }
      return [messageOf(update, encode({ ...record, value: python(update) }))]
    }
  })
})

export default definePlugin({
  name: 'converter-ns10',
  version: '1.0.0',
  api: API,
  summary: 'Converts cache entries of NICOS to and from ns10.',
  apply(registry) {
    registry.converter(part)
  }
})
