// f142 and f144 by hand: one control value per message, the hot path of forwarder and file writer.
import { BadMessage, type Peek, type Scalar, type Vector, type VectorType } from '../../core/api/plugin.js'
import { type LogRecord } from '../../schemas/index.js'
import {
  encodeMessage, fieldAt, type Fields, idCode, missing, nameAt, put16, put32, put64, putF32, putF64, rootAt, stringAt, Table,
  tableAt, timeAt, u16, u32, u8, vectorAt, viewAt, widthOf } from '../../schemas/index.js' // prettier-ignore

// Union member ids, the same in f142 and f144: 1–10 scalars, 11–20 vectors of them, in f142 also 21 text and 22 texts.
// prettier-ignore
const types: readonly VectorType[] = [
  'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float32', 'float64'
]
const typeId = new Map<string, number>(types.map((dtype, i) => [dtype, i + 1]))

/** Wire severity of f142 ↔ EPICS severity; 4 (NO_CHANGE) has none. */
const toEpics = [1, 2, 0, 3]
const fromEpics = [2, 0, 1, 3]
const noChange = { status: 22, severity: 4 }

/** Where a schema has its fields, and the fixed part of a message that `encode` fills in. */
interface Form {
  readonly id: 'f142' | 'f144'
  readonly code: number
  readonly slots: { source: number; time: number; type: number; value: number }
  /** Positions in an encoded message: fields of the root table, the value itself, the source name. */
  readonly at: { time: number; source: number; status: number; type: number; value: number; name: number }
  /** Messages without alarm, and with it (f142). */
  readonly plain: Uint8Array
  readonly alarmed: Uint8Array
}

/** The message up to the source name: root offset, id, vtable, table, vtable and table of the value. */
function template(id: string, table: number, vtable: readonly number[], value: number): Uint8Array {
  const out = new Uint8Array(value + 12)
  const size = 4 + 2 * (vtable.length - 1)
  put32(out, 0, table)
  put32(out, 4, idCode(id))
  put16(out, table - size, size)
  vtable.forEach((offset, i) => put16(out, table - size + 2 + 2 * i, offset))
  put32(out, table, size)
  const start = value - 6
  put16(out, start, 6)
  put16(out, start + 2, 12)
  put16(out, start + 4, 4)
  put32(out, value, 6)
  return out
}

const f142: Form = {
  id: 'f142',
  code: idCode('f142'),
  slots: { source: 0, type: 1, value: 2, time: 3 },
  at: { time: 32, source: 40, status: 48, type: 52, value: 64, name: 72 },
  plain: template('f142', 28, [25, 12, 24, 16, 4, 0, 0], 60),
  alarmed: template('f142', 28, [25, 12, 24, 16, 4, 20, 22], 60)
}
put32(f142.plain, 44, 60 - 44)
put32(f142.alarmed, 44, 60 - 44)

const f144: Form = {
  id: 'f144',
  code: idCode('f144'),
  slots: { source: 0, time: 1, type: 2, value: 3 },
  at: { time: 24, source: 32, status: 0, type: 40, value: 56, name: 64 },
  plain: template('f144', 20, [21, 12, 4, 20, 16], 52),
  alarmed: new Uint8Array(0)
}
put32(f144.plain, 36, 52 - 36)

function peek(form: Form, b: Uint8Array, out: Peek): void {
  const table = rootAt(b, form.code)
  const source = fieldAt(b, table, form.slots.source, 4)
  const at = fieldAt(b, table, form.slots.time, 8)
  if (source === 0) missing('source_name')
  if (at === 0) throw new BadMessage('bad_timestamp', 'the message has no time')
  const name = vectorAt(b, source, 1)
  out.sourceStart = name + 4
  out.sourceEnd = name + 4 + u32(b, name)
  out.timestampNs = timeAt(b, at)
}

function valueAt(b: Uint8Array, table: number, id: number): LogRecord['value'] {
  if (id <= 10) {
    const at = fieldAt(b, table, 0, widthOf(types[id - 1]!))
    return numberIn(new DataView(b.buffer, b.byteOffset, b.byteLength), at, id)
  }
  if (id === 22) return new Table(b, table).strings(0) ?? missing('value')
  const at = fieldAt(b, table, 0, 4)
  if (at === 0) return missing('value')
  return id === 21 ? stringAt(b, at) : viewAt(b, at, types[id - 11]!)
}

function decode(form: Form, b: Uint8Array): LogRecord {
  const table = rootAt(b, form.code)
  const source = fieldAt(b, table, form.slots.source, 4)
  const time = fieldAt(b, table, form.slots.time, 8)
  const type = fieldAt(b, table, form.slots.type, 1)
  const value = fieldAt(b, table, form.slots.value, 4)
  if (source === 0) missing('source_name')
  if (time === 0) throw new BadMessage('bad_timestamp', 'the message has no time')
  const id = type === 0 ? 0 : u8(b, type)
  if (id === 0 || value === 0) missing('value')
  if (id > (form.id === 'f142' ? 22 : 20)) throw new BadMessage('unknown_type', `no value type has the number ${id}`)
  return {
    source: nameAt(b, source),
    timestampNs: timeAt(b, time),
    dtype: id > 20 ? 'string' : types[(id - 1) % 10]!,
    value: valueAt(b, tableAt(b, value), id),
    alarm: form.id === 'f142' ? alarmAt(b, table) : undefined
  }
}

