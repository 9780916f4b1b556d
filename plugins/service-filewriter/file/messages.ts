// The bytes of HDF5 object header messages, in the oldest versions that every library reads (File Format Specification, IV.A.2).
import { type ChunkFilter } from './codec.js'
import { elementSize, numberTypes } from './types.js'
import { type DataType } from '../writer-part.js'

export const UNDEFINED = 0xffffffffffffffffn
export const MESSAGE = {
  nil: 0x00,
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  fillOld: 0x04,
  fill: 0x05,
  link: 0x06,
  layout: 0x08,
  groupInfo: 0x0a,
  filter: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11
} as const

const SLAB_BYTES = 1 << 16
let slab = Buffer.alloc(0)
let cut = 0

/** Cut from slabs, which are zero: thousands of small buffers of their own would cost more than what is written into them. */
export function zeroed(bytes: number): Buffer {
  if (bytes > SLAB_BYTES / 8) return Buffer.alloc(bytes)
  if (cut + bytes > slab.length) {
    slab = Buffer.alloc(SLAB_BYTES)
    cut = 0
  }
  const out = slab.subarray(cut, cut + bytes)
  cut += bytes
  return out
}

/** Header messages and heap entries are multiples of 8 bytes. */
export const padded = (n: number): number => (n + 7) & ~7

/** A message of a version 1 object header with its 8-byte prefix. */
export function message(type: number, content: Buffer): Buffer {
  const size = padded(content.length)
  const out = zeroed(8 + size)
  out.writeUInt16LE(type, 0)
  out.writeUInt16LE(size, 2)
  content.copy(out, 8)
  return out
}

/** Version 1 dataspace; `grows` makes the first dimension unlimited, or all of them. */
export function dataspace(shape: readonly number[], grows: boolean | 'all' = false): Buffer {
  const rank = shape.length
  const out = zeroed(8 + 8 * rank * (grows !== false ? 2 : 1))
  out[0] = 1
  out[1] = rank
  out[2] = grows !== false ? 1 : 0
  shape.forEach((n, i) => put64(out, n, 8 + 8 * i))
  const most = (n: number, i: number): bigint => (i === 0 || grows === 'all' ? UNDEFINED : BigInt(n))
  if (grows !== false) shape.forEach((n, i) => out.writeBigUInt64LE(most(n, i), 8 + 8 * (rank + i)))
  return out
}

const UTF8 = 1
const NULL_PADDED = 1
const CLASS = { integer: 0, float: 1, string: 3, variable: 9 } as const

const typeHead = (kind: number, bits: number, size: number, properties: number): Buffer => {
  const out = zeroed(8 + properties)
  out[0] = 0x10 | kind
  out.writeUIntLE(bits, 1, 3)
  out.writeUInt32LE(size, 4)
  return out
}

function integerType(size: number, signed: boolean): Buffer {
  const out = typeHead(CLASS.integer, signed ? 0x08 : 0, size, 4)
  out.writeUInt16LE(8 * size, 10)
  return out
}

function floatType(size: number): Buffer {
  const double = size === 8
  // Mantissa with an implied leading 1; the sign is the highest bit
  const out = typeHead(CLASS.float, 0x20 | ((8 * size - 1) << 8), size, 12)
  out.writeUInt16LE(8 * size, 10)
  out.set(double ? [52, 11, 0, 52] : [23, 8, 0, 23], 12)
  out.writeUInt32LE(double ? 1023 : 127, 16)
  return out
}

const types = new Map<DataType, Buffer>()

/** Version 1 datatype. */
export function datatype(dtype: DataType): Buffer {
  if (typeof dtype !== 'string') return typeHead(CLASS.string, NULL_PADDED | (UTF8 << 4), dtype.string, 0)
  let made = types.get(dtype)
  if (made === undefined) types.set(dtype, (made = plainType(dtype)))
  return made
}

function plainType(dtype: Extract<DataType, string>): Buffer {
  if (dtype === 'string') {
    const base = integerType(1, false)
    return Buffer.concat([typeHead(CLASS.variable, 1 | (UTF8 << 8), elementSize(dtype), 0), base])
  }
  const { size, float, signed } = numberTypes[dtype]
  return float ? floatType(size) : integerType(size, signed)
}

