// Typed arrays and texts as messages hold them.
import { type Vector, type VectorType } from '../../../schemas/index.js'
import { type DataArrayVariable } from '../../../schemas/index.js'

export const vector = (dtype: VectorType, array: ArrayBufferView & { readonly length: number }): Vector => ({
  dtype,
  length: array.length,
  bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
})

export const doubles = (array: Float64Array): Vector => vector('float64', array)

/** Counts as doubles, which are made in the message itself. */
export function asDoubles(counts: Uint32Array): Vector {
  const { length } = counts
  return {
    dtype: 'float64',
    length,
    get bytes() {
      return doubles(Float64Array.from(counts)).bytes
    },
    writeTo: ({ buffer, byteOffset }) => new Float64Array(buffer, byteOffset, length).set(counts)
  }
}

export function textVariable(name: string, text: string): DataArrayVariable {
  const bytes = Buffer.from(text)
  const data: Vector = { dtype: 'uint8', length: bytes.length, bytes }
  return { name, unit: null, label: null, source: null, axes: [], shape: [bytes.length], data, isText: true }
}
