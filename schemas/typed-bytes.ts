// Byte vectors whose element type stands beside them: NDAr, ADAr, ad00, da00.
import { BadMessage } from '../core/api/errors.js'
import { widthOf } from './numbers.js'
import { element, numbersOf, textOf } from './reader.js'
import { type Vector, type VectorType } from './records.js'

// prettier-ignore
const order: readonly VectorType[] = [
  'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float32', 'float64'
]

/** Number of a type in the area detector schemas; da00 counts from 1. */
export const typeNumber = (dtype: VectorType, isText: boolean): number => (isText ? 10 : order.indexOf(dtype))

/** Bytes as a vector of type number `type` (10: text). Throws BadMessage `unknown_type` or `length_mismatch`. */
export function typed(bytes: Vector, type: number): { data: Vector; isText: boolean } {
  if (type === 10) return { data: bytes, isText: true }
  const dtype = order[type]
  if (dtype === undefined) throw new BadMessage('unknown_type', `no element type has the number ${type}`)
  const length = bytes.length / widthOf(dtype)
  if (!Number.isInteger(length))
    throw new BadMessage('length_mismatch', `${bytes.length} bytes are no whole number of ${dtype}`)
  return { data: { dtype, length, bytes: bytes.bytes }, isText: false }
}

/** A shape of at most 32 dimensions, as HDF5 allows. Throws BadMessage `out_of_range`. */
export function shapeOf(vector: Vector): number[] {
  if (vector.length > 32) throw new BadMessage('out_of_range', `${vector.length} dimensions are more than 32`)
  const shape = numbersOf(vector)
  if (shape.some((n) => n < 0)) throw new BadMessage('out_of_range', 'a dimension is negative')
  return shape
}

/** Throws BadMessage `length_mismatch` unless the shape holds exactly that many elements. */
export function checkShape(shape: readonly number[], length: number): void {
  if (shape.reduce((product, n) => product * n, 1) !== length)
    throw new BadMessage('length_mismatch', `${length} elements do not fill a shape of ${shape.join(' × ')}`)
}

/** What typed bytes say: text without the closing zeros, one number, or a vector. */
export function meaning(bytes: Vector, type: number): number | bigint | string | Vector {
  const { data, isText } = typed(bytes, type)
  if (isText) return textOf(data.bytes, 0, data.bytes.length).replace(/\0+$/, '')
  return data.length === 1 ? element(data, 0) : data
}

/** The inverse of `meaning`: numbers become float64 or int32, bigints int64. */
export function spell(value: number | bigint | string | Vector | null): { type: number; bytes: Uint8Array } {
  if (value === null) return { type: 10, bytes: new Uint8Array(0) }
  if (typeof value === 'string') return { type: 10, bytes: Buffer.from(value) }
  if (typeof value === 'object') return { type: typeNumber(value.dtype, false), bytes: value.bytes }
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  if (typeof value === 'bigint') {
    view.setBigInt64(0, value, true)
    return { type: value > 0x7fff_ffff_ffff_ffffn ? 7 : 6, bytes }
  }
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) {
    view.setInt32(0, value, true)
    return { type: 4, bytes: bytes.subarray(0, 4) }
  }
  view.setFloat64(0, value, true)
  return { type: 9, bytes }
}
