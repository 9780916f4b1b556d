import assert from 'node:assert/strict'
import { type Batch } from '../../core/api/plugin.js'
import { PacedPartitions } from './paced.js'

/** Messages are their times. */
const batch = (partition: number, times: readonly number[], nextOffset: number, highWatermark: number): Batch =>
  ({ partition, count: times.length, nextOffset, highWatermark, timestampMs: (i: number) => times[i], value: (i: number) => Buffer.from(`${partition}:${times[i]}`) }) as unknown as Batch // prettier-ignore

function setUp(mostBytes = 1 << 20) {
  const taken: string[] = []
  const said: string[] = []
  const paced = new PacedPartitions({
    mostBytes,
    pause: (partition) => void said.push(`pause ${partition}`),
    resume: (partition) => void said.push(`resume ${partition}`),
    take: (value) => void taken.push(String(value))
  })
  return { paced, taken, said }
}

describe('paced partitions', () => {
  it('what is ahead waits for what is behind; then the earliest comes first', () => {
    const { paced, taken } = setUp()
    paced.begin(0, 0, 3)
    paced.begin(1, 0, 3)
    paced.push(batch(0, [10, 20, 30], 3, 3))
    assert.deepEqual([taken, paced.isHeld], [[], true])
    paced.push(batch(1, [15, 25], 2, 3))
    // Of 1 the third is not known yet
    assert.deepEqual([taken, paced.isHeld], [['0:10', '1:15', '0:20', '1:25'], true])
    paced.push(batch(1, [26], 3, 3))
    assert.deepEqual([taken.slice(4), paced.isHeld], [['1:26', '0:30'], false])
  })

  it('with none behind all goes on at once; who turns out to be behind is waited for', () => {
    const { paced, taken } = setUp()
    paced.begin(0, 0, 0)
    paced.begin(1, 0, 0)
    paced.push(batch(0, [20], 1, 1))
    paced.push(batch(1, [10], 1, 1))
    assert.deepEqual(taken, ['0:20', '1:10'])
    paced.know(new Map([[1, 2]])) // prettier-ignore
    paced.push(batch(0, [30], 2, 2))
    assert.equal(taken.length, 2)
    // It has no messages: marks of a transaction
    paced.push(batch(1, [], 2, 2))
    assert.deepEqual(taken.slice(2), ['0:30'])
  })

  it('of one that is far ahead no more is read meanwhile, and who does not come is not waited for for ever', () => {
    const { paced, taken, said } = setUp(250)
    paced.begin(0, 0, 9)
    paced.begin(1, 0, 9)
    paced.push(batch(0, [10, 20, 30], 3, 9))
    assert.deepEqual(said, ['pause 0'])
    paced.giveUp()
    assert.deepEqual([taken, said], [['0:10', '0:20', '0:30'], ['pause 0', 'resume 0']]) // prettier-ignore
  })
})
