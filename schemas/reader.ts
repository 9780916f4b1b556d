// Reads FlatBuffers from hostile bytes: every offset, length and vtable is checked before it is used.
import { BadMessage } from '../core/api/errors.js'
import { type Vector, type VectorType } from './records.js'
import { scalarSize } from './numbers.js'

/** The four id characters as they stand at bytes 4–7, for `rootAt`. */
export const idCode = (id: string): number =>
  id.charCodeAt(0) | (id.charCodeAt(1) << 8) | (id.charCodeAt(2) << 16) | (id.charCodeAt(3) << 24)

const broken = (what: string, at: number): never => {
  throw new BadMessage('invalid_flatbuffer', `${what} at byte ${at} lies outside the message`)
}

// Plain functions on positions: the hot paths of f142, f144, ev42 and ev44 run on these without an allocation.
// A read past the end cannot happen (positions are checked first); `!` only tells the compiler so.

export const u8 = (b: Uint8Array, at: number): number => b[at]!
export const u16 = (b: Uint8Array, at: number): number => b[at]! | (b[at + 1]! << 8)
export const i32 = (b: Uint8Array, at: number): number =>
  b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)
export const u32 = (b: Uint8Array, at: number): number => i32(b, at) >>> 0

const words = new Uint32Array(2)
const bytes = new Uint8Array(words.buffer)
const signed = new BigInt64Array(words.buffer)
const unsigned = new BigUint64Array(words.buffer)
const double = new Float64Array(words.buffer)
const single = new Float32Array(words.buffer)

function load8(b: Uint8Array, at: number): void {
  words[0] = i32(b, at)
  words[1] = i32(b, at + 4)
}
export function i64(b: Uint8Array, at: number): bigint {
  load8(b, at)
  return signed[0]!
}
export function u64(b: Uint8Array, at: number): bigint {
  load8(b, at)
  return unsigned[0]!
}
export function f64(b: Uint8Array, at: number): number {
  load8(b, at)
  return double[0]!
}
export function f32(b: Uint8Array, at: number): number {
  words[0] = i32(b, at)
  return single[0]!
}
/** Whether typed arrays lie in memory as FlatBuffers do. */
export const isLittleEndian = ((): boolean => {
  words[0] = 1
  return bytes[0] === 1
})()

/** A message time in ns. 0, negative and above 2^63 - 1 are no times: BadMessage `bad_timestamp`. */
export function timeAt(b: Uint8Array, at: number): bigint {
  load8(b, at)
  const high = words[1]! | 0
  if (high < 0 || (high === 0 && words[0] === 0))
    throw new BadMessage('bad_timestamp', `${unsigned[0]} ns is no message time`)
  return signed[0]!
}

function store(b: Uint8Array, at: number, width: number): void {
  for (let i = 0; i < width; i++) b[at + i] = bytes[i]!
}
/** Writes a 64-bit integer, wrapped to 64 bits. */
export function put64(b: Uint8Array, at: number, value: bigint): void {
  unsigned[0] = value
  store(b, at, 8)
}
export function putF64(b: Uint8Array, at: number, value: number): void {
  double[0] = value
  store(b, at, 8)
}
export function putF32(b: Uint8Array, at: number, value: number): void {
  single[0] = value
  store(b, at, 4)
}
export function put32(b: Uint8Array, at: number, value: number): void {
  b[at] = value
  b[at + 1] = value >>> 8
  b[at + 2] = value >>> 16
  b[at + 3] = value >>> 24
}
export function put16(b: Uint8Array, at: number, value: number): void {
  b[at] = value
  b[at + 1] = value >>> 8
}

/** Position of the root table. Throws BadMessage `too_small` or `wrong_schema`. */
export function rootAt(b: Uint8Array, code: number): number {
  if (b.length < 8) throw new BadMessage('too_small', `${b.length} bytes are no message: a FlatBuffer has at least 8`)
  if (i32(b, 4) !== code) throw new BadMessage('wrong_schema', 'the file identifier is that of another schema')
  return tableAt(b, 0)
}

/** Position of the table that the offset at `at` points to; its vtable is checked. */
export function tableAt(b: Uint8Array, at: number): number {
  const table = follow(b, at)
  const vtable = table - i32(b, table)
  if (vtable < 0 || vtable > b.length - 4) broken('vtable', table)
  const size = u16(b, vtable)
  if (size < 4 || vtable + size > b.length) broken('vtable', vtable)
  return table
}

