import assert from 'node:assert/strict'
import { Lag } from './lag.js'

describe('lag of a partition', () => {
  it('is 0 for who has all, and grows while nothing is read', () => {
    const lag = new Lag()
    assert.equal(lag.at(1000), 0)
    lag.note(10, 10, 1000)
    assert.equal(lag.at(2000), 0)
    lag.note(10, 12, 2000)
    assert.equal(lag.at(5000), 3000)
    lag.note(12, 12, 6000)
    assert.equal(lag.at(6000), 0)
  })

  it('comes to the true lag of a reader that keeps its distance, and does not fall to 0 meanwhile', () => {
    const lag = new Lag()
    // 10 messages a second, read 5 s later
    for (let s = 5; s <= 60; s++) {
      lag.note(10 * (s - 5), 10 * s, 1000 * s)
      if (s > 15) assert.equal(lag.at(1000 * s), 5000)
    }
  })
})
