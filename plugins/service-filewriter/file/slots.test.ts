import assert from 'node:assert/strict'
import { Slots } from './slots.js'

describe('places of partly filled chunks', () => {
  it('are left alone for ten seconds after the file has shown another, then used again', () => {
    let now = 0
    let end = 0
    const slots = new Slots(() => now)
    const allocate = (bytes: number): number => (end += bytes) - bytes
    const seen: number[] = []
    const next = (): number => {
      const { address } = slots.take(100, allocate)
      slots.published()
      seen.push(address)
      return address
    }
    const first = next()
    for (now = 1000; now <= 10_000; now += 1000) next()
    assert.equal(new Set(seen).size, 11)
    // The first was replaced at 1 s
    now = 11_000
    assert.equal(next(), first)
  })

  it('are used again at once when the file never showed them', () => {
    const slots = new Slots(() => 0)
    let end = 0
    const allocate = (bytes: number): number => (end += bytes) - bytes
    const { address } = slots.take(100, allocate)
    assert.equal(slots.take(120, allocate).address, address)
    assert.notEqual(slots.take(1000, allocate).address, address)
  })
})
