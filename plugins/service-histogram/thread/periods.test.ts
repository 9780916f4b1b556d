// Events that wait for their period do not wait without limit.
import assert from 'node:assert/strict'
import { type EventRecord, type Vector } from '../../../schemas/index.js'
import { histogramCommand } from '../../../test/support/histograms.js'
import { MemoryLeft } from '../memory.js'
import { specOf } from '../spec.js'
import { Histogram } from './histogram.js'
import { PeriodBook } from './periods.js'

const vector = (dtype: 'int32' | 'int64', bytes: ArrayBufferLike, length: number): Vector => ({ dtype, length, bytes: new Uint8Array(bytes) }) // prettier-ignore
const pulse = (ns: number, tof: readonly number[]): EventRecord => ({
  ...{ source: '', messageId: 0n, referenceTimeIndex: null },
  referenceTime: vector('int64', BigInt64Array.of(BigInt(ns)).buffer, 1),
  timeOfFlight: vector('int32', Int32Array.from(tof).buffer, tof.length),
  pixelId: vector('int32', Int32Array.from(tof).buffer, tof.length)
})

describe('periods of histograms', () => {
  const command = { kind: 'tof', data_topic: 'd', topic: 'o', tof_range: [0, 10], num_bins: 2, periods: { count: 2 } }
  const spec = specOf(histogramCommand(command), { path: '', index: 0, sender: '' }, new MemoryLeft(1e6, 0))

  it('are waited for by so many pulses, also by empty ones; the oldest give way', () => {
    const lost: string[] = []
    const book = new PeriodBook((reason) => lost.push(reason))
    const histogram = new Histogram(spec)
    const many = 65_536
    for (let ns = 0; ns < many + 100; ns++) book.take(histogram, pulse(ns, []))
    assert.deepEqual([lost.length, new Set(lost)], [100, new Set(['no_period'])])
    book.take(histogram, pulse(1e6, [1, 9]))
    assert.equal(lost.length, 102)
    book.learn(1_000_000n, 1)
    assert.deepEqual([...histogram.counts.settled()], [0, 0, 1, 1])
  })
})
