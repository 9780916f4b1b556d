// What is found missing, of any times in any order.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compare, MessageTimes } from './gaps.js'

const timesOf = (list: readonly (readonly [timeNs: number, events: number])[]): MessageTimes => {
  const times = new MessageTimes()
  for (const [time, events] of list) times.add(BigInt(time), events)
  return times
}

describe('gaps', () => {
  it('are runs of what is missing, with their events', () => {
    const kafka = timesOf([[1, 9], [2, 1], [3, 1], [4, 1], [5, 2], [6, 3], [6, 4], [20, 7]]) // prettier-ignore
    const file = timesOf([[1, 0], [2, 0], [4, 0], [6, 0], [7, 0]]) // prettier-ignore
    assert.deepEqual(compare(kafka, file, 2n, 10n), {
      inFile: 4, inKafka: 6, missing: 3, missingEvents: 1 + 2 + 4, onlyInFile: 1,
      gaps: [{ fromNs: 3n, toNs: 3n, count: 1 }, { fromNs: 5n, toNs: 5n, count: 1 }, { fromNs: 6n, toNs: 6n, count: 1 }]
    }) // prettier-ignore
  })

  it('are as many as were taken away, wherever', () => {
    const one = fc.record({ time: fc.nat(5000), events: fc.nat(9), isThere: fc.boolean() })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 3000 }), (all) => {
        const there = all.filter(({ isThere }) => isThere)
        const kafka = timesOf(all.map(({ time, events }) => [time, events]))
        const found = compare(kafka, timesOf(there.map(({ time }) => [time, 0])), 0n, 5000n)
        assert.equal(found.missing, all.length - there.length)
        assert.equal(found.gaps.reduce((sum, { count }) => sum + count, 0), found.missing) // prettier-ignore
        assert.deepEqual([found.inKafka, found.inFile, found.onlyInFile], [all.length, there.length, 0])
      })
    )
  })
})