/** Position of a field of `width` bytes in a table of `tableAt`, or 0 when it is absent. */
export function fieldAt(b: Uint8Array, table: number, slot: number, width: number): number {
  const vtable = table - i32(b, table)
  const entry = 4 + 2 * slot
  if (entry + 2 > u16(b, vtable)) return 0
  const offset = u16(b, vtable + entry)
  if (offset === 0) return 0
  const at = table + offset
  if (at + width > b.length) broken('field', at)
  return at
}

/** Where an offset points to; at least four bytes are there. Offsets only point forward, so nothing can go in circles. */
export function follow(b: Uint8Array, at: number): number {
  const to = at + u32(b, at)
  if (to === at || to > b.length - 4) broken('offset', at)
  return to
}

/** Position of the length of the vector or string that the field at `at` points to; its end is inside the message. */
export function vectorAt(b: Uint8Array, at: number, width: number): number {
  const vector = follow(b, at)
  if (u32(b, vector) * width > b.length - vector - 4) broken('vector', vector)
  return vector
}

/** The vector that the field at `at` points to, as a view. */
export function viewAt(b: Uint8Array, at: number, dtype: VectorType): Vector {
  const width = scalarSize[dtype]
  const vector = vectorAt(b, at, width)
  const length = u32(b, vector)
  // A third of what Buffer.subarray costs
  return { dtype, length, bytes: new Uint8Array(b.buffer, b.byteOffset + vector + 4, length * width) }
}

/** The string that the field at `at` points to; broken UTF-8 becomes U+FFFD. */
export function stringAt(b: Uint8Array, at: number): string {
  const vector = vectorAt(b, at, 1)
  return textOf(b, vector + 4, vector + 4 + u32(b, vector))
}

// Source names come again with every message: looking one up costs a third of decoding it.
const names: ({ readonly bytes: Uint8Array; readonly text: string } | undefined)[] = Array.from({ length: 4096 })

/** As `stringAt`, for names that recur. */
export function nameAt(b: Uint8Array, at: number): string {
  const vector = vectorAt(b, at, 1)
  const start = vector + 4
  const length = u32(b, vector)
  if (length > 128) return textOf(b, start, start + length)
  let hash = length
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + b[start + i]!) | 0
  const index = hash & 4095
  const known = names[index]
  if (known !== undefined && isSame(known.bytes, b, start, length)) return known.text
  const text = textOf(b, start, start + length)
  names[index] = { bytes: new Uint8Array(b.subarray(start, start + length)), text }
  return text
}

function isSame(name: Uint8Array, b: Uint8Array, start: number, length: number): boolean {
  if (name.length !== length) return false
  for (let i = 0; i < length; i++) if (name[i] !== b[start + i]) return false
  return true
}

/** UTF-8 text of a range of bytes. */
export function textOf(b: Uint8Array, start: number, end: number): string {
  const buffer = Buffer.isBuffer(b) ? b : Buffer.from(b.buffer, b.byteOffset, b.byteLength)
  return buffer.toString('utf8', start, end)
}

/** An empty vector, for fields that are absent. */
export const emptyVector = (dtype: VectorType): Vector => ({ dtype, length: 0, bytes: new Uint8Array(0) })

/** Element `i` of a vector; 64-bit integers are bigint. */
export function element(v: Vector, i: number): number | bigint {
  const at = i * scalarSize[v.dtype]
  const b = v.bytes
  switch (v.dtype) {
    case 'int8':
      return (u8(b, at) << 24) >> 24
    case 'uint8':
      return u8(b, at)
    case 'int16':
      return (u16(b, at) << 16) >> 16
    case 'uint16':
      return u16(b, at)
    case 'int32':
      return i32(b, at)
    case 'uint32':
      return u32(b, at)
    case 'int64':
      return i64(b, at)
    case 'uint64':
      return u64(b, at)
    case 'float32':
      return f32(b, at)
    case 'float64':
      return f64(b, at)
  }
}