/** The default fill value; chunks are allocated as data come, contiguous data at once. */
export const fillValue = (chunked: boolean): Buffer => Buffer.from([2, chunked ? 3 : 2, 2, 1, 0, 0, 0, 0])

export function contiguousLayout(address: number, bytes: number): Buffer {
  const out = zeroed(18)
  out[0] = 3
  out[1] = 1
  out.writeBigUInt64LE(bytes === 0 ? UNDEFINED : BigInt(address), 2)
  out.writeBigUInt64LE(BigInt(bytes), 10)
  return out
}

/** `chunk` in elements, without the last entry (element size). */
export function chunkedLayout(chunk: readonly number[], size: number): Buffer {
  const out = zeroed(11 + 4 * (chunk.length + 1))
  out[0] = 3
  out[1] = 2
  out[2] = chunk.length + 1
  out.writeBigUInt64LE(UNDEFINED, 3)
  ;[...chunk, size].forEach((n, i) => out.writeUInt32LE(n, 11 + 4 * i))
  return out
}

export function filterPipeline(filters: readonly ChunkFilter[]): Buffer {
  const parts = filters.map(({ id, values }) => {
    const out = zeroed(8 + padded(4 * values.length))
    out.writeUInt16LE(id, 0)
    out.writeUInt16LE(values.length, 6)
    values.forEach((n, i) => out.writeUInt32LE(n, 8 + 4 * i))
    return out
  })
  return Buffer.concat([Buffer.from([1, filters.length, 0, 0, 0, 0, 0, 0]), ...parts])
}

/** What comes before the data of attributes; the same few come again in every group. */
const heads = new Map<string, Buffer>()
const MOST_HEADS = 1000

function attributeHead(name: string, dtype: DataType, shape: readonly number[]): Buffer {
  const label = Buffer.from(`${name}\0`)
  const type = datatype(dtype)
  const space = dataspace(shape)
  const head = zeroed(8)
  head[0] = 1
  head.writeUInt16LE(label.length, 2)
  head.writeUInt16LE(type.length, 4)
  head.writeUInt16LE(space.length, 6)
  const pad = (part: Buffer): Buffer[] => [part, zeroed(padded(part.length) - part.length)]
  return Buffer.concat([head, ...pad(label), ...pad(type), ...pad(space)])
}

/** A whole attribute message; `put` fills in the `bytes` of its elements (references for variable strings). */
export function attribute(
  name: string,
  dtype: DataType,
  shape: readonly number[],
  bytes: number,
  put: (out: Buffer, at: number) => void
): Buffer {
  const key = typeof dtype === 'string' ? `${name} ${dtype} ${shape.join(' ')}` : ''
  let head = heads.get(key)
  if (head === undefined || key === '') {
    head = attributeHead(name, dtype, shape)
    if (key !== '' && heads.size < MOST_HEADS) heads.set(key, head)
  }
  const size = padded(head.length + bytes)
  const out = zeroed(8 + size)
  out.writeUInt16LE(MESSAGE.attribute, 0)
  out.writeUInt16LE(size, 2)
  out.set(head, 8)
  put(out, 8 + head.length)
  return out
}

/** An address, or that there is none. */
export function putAddress(out: Buffer, address: number | undefined, at: number): void {
  if (address === undefined) out.fill(0xff, at, at + 8)
  else put64(out, address, at)
}

/** Writes a non-negative 64-bit integer below 2^53. */
export function put64(out: Buffer, value: number, at: number): void {
  out.writeUInt32LE(value % 0x100000000, at)
  out.writeUInt32LE(Math.floor(value / 0x100000000), at + 4)
}

/** Version 1 object header around whole messages. */
export function objectHeader(messages: readonly Buffer[], count: number, references: number): Buffer {
  const size = messages.reduce((sum, item) => sum + item.length, 0)
  const out = zeroed(16 + size)
  out[0] = 1
  out.writeUInt16LE(count, 2)
  out.writeUInt32LE(references, 4)
  out.writeUInt32LE(size, 8)
  let at = 16
  for (const item of messages) {
    out.set(item, at)
    at += item.length
  }
  return out
}

/** Room for a continuation: what the header of an object in the file can be led on by. */
export const slot: Buffer = message(MESSAGE.nil, Buffer.alloc(16))

export function pair(first: number, second: number): Buffer {
  const out = Buffer.allocUnsafe(16)
  put64(out, first, 0)
  put64(out, second, 8)
  return out
}
