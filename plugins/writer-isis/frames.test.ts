import assert from 'node:assert/strict'
import { type EventRecord, type Vector } from '../../schemas/index.js'
import { type IsisFrame, FrameGatherer } from './frames.js'
import { RunPeriods } from './run-state.js'

const vector = (dtype: 'int32' | 'int64', values: readonly number[]): Vector => {
  const array = dtype === 'int32' ? Int32Array.from(values) : BigInt64Array.from(values.map(BigInt))
  return { dtype, length: values.length, bytes: new Uint8Array(array.buffer) }
}
const events = (times: readonly number[], index: readonly number[], n: number, more: object = {}): EventRecord => ({
  source: 's',
  messageId: 1n,
  referenceTime: vector('int64', times),
  referenceTimeIndex: vector('int32', index),
  timeOfFlight: vector('int32', Array.from({ length: n }, (_, i) => 1000 * i)), // prettier-ignore
  pixelId: vector('int32', Array.from({ length: n }, (_, i) => i)), // prettier-ignore
  ...more
})
const pulse = (time: number, period = 0) => ({ source: 's', messageId: 1n, timestampNs: BigInt(time), vetos: 0, period, protonCharge: 1 }) // prettier-ignore

describe('frames of ISIS', () => {
  it('are whole, in the order of time, whatever the order of their messages', () => {
    const frames: IsisFrame[] = []
    const gatherer = new FrameGatherer(3, (frame) => frames.push(frame))
    for (const time of [20, 10]) gatherer.pulse(pulse(time))
    gatherer.events(events([10, 20, 30], [0, 2, -1], 5))
    gatherer.pulse(pulse(40))
    assert.deepEqual(frames.map(({ timeNs }) => timeNs), [10n]) // prettier-ignore
    gatherer.events(events([20], [0], 1))
    gatherer.events(events([10], [0], 2))
    gatherer.flush()
    const shown = frames.map(({ timeNs, events: n, pulse: of, isLate }) => [Number(timeNs), n, of?.charge, isLate])
    assert.deepEqual(shown, [[10, 2, 1, false], [10, 2, 1, true], [20, 4, 1, false], [30, 0, undefined, false], [40, 0, 1, false]]) // prettier-ignore
    assert.deepEqual([...(frames[0]?.parts[0]?.offsets ?? [])], [0, 1])
  })

  it('that come late in part keep their pulse; it is told of once', () => {
    const frames: IsisFrame[] = []
    const gatherer = new FrameGatherer(1, (frame) => frames.push(frame))
    gatherer.pulse(pulse(10, 3))
    gatherer.pulse(pulse(20, 4))
    assert.equal(gatherer.events(events([10], [0], 2)), 0)
    // Two of the five are of no pulse
    assert.equal(gatherer.events(events([5], [2], 5)), 2)
    gatherer.pulse(pulse(5, 1))
    gatherer.flush()
    assert.deepEqual(frames.map(({ timeNs, events: n, pulse: of, isMore }) => [Number(timeNs), n, of?.period, isMore]), [[10, 0, 3, false], [10, 2, 3, true], [5, 3, 1, false], [20, 0, 4, false]]) // prettier-ignore
  })

  it('of ev42 know period and charge by themselves; messages that contradict themselves are refused whole', () => {
    const frames: IsisFrame[] = []
    const gatherer = new FrameGatherer(10, (frame) => frames.push(frame))
    const facility = { type: 'isis', periodNumber: 2, runState: 'RUNNING', protonCharge: 0.25 }
    gatherer.events(events([10], [0], 1, { facility }))
    gatherer.events(events([20], [0], 1, { facility: { ...facility, runState: 'PAUSED' } }))
    assert.throws(() => gatherer.events(events([10, 20], [2, 1], 3)), { reason: 'pulse_index' })
    assert.throws(() => gatherer.events(events([10], [4], 3)), { reason: 'pulse_index' })
    assert.throws(() => gatherer.events(events([], [], 0)), { reason: 'no_pulse' })
    assert.throws(() => gatherer.events(events([10], [0], 3, { pixelId: vector('int32', [1]) })), { reason: 'length_mismatch' }) // prettier-ignore
    gatherer.flush()
    assert.deepEqual(frames.map(({ pulse: of, events: n }) => [of, n]), [[{ period: 2, vetoes: 0, charge: 0.25 }, 1], [{ period: 2, vetoes: 1, charge: 0.25 }, 1]]) // prettier-ignore
  })

  it('of a partition that is read after another are whole, however far behind it is', () => {
    const frames: IsisFrame[] = []
    const gatherer = new FrameGatherer(16, (frame) => frames.push(frame))
    for (const first of [2, 1])
      for (let time = first; time <= 1000; time += 2) {
        gatherer.pulse(pulse(time))
        gatherer.events(events([time], [0], 1))
        gatherer.events(events([time], [0], 2))
      }
    gatherer.flush()
    assert.equal(frames.length, 1000)
    assert.deepEqual(frames.filter(({ pulse: of, events: n }) => of === null || n !== 3), []) // prettier-ignore
    assert.deepEqual(new Set(frames.map(({ timeNs }) => timeNs)).size, 1000)
  })

  it('of one message with very many pulses do not wait longer than others', () => {
    let n = 0
    const gatherer = new FrameGatherer(16, () => n++)
    const times = Array.from({ length: 100_000 }, (_, i) => i + 1)
    gatherer.events(events(times, times.map(() => 0), 0)) // prettier-ignore
    assert.equal(n, 100_000 - 16)
  }).timeout(20_000)

  it('tell the period of any time', () => {
    const periods = new RunPeriods()
    assert.equal(periods.at(5n), 1)
    for (const [time, period] of [[10n, 2], [20n, 2], [30n, 1], [40n, 3]] as const) periods.note(time, period) // prettier-ignore
    assert.deepEqual([0n, 10n, 29n, 30n, 39n, 99n].map((time) => periods.at(time)), [2, 2, 2, 1, 1, 3]) // prettier-ignore
  })
})
