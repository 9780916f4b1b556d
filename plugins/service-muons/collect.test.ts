// Frames of muons: events in are events out, or counted.
import assert from 'node:assert/strict'
import { type MuonEvents, numbersIn } from '../../schemas/index.js'
import { MuonCollector } from './collect.js'

const events = (frameNumber: number, digitiser: number, times: readonly number[], vetoes = 0): MuonEvents => ({
  frame: { timestampNs: BigInt(frameNumber) * 20_000_000n, period: 0n, protonsPerPulse: 1, running: true, frameNumber, vetoes }, // prettier-ignore
  time: { dtype: 'uint32', length: times.length, bytes: new Uint8Array(Uint32Array.from(times).buffer) },
  voltage: { dtype: 'uint16', length: times.length, bytes: new Uint8Array(Uint16Array.from(times).buffer) },
  channel: { dtype: 'uint32', length: times.length, bytes: new Uint8Array(Uint32Array.from(times, () => digitiser).buffer) }, // prettier-ignore
  digitisers: Uint8Array.of(digitiser),
  complete: null
})

function setUp(more: object = {}): { collector: MuonCollector; frames: MuonEvents[] } {
  const frames: MuonEvents[] = []
  const take = (frame: MuonEvents): void => void frames.push(frame)
  return { collector: new MuonCollector({ digitisers: [0, 1], waitMs: 500, mostFrames: 10, take, ...more }), frames }
}
const shown = ({ frame, time, channel, digitisers, complete }: MuonEvents): unknown => [frame.frameNumber, frame.vetoes, [...numbersIn(time)], [...numbersIn(channel)], [...digitisers], complete] // prettier-ignore

describe('frames of muons', () => {
  it('go when all digitisers have come, in order; vetoes are joined; one without some goes in the end, marked', () => {
    const { collector, frames } = setUp()
    collector.add(events(1, 1, [5], 2), 0)
    collector.add(events(2, 0, [7], 1), 10)
    collector.add(events(2, 1, [8], 4), 20)
    // It waits for the one before it
    assert.equal(frames.length, 0)
    collector.add(events(3, 1, []), 30)
    collector.tick(499)
    assert.equal(frames.length, 0)
    collector.tick(500)
    assert.deepEqual(frames.map(shown), [[1, 2, [5], [1], [1], false], [2, 5, [7, 8], [0, 1], [0, 1], true]]) // prettier-ignore
    collector.add(events(3, 0, [9]), 510)
    assert.deepEqual(shown(frames[2]!), [3, 0, [9], [0], [0, 1], true])
    assert.deepEqual([collector.frames, collector.incomplete, collector.waiting], [3, 1, 0])
  })

  it('what comes late, twice, or of another digitiser is counted; what went before a restart is no news', () => {
    const { collector, frames } = setUp()
    collector.hasGone(events(9, 0, []).frame)
    collector.add(events(9, 0, [1, 2]), 0)
    collector.add(events(1, 0, [1]), 0)
    collector.add(events(1, 0, [1, 1]), 0)
    collector.add(events(1, 7, [1, 1, 1]), 0)
    collector.add(events(1, 1, [1]), 0)
    collector.add(events(1, 1, [1, 1, 1, 1]), 0)
    assert.equal(frames.length, 1)
    const { eventsIn, eventsOut, late, repeated, otherDigitiser } = collector
    assert.deepEqual([eventsIn, eventsOut, late, repeated, otherDigitiser], [11, 2, 4, 2, 3])
  })

  it('events in are events out or counted, also with more frames than may wait', () => {
    const { collector, frames } = setUp({ digitisers: [0, 1, 2], mostFrames: 5 })
    for (let n = 0; n < 3000; n++) {
      for (const digitiser of [0, 1, 2]) if ((n + digitiser) % 7 !== 0) collector.add(events(n - 3 * digitiser, digitiser, [n, n]), 20 * n) // prettier-ignore
      collector.tick(20 * n)
    }
    collector.tick(Infinity)
    const out = frames.reduce((sum, { time }) => sum + time.length, 0)
    assert.equal(out, collector.eventsOut)
    assert.equal(collector.eventsIn, collector.eventsOut + collector.late)
    assert.ok(collector.incomplete > 500 && collector.frames > 2900)
  })
})
