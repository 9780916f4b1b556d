// Large buffers go at once, small ones are left to the collector.
import assert from 'node:assert/strict'
import { discard } from './discard.js'

describe('buffers that are discarded', () => {
  it('have no memory any more, when they are large', () => {
    const [large, small] = [new ArrayBuffer(1 << 24), new ArrayBuffer(1 << 10)]
    discard(large)
    discard(small)
    assert.deepEqual([large.byteLength, small.byteLength], [0, 1 << 10])
  })
})
