// Typed arrays as messages take them.
import { type Vector, type VectorType } from '../../schemas/index.js'

export const vectorOf = (dtype: VectorType, array: Uint16Array | Uint32Array | BigUint64Array): Vector => ({
  dtype,
  length: array.length,
  bytes: new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength)
})
