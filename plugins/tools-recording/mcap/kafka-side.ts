// What Kafka has of a message and MCAP has no place for: a JSON message of its own, on the channel `TOPIC/kafka`.
import { type RecordedMessage } from '../recorded.js'

/** Offsets up to here stand in the sequence number of the message itself. */
const SEQUENCES = 2 ** 32

export const sequenceOf = (offset: number): number => offset % SEQUENCES

/** Largest Kafka time that a 64-bit number of ns can hold, ms. */
const LAST_MS = 18_446_744_073_709

/** ns for MCAP; 0 for a time that it cannot hold, which then stands beside the message. */
export const logTimeOf = (timestampMs: number): bigint =>
  timestampMs >= 0 && timestampMs <= LAST_MS ? BigInt(timestampMs) * 1_000_000n : 0n

export interface Side {
  readonly key: Buffer | null
  readonly headers: RecordedMessage['headers']
  readonly offset?: number
  readonly timestampMs?: number
  /** The message has no value (a tombstone): nothing follows. */
  readonly isTombstone: boolean
}

export const sideSchema = {
  name: 'nexstream.KafkaRecord',
  encoding: 'jsonschema',
  text: JSON.stringify({
    title: 'nexstream.KafkaRecord',
    description:
      'Key, headers and the like of the Kafka message of the same topic, partition and sequence number, which follows. Texts that are not UTF-8 stand as base64.',
    type: 'object',
    properties: {
      key: { type: 'string' },
      key_base64: { type: 'string', contentEncoding: 'base64' },
      headers: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { type: 'string' },
            value: { type: 'string' },
            value_base64: { type: 'string', contentEncoding: 'base64' }
          }
        }
      },
      offset: { type: 'string', description: 'where it is beyond 32 bits' },
      timestamp_ms: { type: 'string', description: 'where log_time cannot hold it' },
      tombstone: { type: 'boolean', description: 'the message has no value, and none follows' }
    }
  })
} as const

/** As text where it is UTF-8; nothing for null. */
function bytesAs<const N extends string>(name: N, bytes: Uint8Array | null): Record<string, string> {
  if (bytes === null) return {}
  const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = given.toString('utf8')
  return Buffer.from(text, 'utf8').equals(given) ? { [name]: text } : { [`${name}_base64`]: given.toString('base64') }
}

/** Undefined where the message itself says all. */
export function sideOf({ key, headers, offset, timestampMs, value }: RecordedMessage): Buffer | undefined {
  const isPlain = key === null && headers.length === 0 && value !== null
  const [isFar, isOdd] = [offset >= SEQUENCES, logTimeOf(timestampMs) !== BigInt(timestampMs) * 1_000_000n]
  if (isPlain && !isFar && !isOdd) return undefined
  const side = {
    ...bytesAs('key', key),
    ...(headers.length > 0 && { headers: headers.map(([name, text]) => ({ name, ...bytesAs('value', text) })) }),
    ...(isFar && { offset: String(offset) }),
    ...(isOdd && { timestamp_ms: String(timestampMs) }),
    ...(value === null && { tombstone: true })
  }
  return Buffer.from(JSON.stringify(side))
}

type SideFields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is SideFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function bytesIn(fields: SideFields, name: string): Buffer | null {
  const [text, base64] = [fields[name], fields[`${name}_base64`]]
  if (typeof text === 'string') return Buffer.from(text, 'utf8')
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : null
}

function numberIn(fields: SideFields, name: string): number | undefined {
  const text = fields[name]
  if (text === undefined) return undefined
  const value = typeof text === 'string' && /^-?\d{1,16}$/.test(text) ? Number(text) : NaN
  if (!Number.isSafeInteger(value)) throw new Error(`${name} beside a message is no whole number`)
  return value
}

/** Throws Error for what is none. */
export function readSide(data: Uint8Array): Side {
  const fields: unknown = JSON.parse(Buffer.from(data).toString('utf8'))
  if (!isFields(fields)) throw new Error('what stands beside a message is no JSON object')
  const headers = fields['headers'] ?? []
  if (!Array.isArray(headers)) throw new Error('the headers beside a message are no list')
  const [offset, timestampMs] = [numberIn(fields, 'offset'), numberIn(fields, 'timestamp_ms')]
  if (offset !== undefined && offset < 0) throw new Error('the offset beside a message is negative')
  return {
    key: bytesIn(fields, 'key'),
    headers: headers.map((header: unknown) => {
      if (!isFields(header) || typeof header['name'] !== 'string') throw new Error('a header has no name')
      return [header['name'], bytesIn(header, 'value')] as const
    }),
    ...(offset !== undefined && { offset }),
    ...(timestampMs !== undefined && { timestampMs }),
    isTombstone: fields['tombstone'] === true
  }
}
