import assert from 'node:assert/strict'
import { LARGE_BYTES, Spares } from './spares.js'

const memoryOf = (bytes: Uint8Array): ArrayBufferLike => bytes.buffer

describe('spares', () => {
  it('use memory again for what is as large or a little larger or smaller', () => {
    const spares = new Spares(10e6)
    const first = spares.take(1e6)
    spares.give(first)
    const larger = spares.take(1.05e6)
    assert.equal(larger.length, 1.05e6)
    assert.equal(memoryOf(larger), memoryOf(first))
    spares.give(larger)
    assert.equal(memoryOf(spares.take(0.8e6)), memoryOf(first))
  })

  it('do not tie much memory to little', () => {
    const spares = new Spares(10e6)
    const large = spares.take(1e6)
    spares.give(large)
    assert.notEqual(memoryOf(spares.take(500_000)), memoryOf(large))
    const small = spares.take(LARGE_BYTES - 1)
    assert.equal(memoryOf(small).byteLength, small.length)
    spares.give(small)
    assert.notEqual(memoryOf(spares.take(small.length)), memoryOf(small))
  })

  it('hand the same memory out once', () => {
    const spares = new Spares(10e6)
    const one = spares.take(1e6)
    spares.give(one)
    spares.give(one)
    assert.notEqual(memoryOf(spares.take(1e6)), memoryOf(spares.take(1e6)))
  })

  it('keep no more than they may, the newest', () => {
    const spares = new Spares(2.5e6)
    const taken = [1, 2, 3].map(() => spares.take(1e6))
    for (const bytes of taken) spares.give(bytes)
    const again = [1, 2, 3].map(() => memoryOf(spares.take(1e6)))
    assert.deepEqual(
      taken.map((bytes) => again.includes(memoryOf(bytes))),
      [false, true, true]
    )
  })
})