/** Whatever looks odd is left to `peek` and `decode`, which say what is wrong. */
function scalar(form: Form, b: DataView, start: number, end: number, out: Scalar): boolean {
  const table = tableIn(b, start, start, end)
  if (table < 0) return false
  const { slots } = form
  const source = fieldIn(b, table, slots.source, 4, end)
  const time = fieldIn(b, table, slots.time, 8, end)
  const type = fieldIn(b, table, slots.type, 1, end)
  const value = fieldIn(b, table, slots.value, 4, end)
  if (source <= 0 || time <= 0 || type <= 0 || value <= 0) return false
  const name = source + b.getUint32(source, true)
  if (name === source || name > end - 4) return false
  out.sourceStart = name + 4
  out.sourceEnd = name + 4 + b.getUint32(name, true)
  out.timeLow = b.getUint32(time, true)
  out.timeHigh = b.getInt32(time + 4, true)
  if (out.sourceEnd > end || out.timeHigh < 0 || (out.timeHigh === 0 && out.timeLow === 0)) return false
  const id = b.getUint8(type)
  if (id === 0 || id > 10) return false
  const content = tableIn(b, value, start, end)
  const dtype = types[id - 1]!
  const at = content < 0 ? -1 : fieldIn(b, content, 0, widthOf(dtype), end)
  if (at < 0) return false
  out.dtype = dtype
  out.value = numberIn(b, at, id)
  out.severity = -1
  return form.id === 'f144' || alarmIn(b, table, end, out)
}

/** The table that the offset at `at` points to, or -1. */
function tableIn(b: DataView, at: number, start: number, end: number): number {
  const table = at + b.getUint32(at, true)
  if (table === at || table > end - 4) return -1
  const vtable = table - b.getInt32(table, true)
  if (vtable < start || vtable > end - 4) return -1
  const size = b.getUint16(vtable, true)
  return size < 4 || vtable + size > end ? -1 : table
}

/** As `fieldAt`: 0 when absent; -1 outside of the message. */
function fieldIn(b: DataView, table: number, slot: number, width: number, end: number): number {
  const vtable = table - b.getInt32(table, true)
  const entry = 4 + 2 * slot
  if (entry + 2 > b.getUint16(vtable, true)) return 0
  const offset = b.getUint16(vtable + entry, true)
  if (offset === 0) return 0
  const at = table + offset
  return at + width > end ? -1 : at
}

function numberIn(b: DataView, at: number, id: number): number | bigint {
  if (at === 0) return id === 7 || id === 8 ? 0n : 0
  switch (id) {
    case 1:
      return b.getInt8(at)
    case 2:
      return b.getUint8(at)
    case 3:
      return b.getInt16(at, true)
    case 4:
      return b.getUint16(at, true)
    case 5:
      return b.getInt32(at, true)
    case 6:
      return b.getUint32(at, true)
    case 7:
      return b.getBigInt64(at, true)
    case 8:
      return b.getBigUint64(at, true)
    case 9:
      return b.getFloat32(at, true)
    default:
      return b.getFloat64(at, true)
  }
}

/** The alarm of an f142; false when its fields lie outside of the message. */
function alarmIn(b: DataView, table: number, end: number, out: Scalar): boolean {
  const status = fieldIn(b, table, 4, 2, end)
  const severity = fieldIn(b, table, 5, 2, end)
  if (status < 0 || severity < 0) return false
  if (status === 0 || severity === 0) return true
  const epics = toEpics[b.getUint16(severity, true)]
  out.status = b.getUint16(status, true)
  if (out.status < noChange.status && epics !== undefined) out.severity = epics
  return true
}

function alarmAt(b: Uint8Array, table: number): LogRecord['alarm'] {
  const status = fieldAt(b, table, 4, 2)
  const severity = fieldAt(b, table, 5, 2)
  if (status === 0 || severity === 0) return undefined
  const code = u16(b, status)
  const epics = toEpics[u16(b, severity)]
  return code >= noChange.status || epics === undefined ? undefined : { severity: epics, status: code }
}

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
function start(form: Form, source: string, alarmed: boolean, extra: number): { out: Buffer; extraAt: number } {
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
function encodeNumber(form: Form, record: LogRecord, id: number, value: number | bigint | Vector): Buffer {
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

function encodeText(form: Form, record: LogRecord): Buffer {
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

function encode(form: Form, record: LogRecord): Buffer {
  if (record.dtype === 'string') return encodeText(form, record)
  const { value } = record
  const id = typeId.get(record.dtype)
  if (id === undefined || typeof value === 'string' || Array.isArray(value))
    throw new BadMessage('unencodable', `a value of type ${typeof value} is no ${record.dtype}`)
  const number = value as number | bigint | Vector
  const isVector = typeof number === 'object'
  return encodeNumber(form, record, isVector ? id + 10 : id, number)
}

/** Both directions of one of the two schemas. */
export interface LogCodec {
  readonly id: 'f142' | 'f144'
  /** No allocation but the bigint. Throws BadMessage. */
  peek(message: Uint8Array, out: Peek): void
  decode(message: Uint8Array): LogRecord
  /** Fills in a sound message of one number at `start` to `end`, without an allocation but for 64-bit integers; false for anything else. */
  scalar(bytes: DataView, start: number, end: number, out: Scalar): boolean
  /** Throws BadMessage `unencodable` for text in f144. */
  encode(record: LogRecord): Buffer
}

const codec = (form: Form): LogCodec => ({
  id: form.id,
  peek: (message, out) => peek(form, message, out),
  decode: (message) => decode(form, message),
  scalar: (bytes, start, end, out) => scalar(form, bytes, start, end, out),
  encode: (record) => encode(form, record)
})

export const logF142: LogCodec = codec(f142)
export const logF144: LogCodec = codec(f144)
