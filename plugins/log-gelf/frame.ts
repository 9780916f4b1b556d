// A log line as a GELF 1.1 message: the fields that Graylog finds the field's programs by.
import { randomBytes } from 'node:crypto'
import { type LogLine } from '../../core/api/plugin.js'

export interface GelfOrigin {
  readonly host: string
  readonly facility: string
  /** Undefined: the role that the line is of. */
  readonly processName: string | undefined
  readonly pid: number
}

const levels = { error: 3, warn: 4, info: 6, debug: 7 } as const
/** Longer values Graylog cannot index. */
const MOST_BYTES = 32_766
const MOST_TRACE = 100_000

/** JSON, without the end of frame of TCP. */
export function gelf({ level, message, timeMs, service_id: serviceId, fields }: LogLine, origin: GelfOrigin): Buffer {
  const { part = '', stack, ...others } = fields
  const role = /^(?:service|reporter) (\S+)/.exec(String(part))?.[1] ?? 'daemon'
  const extra = Object.entries(others).flatMap(([name, value]): [string, string | number][] =>
    value === undefined || value === null ? [] : [[fieldName(name), plain(value)]]
  )
  const frame = {
    version: '1.1',
    host: origin.host,
    short_message: cut(message, MOST_BYTES) || '-',
    ...(stack !== undefined && { full_message: String(plain(stack, MOST_TRACE)) }),
    timestamp: timeMs / 1000,
    level: levels[level],
    ...Object.fromEntries(extra),
    _process: 'nexstream',
    _process_id: origin.pid,
    _process_name: origin.processName ?? role,
    _thread_id: 0,
    _facility: origin.facility,
    _service_id: serviceId,
    ...(part !== '' && { _part: plain(part) })
  }
  return Buffer.from(JSON.stringify(frame))
}

/** `_id` is forbidden, and what is no letter, digit, dot or dash. */
function fieldName(name: string): string {
  const clean = `_${name.replace(/[^\w.-]/g, '_')}`
  return clean === '_id' ? '_id_' : clean
}

function plain(value: unknown, most = MOST_BYTES): string | number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value === 'string') return cut(value, most)
  const bigints = (_key: string, one: unknown): unknown => (typeof one === 'bigint' ? one.toString() : one)
  return cut(typeof value === 'bigint' ? value.toString() : JSON.stringify(value, bigints), most)
}

/** At most so many bytes of UTF-8, whole characters. */
function cut(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text
  return new TextDecoder().decode(Buffer.from(text).subarray(0, most)).replace(/\ufffd+$/, '')
}

/** What goes through every network unbroken. */
const CHUNK = 1420
const HEAD = 12
const MOST_CHUNKS = 128

/** The datagrams of a message; undefined: it is too large for UDP. */
export function datagrams(message: Buffer): Buffer[] | undefined {
  if (message.length <= CHUNK) return [message]
  const size = CHUNK - HEAD
  const count = Math.ceil(message.length / size)
  if (count > MOST_CHUNKS) return undefined
  const id = randomBytes(8)
  return Array.from({ length: count }, (_, i) =>
    Buffer.concat([Buffer.from([0x1e, 0x0f]), id, Buffer.from([i, count]), message.subarray(i * size, (i + 1) * size)])
  )
}
