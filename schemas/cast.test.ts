import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cast, numbersIn, typeNames, typeOf } from './cast.js'
import { element } from './reader.js'
import { type Vector, type VectorType } from './records.js'

const types: readonly VectorType[] = ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float32', 'float64'] // prettier-ignore
const doubles = (...values: number[]): Vector => ({
  dtype: 'float64',
  length: values.length,
  bytes: new Uint8Array(Float64Array.from(values).buffer)
})
const values = (vector: Vector): (number | bigint)[] =>
  Array.from({ length: vector.length }, (_, i) => element(vector, i))
const to = (dtype: VectorType, vector: Vector) => {
  const { bytes, changed } = cast(vector, dtype)
  return [...values({ dtype, length: vector.length, bytes }), `changed ${changed}`]
}

describe('cast', () => {
  it('keeps what fits, cuts fractions, stops at the ends of the range and says how many', () => {
    assert.deepEqual(to('int8', doubles(1, -128, 127.5, 300, -300)), [1, -128, 127, 127, -128, 'changed 3'])
    assert.deepEqual(to('uint64', doubles(1, -1, 1e30, Infinity)), [
      1n,
      0n,
      2n ** 64n - 1n,
      2n ** 64n - 1n,
      'changed 3'
    ])
    assert.deepEqual(to('int64', doubles(-Infinity, -2.5)), [-(2n ** 63n), -2n, 'changed 2'])
    assert.deepEqual(to('float32', doubles(0.5, NaN, Infinity)), [0.5, NaN, Infinity, 'changed 0'])
    assert.deepEqual(to('float32', doubles(0.1, 1e300, 1e-300, 0)).slice(1), [Infinity, 0, 0, 'changed 2'])
    assert.equal(cast(doubles(1, 1e300, -1e300), 'float32').first, 1e300)
    assert.equal(cast(doubles(1, 1.5), 'int32').first, 1.5)
  })

  it('refuses NaN as an integer', () => {
    assert.throws(() => cast(doubles(NaN), 'int32'), { reason: 'not_a_number' })
    assert.throws(() => cast(doubles(NaN), 'uint64'), { reason: 'not_a_number' })
  })

  it('gives back every vector whose type can hold it, wherever its bytes lie', () => {
    const type = fc.constantFrom(...types)
    fc.assert(
      fc.property(type, type, fc.array(fc.integer({ min: 0, max: 127 })), fc.nat(7), (from, into, numbers, shift) => {
        const { bytes } = cast(doubles(...numbers), from)
        const memory = new Uint8Array(bytes.length + shift)
        memory.set(bytes, shift)
        const vector = { dtype: from, length: numbers.length, bytes: memory.subarray(shift) }
        assert.deepEqual([...numbersIn(vector)].map(Number), numbers)
        const there = cast(vector, into)
        assert.equal(there.changed, 0)
        assert.deepEqual(
          cast({ dtype: into, length: numbers.length, bytes: there.bytes }, from).bytes,
          memory.subarray(shift)
        )
      })
    )
  })

  it('knows the names that structures use', () => {
    for (const name of typeNames) assert.ok(types.includes(typeOf(name)), name)
    assert.equal(typeOf('double'), 'float64')
    assert.equal(typeOf('uint32_t'), 'uint32')
  })
})
