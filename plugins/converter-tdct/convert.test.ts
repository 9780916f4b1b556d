import assert from 'node:assert/strict'
import { type Vector } from '../../schemas/index.js'
import { array, doubles, field, longs, reason, records } from '../../test/support/converters.js'

describe('converter-tdct: what it makes of updates', () => {
  it('tdct takes offsets, times, or pairs of seconds and ns', async () => {
    const times = (list: readonly Record<string, unknown>[]): bigint[] => {
      const { bytes } = field(list, 'timestamps') as Vector
      return [...new BigUint64Array(Uint8Array.from(bytes).buffer)]
    }
    const offsets = await records('tdct')
    assert.deepEqual(times(offsets(array(doubles(-10, 0.6)))), [1_700_000_000_123_456_779n, 1_700_000_000_123_456_790n])
    assert.deepEqual(times(offsets({ value: 5, dtype: 'int32' })), [1_700_000_000_123_456_794n])
    assert.equal(field(offsets(array(doubles(1))), 'sequence'), 2n)
    assert.equal(field(offsets({ ...array(doubles(1)), source: 'B' }), 'sequence'), 0n)
    assert.deepEqual(offsets(array(doubles())), [])
    const absolute = await records('tdct', { values: 'absolute_ns' })
    assert.deepEqual(times(absolute(array(longs(7n, 8n)))), [7n, 8n])
    const pairs = await records('tdct', { values: 'seconds_and_ns' })
    assert.deepEqual(times(pairs(array(longs(2n, 5n)))), [2_000_000_005n])
    assert.throws(() => pairs(array(longs(2n))), reason('length_mismatch'))
    for (const value of [0n, -1n]) assert.throws(() => absolute(array(longs(value))), reason('out_of_range'))
    assert.throws(() => offsets(array(longs(2n ** 63n - 1n))), reason('out_of_range'))
    assert.throws(() => offsets(array(doubles(NaN))), reason('out_of_range'))
    assert.throws(() => offsets({ dtype: 'enum', value: 1 }), reason('unsupported_type'))
    assert.throws(() => offsets({ dtype: 'string', value: 'a' }), reason('unsupported_type'))
  })
})
