// Converter of json: any update as JSON text in a FlatBuffer.
import { API, BadMessage, definePlugin, numberText, wholeNumber, writeJson } from '../../core/api/plugin.js'
import {
  element,
  encodeMessage,
  fieldAt,
  idCode,
  missing,
  rootAt,
  Table,
  textOf,
  u32,
  u8,
  vectorAt,
  alarmText,
  readJson,
  defineConverter,
  isStructure,
  isVector,
  messageOf,
  type Peek,
  type PvValue,
  type Update
} from '../../schemas/index.js'

const code = idCode('json')
// Our own messages begin with source and time, so that routing need not parse them.
const before = Buffer.from('{"source":"')
const between = Buffer.from('","timestamp_ns":"')
const [quote, backslash] = [0x22, 0x5c]

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

function peek(message: Uint8Array, out: Peek): void {
  const field = fieldAt(message, rootAt(message, code), 0, 4)
  if (field === 0) missing('json')
  const text = vectorAt(message, field, 1)
  const end = text + 4 + u32(message, text)
  const start = text + 4 + before.length
  let at = start
  while (at < end && u8(message, at) !== quote && u8(message, at) !== backslash) at++
  const time = at + between.length
  if (!matches(message, text + 4, before, end) || !matches(message, at, between, end))
    throw new BadMessage('missing_field', 'the JSON text does not begin with source and timestamp_ns')
  const digits = /^[1-9]\d{0,18}(?=")/.exec(textOf(message, time, Math.min(end, time + 20)))?.[0]
  if (digits === undefined) throw new BadMessage('bad_timestamp', 'timestamp_ns is no message time')
  out.sourceStart = start
  out.sourceEnd = at
  out.timestampNs = BigInt(digits)
}

function matches(message: Uint8Array, at: number, expected: Buffer, end: number): boolean {
  return at + expected.length <= end && expected.equals(message.subarray(at, at + expected.length))
}

const encodeText = (text: string): Buffer => encodeMessage('json', { json: text })

function decode(message: Uint8Array): unknown {
  try {
    return numbers(readJson(Table.root(message, 'json').string(0) ?? missing('json')))
  } catch (error) {
    if (error instanceof BadMessage) throw error
    throw new BadMessage('bad_json', `the text is no JSON: ${(error as Error).message}`)
  }
}

/** Numbers in what `readJson` made; integers beyond 2^53 become bigints. */
function numbers(value: unknown): unknown {
  const text = numberText(value)
  if (text !== undefined) return /^-?\d+$/.test(text) && Number(text) !== 0 ? BigInt(text) : Number(text)
  if (Array.isArray(value)) return value.map(numbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, numbers(item)]))
}

/** The way back. */
function written(value: unknown): unknown {
  if (typeof value === 'bigint') return wholeNumber(value)
  if (Array.isArray(value)) return value.map(written)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, written(item)]))
}

/** NaN and infinities as text, 64-bit integers as decimal text. */
function plain(value: Update['value'] | PvValue): Json {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value === null || typeof value !== 'object') return value
  if (isVector(value)) return Array.from({ length: value.length }, (_, i) => plain(element(value, i)))
  if (isStructure(value)) return Object.fromEntries([...value.fields].map(([name, field]) => [name, plain(field)]))
  return (value as readonly PvValue[]).map(plain)
}

function describe(update: Update): Json {
  const { source, timestampNs, dtype, value, alarm, units, precision, enumStrings } = update
  return {
    source,
    timestamp_ns: timestampNs.toString(),
    dtype: isVector(value) ? value.dtype : dtype,
    value: plain(value),
    ...(dtype === 'enum' && typeof value === 'number' ? { text: enumStrings?.[value] ?? '' } : {}),
    units,
    ...(precision === null ? {} : { precision }),
    alarm: { severity: alarm.severity, status: alarm.status, message: alarmText(alarm) }
  }
}

const part = defineConverter({
  id: 'json',
  summary: 'Any value, also structures, as JSON text.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => ({
    peek,
    decode,
    encode: (record: unknown) => encodeText(writeJson(written(record))),
    convert: (update) => {
      if (update.kind !== 'value' || update.events !== undefined) return []
      return [messageOf(update, encodeText(writeJson(describe(update))))]
    }
  })
})

export default definePlugin({
  name: 'converter-json',
  version: '1.0.0',
  api: API,
  summary: 'Converts any value to and from json.',
  apply(registry) {
    registry.converter(part)
  }
})
