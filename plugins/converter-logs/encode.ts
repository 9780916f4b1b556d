// Writes f142 and f144: a template with the places of source, time and value to fill.
import { BadMessage } from '../../core/api/plugin.js'
import {
  type LogRecord,
  encodeMessage,
  type Fields,
  put16,
  put32,
  put64,
  putF32,
  putF64,
  type Vector
} from '../../schemas/index.js'
import { typeId, fromEpics, noChange, type LogForm } from './forms.js'

function putScalar(b: Uint8Array, at: number, id: number, value: number | bigint): void {
  if (id === 7 || id === 8) put64(b, at, typeof value === 'bigint' ? value : BigInt(Math.trunc(value)))
  else if (id === 10) putF64(b, at, Number(value))
  else if (id === 9) putF32(b, at, Number(value))
  else put32(b, at, Number(value))
}

/** Writes ASCII text and gives its length, or -1 when it is longer than the room or not ASCII. */
function putAscii(b: Uint8Array, at: number, text: string): number {
  const { length } = text
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return -1
    b[at + i] = code
  }
  return length
}

/** The source name at `form.at.name`, and room for `extra` bytes after it at a multiple of 8. */
function start(form: LogForm, source: string, alarmed: boolean, extra: number): { out: Buffer; extraAt: number } {
  const name = form.at.name
  let length = source.length
  const size = (n: number): number => (name + 4 + n + 1 + 7) & ~7
  let out = Buffer.allocUnsafe(size(length) + extra)
  if (putAscii(out, name + 4, source) < 0) {
    length = Buffer.byteLength(source)
    out = Buffer.allocUnsafe(size(length) + extra)
    out.write(source, name + 4)
  }
  out.set(alarmed ? form.alarmed : form.plain)
  put32(out, form.at.source, name - form.at.source)
  put32(out, name, length)
  out.fill(0, name + 4 + length, size(length))
  return { out, extraAt: size(length) }
}

/** `value` is that of the record; its alarm is for f142 only. */
function encodeNumber(form: LogForm, record: LogRecord, id: number, value: number | bigint | Vector): Buffer {
  const { alarm } = record
  const alarmed = alarm !== undefined && form.id === 'f142'
  const vector = typeof value === 'object' ? value : undefined
  const { out, extraAt } = start(form, record.source, alarmed, vector === undefined ? 0 : 8 + vector.bytes.length)
  const { at } = form
  put64(out, at.time, record.timestampNs)
  out[at.type] = id
  if (alarmed) {
    put16(out, at.status, alarm.status)
    put16(out, at.status + 2, fromEpics[alarm.severity] ?? noChange.severity)
  }
  if (typeof value === 'object') {
    // Four bytes in front so that the elements start at a multiple of 8.
    put32(out, extraAt, 0)
    put32(out, extraAt + 4, value.length)
    out.set(value.bytes, extraAt + 8)
    put32(out, at.value, extraAt + 4 - at.value)
    put32(out, at.value + 4, 0)
  } else {
    put32(out, at.value + 4, 0)
    putScalar(out, at.value, id, value)
  }
  return out
}

function encodeText(form: LogForm, record: LogRecord): Buffer {
  if (form.id === 'f144') throw new BadMessage('unencodable', 'f144 cannot carry text')
  const type = typeof record.value === 'string' ? 'String' : 'ArrayString'
  const { alarm } = record
  const fields: Fields = {
    source_name: record.source,
    value: { type, value: { value: record.value as string | readonly string[] } },
    timestamp: record.timestampNs,
    ...(alarm === undefined ? {} : { status: alarm.status, severity: fromEpics[alarm.severity] ?? noChange.severity })
  }
  return encodeMessage('f142', fields)
}

export function encode(form: LogForm, record: LogRecord): Buffer {
  if (record.dtype === 'string') return encodeText(form, record)
  const { value } = record
  const id = typeId.get(record.dtype)
  if (id === undefined || typeof value === 'string' || Array.isArray(value))
    throw new BadMessage('unencodable', `a value of type ${typeof value} is no ${record.dtype}`)
  const number = value as number | bigint | Vector
  const isVector = typeof number === 'object'
  return encodeNumber(form, record, isVector ? id + 10 : id, number)
}
