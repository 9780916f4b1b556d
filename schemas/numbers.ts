// The number types of messages and files: widths, ranges, arrays.
import { type VectorType } from './records.js'

/** Bytes per element of a number type, and of bool. */
export const scalarSize = {
  bool: 1, int8: 1, uint8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, int64: 8, uint64: 8, float32: 4, float64: 8
} as const // prettier-ignore

/** Bytes per element. */
export const widthOf = (dtype: VectorType): number => scalarSize[dtype]

/** Least and greatest number of the integers of up to 32 bits; undefined for all other types. */
export const integerRanges: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127], int16: [-32768, 32767], int32: [-2147483648, 2147483647],
  uint8: [0, 255], uint16: [0, 65535], uint32: [0, 4294967295]
} // prettier-ignore

/** The same of the integers of 64 bits. */
export const longRanges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n]
}

/** The array of each number type. */
export const typedArrays = {
  int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array,
  uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array,
  float32: Float32Array, float64: Float64Array
} as const // prettier-ignore
