// f142 and f144 by hand: one control value per message, the hot path of forwarder and file writer.
import { BadMessage } from '../../core/api/plugin.js'
import {
  type LogRecord,
  fieldAt,
  missing,
  nameAt,
  rootAt,
  stringAt,
  Table,
  tableAt,
  timeAt,
  u16,
  u32,
  u8,
  vectorAt,
  viewAt,
  widthOf,
  type Peek,
  type Scalar
} from '../../schemas/index.js'
import { types, toEpics, noChange, type LogForm, f142, f144 } from './forms.js'
import { encode } from './encode.js'

function peek(form: LogForm, b: Uint8Array, out: Peek): void {
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

function decode(form: LogForm, b: Uint8Array): LogRecord {
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
function scalar(form: LogForm, b: DataView, start: number, end: number, out: Scalar): boolean {
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

const codec = (form: LogForm): LogCodec => ({
  id: form.id,
  peek: (message, out) => peek(form, message, out),
  decode: (message) => decode(form, message),
  scalar: (bytes, start, end, out) => scalar(form, bytes, start, end, out),
  encode: (record) => encode(form, record)
})

export const logF142: LogCodec = codec(f142)
export const logF144: LogCodec = codec(f144)
