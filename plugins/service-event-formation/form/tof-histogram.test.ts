import assert from 'node:assert/strict'
import { decodeJson } from '../../../schemas/index.js'
import { FormationClock } from './clock.js'
import { NamedCounters } from './counters.js'
import { TofHistogram } from './tof-histogram.js'

const SECOND = 1_700_000_000

/** `reference_time` of a histogram of pulses that are so many seconds apart. */
function referenceTimes(compatible: boolean, frames: number, apart: number): { dtype: string; values: number[] } {
  const counters = new NamedCounters()
  const messages: Uint8Array[] = []
  const clock = new FormationClock(counters, compatible, () => histogram.pulseEnds())
  const options = { maxTof: 100, bins: 10, frames, average: false }
  const histogram = new TofHistogram('monitor', options, clock, counters, ({ value }) => messages.push(value))
  for (let pulse = 0; pulse <= frames; pulse++) {
    const after = pulse * apart
    clock.pulse(SECOND + Math.trunc(after), Math.round((after % 1) * 1e9), SECOND, 0)
    histogram.add(5, 1)
  }
  assert.equal(messages.length, 1)
  const { message } = decodeJson(messages[0]!)
  const variables = message['data'] as { name: string; data_type: { name: string }; data: (number | string)[] }[]
  const { data_type, data } = variables.find(({ name }) => name === 'reference_time')!
  const { buffer } = Uint8Array.from(data.map(Number))
  const values = data_type.name === 'int64' ? [...new BigInt64Array(buffer)].map(Number) : [...new Int32Array(buffer)]
  return { dtype: data_type.name, values }
}

describe('bins of a histogram that hold too much', () => {
  it('are counted, and are the most that there is', () => {
    const counters = new NamedCounters()
    const messages: Uint8Array[] = []
    const clock = new FormationClock(counters, false, () => histogram.pulseEnds())
    const options = { maxTof: 100, bins: 10, frames: 1, average: false }
    const histogram = new TofHistogram('monitor', options, clock, counters, ({ value }) => messages.push(value))
    clock.pulse(SECOND, 0, SECOND, 0)
    for (const tof of [5, 5, 15]) histogram.add(tof, 2 ** 30)
    histogram.add(25, 2 ** 31 - 1)
    histogram.finish()
    const variables = decodeJson(messages[0]!).message['data'] as { name: string; data: number[] }[]
    const { buffer } = Uint8Array.from(variables.find(({ name }) => name === 'signal')!.data)
    assert.deepEqual([...new Int32Array(buffer)].slice(0, 4), [2 ** 31 - 1, 2 ** 30, 2 ** 31 - 1, 0])
    assert.deepEqual(counters.values(), { 'serialize.monitor.signal_over_max': 1 })
  })
})

describe('times of the pulses of a histogram', () => {
  it('are right however far they are apart', () => {
    assert.deepEqual(referenceTimes(false, 3, 1), { dtype: 'int32', values: [0, 1e9, 2e9] })
    assert.deepEqual(referenceTimes(false, 3, 2), { dtype: 'int64', values: [0, 2e9, 4e9] })
    assert.equal(referenceTimes(false, 31, 0.05).dtype, 'int64')
  })

  it('wrap in compatible messages, as there', () => {
    assert.deepEqual(referenceTimes(true, 3, 2), { dtype: 'int32', values: [0, 2e9, 4e9 | 0] })
  })
})