/** The elements of a vector as numbers; 64-bit integers must be safe integers (else BadMessage). */
export function numbersOf(v: Vector): number[] {
  const out: number[] = []
  for (let i = 0; i < v.length; i++) {
    const n = Number(element(v, i))
    if (v.dtype.endsWith('64') && v.dtype !== 'float64' && !Number.isSafeInteger(n))
      throw new BadMessage('out_of_range', `element ${i} (${n}) is too large`)
    out.push(n)
  }
  return out
}

/** One table of a message; fields are named by slot. For everything that is not hot. */
export class Table {
  constructor(
    readonly message: Uint8Array,
    readonly at: number
  ) {}

  /** The root table of a message. */
  static root(message: Uint8Array, id: string): Table {
    return new Table(message, rootAt(message, idCode(id)))
  }

  has(slot: number): boolean {
    return fieldAt(this.message, this.at, slot, 1) !== 0
  }
  string(slot: number): string | null {
    const at = fieldAt(this.message, this.at, slot, 4)
    return at === 0 ? null : stringAt(this.message, at)
  }
  /** The string, "" when absent. */
  text(slot: number): string {
    return this.string(slot) ?? ''
  }
  /** The string; BadMessage when absent. */
  required(slot: number, name: string): string {
    return this.string(slot) ?? missing(name)
  }
  bool(slot: number): boolean {
    return this.uint8(slot) !== 0
  }
  uint8(slot: number, absent = 0): number {
    const at = fieldAt(this.message, this.at, slot, 1)
    return at === 0 ? absent : u8(this.message, at)
  }
  int16(slot: number, absent = 0): number {
    const at = fieldAt(this.message, this.at, slot, 2)
    return at === 0 ? absent : (u16(this.message, at) << 16) >> 16
  }
  uint16(slot: number, absent = 0): number {
    const at = fieldAt(this.message, this.at, slot, 2)
    return at === 0 ? absent : u16(this.message, at)
  }
  int32(slot: number, absent = 0): number {
    const at = fieldAt(this.message, this.at, slot, 4)
    return at === 0 ? absent : i32(this.message, at)
  }
  uint32(slot: number, absent = 0): number {
    const at = fieldAt(this.message, this.at, slot, 4)
    return at === 0 ? absent : u32(this.message, at)
  }
  int64(slot: number): bigint {
    const at = fieldAt(this.message, this.at, slot, 8)
    return at === 0 ? 0n : i64(this.message, at)
  }
  uint64(slot: number): bigint {
    const at = fieldAt(this.message, this.at, slot, 8)
    return at === 0 ? 0n : u64(this.message, at)
  }
  /** A message time; BadMessage `bad_timestamp` when absent, 0, negative or above 2^63 - 1. */
  time(slot: number): bigint {
    const at = fieldAt(this.message, this.at, slot, 8)
    if (at === 0) throw new BadMessage('bad_timestamp', 'the message has no time')
    return timeAt(this.message, at)
  }
  float32(slot: number): number {
    const at = fieldAt(this.message, this.at, slot, 4)
    return at === 0 ? 0 : f32(this.message, at)
  }
  float64(slot: number): number {
    const at = fieldAt(this.message, this.at, slot, 8)
    return at === 0 ? 0 : f64(this.message, at)
  }
  vector(slot: number, dtype: VectorType): Vector | null {
    const at = fieldAt(this.message, this.at, slot, 4)
    return at === 0 ? null : viewAt(this.message, at, dtype)
  }
  table(slot: number): Table | null {
    const at = fieldAt(this.message, this.at, slot, 4)
    return at === 0 ? null : new Table(this.message, tableAt(this.message, at))
  }
  /** The tables of a vector; null when absent. */
  tables(slot: number): Table[] | null {
    return this.#each(slot, (at) => new Table(this.message, tableAt(this.message, at)))
  }
  strings(slot: number): string[] | null {
    return this.#each(slot, (at) => stringAt(this.message, at))
  }

  #each<T>(slot: number, read: (at: number) => T): T[] | null {
    const field = fieldAt(this.message, this.at, slot, 4)
    if (field === 0) return null
    const vector = vectorAt(this.message, field, 4)
    return Array.from({ length: u32(this.message, vector) }, (_, i) => read(vector + 4 + 4 * i))
  }
}

/** Throws BadMessage: a field that must be there is absent. */
export function missing(name: string): never {
  throw new BadMessage('missing_field', `the field ${name} is absent`)
}
