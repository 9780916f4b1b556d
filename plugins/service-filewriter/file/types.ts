// Data types and values: from what plugins pass to the exact bytes that go into the file.
import { CodedError } from '../../../core/api/plugin.js'
import { type VectorType } from '../../../schemas/index.js'
import { type AttributeValue, type DatasetValue, type DataType } from '../writer-part.js'

export interface NumberInfo {
  readonly size: number
  readonly float: boolean
  readonly signed: boolean
}

const info = (size: number, float: boolean, signed: boolean): NumberInfo => ({ size, float, signed })
export const numberTypes: Readonly<Record<VectorType, NumberInfo>> = {
  int8: info(1, false, true),
  int16: info(2, false, true),
  int32: info(4, false, true),
  int64: info(8, false, true),
  uint8: info(1, false, false),
  uint16: info(2, false, false),
  uint32: info(4, false, false),
  uint64: info(8, false, false),
  float32: info(4, true, true),
  float64: info(8, true, true)
}

const arrayTypes: Readonly<Record<string, VectorType>> = {
  Int8Array: 'int8',
  Int16Array: 'int16',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
  Uint8ClampedArray: 'uint8',
  Uint16Array: 'uint16',
  Uint32Array: 'uint32',
  BigUint64Array: 'uint64',
  Float32Array: 'float32',
  Float64Array: 'float64'
}

/** A value ready for the file: little-endian bytes, or the texts of variable-length strings. */
export type Encoded =
  | {
      readonly dtype: VectorType | { readonly string: number }
      readonly shape: readonly number[]
      readonly bytes: Buffer
    }
  | { readonly dtype: 'string'; readonly shape: readonly number[]; readonly texts: readonly string[] }

/** Bytes of one element; variable-length strings are references in the file. */
export function elementSize(dtype: DataType): number {
  if (dtype === 'string') return 16
  return typeof dtype === 'string' ? numberTypes[dtype].size : dtype.string
}

/** Elements of an array of this shape (1 for a scalar). */
export const elements = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

const bad = (path: string, message: string): CodedError => new CodedError('STRUCTURE_INVALID', `${path}: ${message}`)

/** Throws STRUCTURE_INVALID for a type or shape that no dataset can have. */
export function checkType(path: string, dtype: DataType, shape: readonly number[]): void {
  if (typeof dtype === 'string' && dtype !== 'string' && !(dtype in numberTypes))
    throw bad(path, `unknown data type '${String(dtype)}'`)
  if (typeof dtype !== 'string' && !(Number.isInteger(dtype.string) && dtype.string > 0 && dtype.string < 1 << 24))
    throw bad(path, `a fixed string has 1 to 16777215 bytes, not ${String(dtype.string)}`)
  if (shape.length > 31) throw bad(path, `${shape.length} dimensions are too many, at most 31`)
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0))
    throw bad(path, `shape [${shape.join(', ')}] is not sound`)
}

const integerLimits = (type: NumberInfo): [bigint, bigint] => {
  const bits = BigInt(8 * type.size)
  return type.signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n]
}

function putNumber(out: Buffer, at: number, type: NumberInfo, value: number | bigint, fail: () => CodedError): void {
  if (type.float) {
    if (type.size === 4) out.writeFloatLE(Number(value), at)
    else out.writeDoubleLE(Number(value), at)
    return
  }
  if (typeof value === 'number' && !Number.isInteger(value)) throw fail()
  const exact = BigInt(value)
  const [least, most] = integerLimits(type)
  if (exact < least || exact > most) throw fail()
  if (type.size === 8) out.writeBigUInt64LE(BigInt.asUintN(64, exact), at)
  else if (type.signed) out.writeIntLE(Number(exact), at, type.size)
  else out.writeUIntLE(Number(exact), at, type.size)
}

/** Cuts UTF-8 at a character boundary, so that at most `size` bytes remain. */
export function cutText(text: string, size: number): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length <= size) return bytes
  let end = size
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}

