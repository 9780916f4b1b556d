import assert from 'node:assert/strict'
import { type EventRecord, type Vector } from '../../schemas/index.js'
import { FrameAggregate, type WholeFrame } from './aggregate.js'

const vector = (dtype: 'int32' | 'int64', values: readonly number[]): Vector => {
  const array = dtype === 'int32' ? Int32Array.from(values) : BigInt64Array.from(values.map(BigInt))
  return { dtype, length: values.length, bytes: new Uint8Array(array.buffer) }
}
const events = (time: number, tof: readonly number[], ids = tof): EventRecord => ({
  source: 's',
  messageId: 1n,
  referenceTime: vector('int64', [time]),
  referenceTimeIndex: vector('int32', [0]),
  timeOfFlight: vector('int32', tof),
  pixelId: vector('int32', ids)
})
const pulse = (time: number, vetos = 0, period: number | null = 0, protonCharge: number | null = 1) => ({ source: 's', messageId: 1n, timestampNs: BigInt(time), vetos, period, protonCharge }) // prettier-ignore

function setUp(more: object = {}): { aggregate: FrameAggregate; frames: WholeFrame[] } {
  const frames: WholeFrame[] = []
  const take = (frame: WholeFrame): void => void frames.push(frame)
  return { aggregate: new FrameAggregate({ toleranceNs: 10n, waitMs: 500, mostFrames: 3, mostEvents: 4, take, ...more }), frames } // prettier-ignore
}
const shown = ({ timeNs, vetoes, period, charge, events: parts }: WholeFrame): unknown => [Number(timeNs), vetoes, period, charge, parts.map(({ tof, ids }) => [[...tof], [...ids]])] // prettier-ignore

describe('frames put together', () => {
  it('of two boards and their pulses: vetoes joined, sorted, in messages that are not too large, after their time', () => {
    const { aggregate, frames } = setUp()
    aggregate.events(events(1005, [30, 10, 20], [1, 2, 3]), 0)
    aggregate.pulse(pulse(1000, 1, null, null), 100)
    aggregate.events(events(990, [5, 15, 10], [4, 5, 6]), 200)
    aggregate.pulse(pulse(1000, 6, 2, 0.5), 300)
    aggregate.tick(499)
    assert.equal(frames.length, 0)
    aggregate.tick(500)
    assert.deepEqual(frames.map(shown), [[1000, 7, 2, 0.5, [[[5, 10, 20, 30], [4, 2, 3, 1]], [[10, 15], [6, 5]]]]]) // prettier-ignore
    assert.deepEqual([aggregate.eventsIn, aggregate.eventsOut, aggregate.frames, aggregate.waiting], [6, 6, 1, 0])
  })

  it('frames without period or charge are dropped with their events, what is late too; all are counted', () => {
    const { aggregate, frames } = setUp()
    aggregate.events(events(1000, [1, 2]), 0)
    aggregate.pulse(pulse(2000, 0, 0, null), 0)
    aggregate.pulse(pulse(3000), 0)
    aggregate.tick(500)
    aggregate.events(events(3010, [1]), 501)
    aggregate.pulse(pulse(2995), 501)
    aggregate.events(events(3011, [1]), 501)
    assert.deepEqual(frames.map(({ timeNs }) => timeNs), [3000n]) // prettier-ignore
    assert.deepEqual([aggregate.droppedFrames, aggregate.droppedEvents, aggregate.lateEvents, aggregate.latePulses, aggregate.waiting], [2, 2, 1, 1, 1]) // prettier-ignore
  })

  it('more than may wait: the first goes at once; what had gone before a restart stays gone', () => {
    const { aggregate, frames } = setUp()
    aggregate.resumeAfter([1500n])
    for (const time of [1000, 2000, 3000, 4000, 5000]) aggregate.pulse(pulse(time), 0)
    assert.deepEqual(frames.map(({ timeNs }) => timeNs), [2000n]) // prettier-ignore
    assert.deepEqual([aggregate.waiting, aggregate.latePulses], [3, 0])
  })

  it('after a restart frames between those that had gone are taken, as frames go in no order', () => {
    const { aggregate, frames } = setUp()
    aggregate.resumeAfter([2000n, 4000n, 1000n])
    for (const time of [500, 1000, 2005, 3000, 4000, 5000]) aggregate.pulse(pulse(time), 0)
    aggregate.tick(500)
    assert.deepEqual(frames.map(({ timeNs }) => timeNs), [3000n, 5000n]) // prettier-ignore
    // What is read again is no loss; what is far older is late
    assert.equal(aggregate.latePulses, 0)
    aggregate.pulse(pulse(-70e9), 501)
    assert.equal(aggregate.latePulses, 1)
  })

  it('events before the first pulse of their message are counted', () => {
    const { aggregate } = setUp()
    aggregate.events({ ...events(1000, [1, 2, 3]), referenceTimeIndex: vector('int32', [2]) }, 0)
    aggregate.events({ ...events(2000, [1, 2, 3]), referenceTimeIndex: vector('int32', [-1]) }, 0)
    assert.deepEqual([aggregate.eventsIn, aggregate.eventsBefore, aggregate.waiting], [6, 5, 2])
  })

  it('events in are events out or counted, in any order, with late and lost ones', () => {
    const { aggregate, frames } = setUp({ mostFrames: 50, mostEvents: 1000 })
    for (let frame = 1; frame <= 2000; frame++) {
      const now = 20 * frame
      // Boards are up to half a second apart, one in ten is later than that
      for (const board of [0, 7, (frame % 10 === 0 ? 60 : 20)]) if (frame > board) aggregate.events(events(1000 * (frame - board) + board % 3, [board, 1, 2]), now) // prettier-ignore
      if (frame % 50 !== 0) aggregate.pulse(pulse(1000 * frame), now)
      aggregate.tick(now)
    }
    aggregate.tick(Infinity)
    const out = frames.reduce((sum, { events: parts }) => sum + parts.reduce((n, { tof }) => n + tof.length, 0), 0)
    assert.equal(out, aggregate.eventsOut)
    assert.equal(aggregate.eventsIn, aggregate.eventsOut + aggregate.droppedEvents + aggregate.lateEvents)
    assert.ok(aggregate.lateEvents > 100 && aggregate.droppedFrames >= 40 && aggregate.frames > 1900)
  })
})
