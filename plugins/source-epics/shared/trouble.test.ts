import assert from 'node:assert/strict'
import { Trouble } from './trouble.js'

describe('trouble', () => {
  it('asks a server whose connections keep breaking ever more slowly, and a good one at once', () => {
    const trouble = new Trouble()
    const break1 = (times: number): void => {
      for (let i = 0; i < times; i++) trouble.ended('a', 1000, 2000)
    }
    break1(1)
    assert.ok(trouble.delayMs('a', 30_000) <= 100)
    break1(5)
    const later = trouble.delayMs('a', 30_000)
    assert.ok(later >= 0.75 * 8000 && later <= 1.25 * 8000, String(later))
    break1(20)
    assert.ok(trouble.delayMs('a', 30_000) <= 1.25 * 30_000)
    assert.ok(trouble.delayMs('b', 30_000) <= 100)
    trouble.ended('a', 1000, 20_000)
    assert.ok(trouble.delayMs('a', 30_000) <= 100)
    trouble.ended('c', 0, 1e6)
    trouble.ended('c', 0, 1e6)
    assert.ok(trouble.delayMs('c', 30_000) > 100)
  })
})
