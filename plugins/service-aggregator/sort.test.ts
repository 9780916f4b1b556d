import assert from 'node:assert/strict'
import { random } from '../../test/support/random.js'
import { sortByTime } from './sort.js'

describe('events sorted by time', () => {
  it('of any length and range, also negative ones: as a comparison sorts them, equals in their order', () => {
    const pick = random(11)
    for (const [n, range, low] of [
      [0, 1, 0],
      [1, 1, 0],
      [40, 10, -5],
      [49, 7, 0],
      [500, 3, -1],
      [5000, 2 ** 24, 0],
      [3000, 2 ** 32, -(2 ** 31)]
    ] as const) {
      // prettier-ignore
      const events = Array.from({ length: n }, (_, id) => [low + Math.floor((pick(2 ** 16) * 2 ** 16 + pick(2 ** 16)) % range), id] as const) // prettier-ignore
      const [tof, ids] = [Int32Array.from(events, ([time]) => time), Int32Array.from(events, ([, id]) => id)]
      sortByTime({ tof, ids })
      const expected = events.toSorted(([a, i], [b, k]) => a - b || i - k)
      assert.deepEqual([...tof], expected.map(([time]) => time)) // prettier-ignore
      assert.deepEqual([...ids], expected.map(([, id]) => id)) // prettier-ignore
    }
  })
})