/** Nothing after a NUL can be read back from a C string. */
const cString = (text: string): string => {
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

function encodeView(view: ArrayBufferView, dtype: VectorType): Buffer | readonly (number | bigint)[] {
  const raw = Buffer.from(view.buffer, view.byteOffset, view.byteLength)
  const own = arrayTypes[view.constructor.name]
  // Uint8Array, Buffer and DataView hold raw little-endian elements: messages are passed on as they are
  if (own === undefined || own === dtype) return raw
  return Array.from(view as unknown as ArrayLike<number | bigint>)
}

const listOf = (value: DatasetValue): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [value])

/**
 * The bytes of a value of a data type.
 * @param shape - default: [] for a scalar, [n] for a list
 * @throws CodedError STRUCTURE_INVALID when value, type and shape do not fit together
 */
export function encode(path: string, value: DatasetValue, dtype: DataType, shape?: readonly number[]): Encoded {
  const single = !Array.isArray(value) && !ArrayBuffer.isView(value)
  checkType(path, dtype, shape ?? [])
  const size = elementSize(dtype)
  let count: number
  let encoded: { texts: string[] } | { bytes: Buffer }
  if (ArrayBuffer.isView(value)) {
    const content =
      typeof dtype === 'string' && dtype !== 'string'
        ? encodeView(value, dtype)
        : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    if (dtype === 'string') throw bad(path, 'bytes cannot be stored as variable-length strings')
    if (!Buffer.isBuffer(content)) return encode(path, content as readonly number[], dtype, shape ?? [content.length])
    if (content.length % size !== 0) throw bad(path, `${content.length} bytes are not whole elements of ${size}`)
    count = content.length / size
    encoded = { bytes: content }
  } else {
    const list = listOf(value)
    count = list.length
    encoded =
      typeof dtype === 'string' && dtype !== 'string'
        ? { bytes: encodeNumbers(path, list, dtype) }
        : encodeTexts(path, list, dtype)
  }
  const dims = shape ?? (single ? [] : [count])
  if (elements(dims) !== count) throw bad(path, `${count} values do not fill shape [${dims.join(', ')}]`)
  return { dtype, shape: dims, ...encoded } as Encoded
}

function encodeNumbers(path: string, list: readonly unknown[], dtype: VectorType): Buffer {
  const type = numberTypes[dtype]
  const bytes = Buffer.alloc(list.length * type.size)
  list.forEach((item, i) => {
    const fail = (): CodedError =>
      bad(
        path,
        `value ${JSON.stringify(item, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v)) ?? String(item)} cannot be stored as ${dtype}`
      )
    const number = typeof item === 'boolean' ? Number(item) : item
    if (typeof number !== 'number' && typeof number !== 'bigint') throw fail()
    putNumber(bytes, i * type.size, type, number, fail)
  })
  return bytes
}

function encodeTexts(
  path: string,
  list: readonly unknown[],
  dtype: 'string' | { readonly string: number }
): { texts: string[] } | { bytes: Buffer } {
  const texts = list.map((item) => {
    if (typeof item !== 'string') throw bad(path, `a ${typeof item} cannot be stored as a string`)
    return cString(item)
  })
  if (dtype === 'string') return { texts }
  const bytes = Buffer.alloc(texts.length * dtype.string)
  texts.forEach((text, i) => bytes.set(cutText(text, dtype.string), i * dtype.string))
  return { bytes }
}

/** The type of a value that names none: string, bool → int8, whole numbers → int64, others → float64. */
export function guessType(value: AttributeValue): DataType {
  const list = listOf(value)
  if (list.some((item) => typeof item === 'string')) return 'string'
  if (list.length > 0 && list.every((item) => typeof item === 'boolean')) return 'int8'
  if (list.some((item) => typeof item === 'bigint' && item > 0x7fffffffffffffffn)) return 'uint64'
  return list.every((item) => typeof item === 'bigint' || Number.isSafeInteger(item)) ? 'int64' : 'float64'
}
