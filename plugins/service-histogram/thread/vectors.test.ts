// Counts that become doubles in the message itself.
import assert from 'node:assert/strict'
import { encodeMessage, type Vector } from '../../../schemas/index.js'
import { asDoubles, doubles } from './vectors.js'

describe('vectors of histograms', () => {
  it('are the same in a message whether made before or in it', () => {
    const counts = Uint32Array.from({ length: 1001 }, (_, i) => i * 4_000_000)
    const message = (data: Vector): Buffer =>
      encodeMessage('hs00', {
        ...{ source: 'a', timestamp: 1n, current_shape: [counts.length], info: 'odd' },
        ...{ dim_metadata: [], data: { type: 'ArrayDouble', value: { value: data } } }
      })
    const made = Float64Array.from(counts)
    assert.deepEqual(message(asDoubles(counts)), message(doubles(made)))
    assert.deepEqual(asDoubles(counts).bytes, doubles(made).bytes)
  })
})
