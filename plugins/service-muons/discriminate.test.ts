// Events found in traces that are made of known pulses.
import assert from 'node:assert/strict'
import { type MuonConfig, RISE, tracesOf, truePulses } from '../source-instrument/muons.js'
import { seedState } from '../source-instrument/random.js'
import { numbersIn } from '../../schemas/index.js'
import { constantFraction, fixedThreshold, type FoundMuon } from './discriminate.js'
import { eventsIn } from './thread/events-main.js'

type Found = [sample: number, height: number]
function found(run: (take: FoundMuon) => void): Found[] {
  const all: Found[] = []
  run((sample, height) => all.push([sample, height]))
  return all
}
const flat = { negative: false, baseline: 100, threshold: 50, coolOff: 0 }
const trace = (...samples: number[]): Uint16Array => Uint16Array.from(samples)

describe('muon events in traces', () => {
  it('by a fixed threshold: where it is passed, with the highest sample; as long as it has to be', () => {
    const samples = trace(100, 150, 149, 151, 180, 160, 120, 100, 170, 170)
    assert.deepEqual(found((take) => fixedThreshold(samples, { ...flat, duration: 1 }, take)), [[1, 50], [3, 80], [8, 70]]) // prettier-ignore
    assert.deepEqual(found((take) => fixedThreshold(samples, { ...flat, duration: 2 }, take)), [[3, 80], [8, 70]]) // prettier-ignore
    assert.deepEqual(found((take) => fixedThreshold(samples, { ...flat, duration: 1, coolOff: 6 }, take)), [[1, 50], [8, 70]]) // prettier-ignore
    const down = trace(100, 20, 30, 100)
    assert.deepEqual(
      found((take) => fixedThreshold(down, { ...flat, duration: 1, negative: true }, take)),
      [[1, 80]]
    )
    assert.deepEqual(
      found((take) => fixedThreshold(trace(), { ...flat, duration: 1 }, take)),
      []
    )
  })

  it('by constant fraction: pulses of one shape have one time, whatever their height, also between samples', () => {
    const shape = { ...flat, fraction: 0.5, delay: 2 }
    const pulse = (height: number): Uint16Array => trace(...[0, 0, 0.5, 1, 0.5, 0.25, 0, 0, 0, 0].map((part) => 100 + part * height)) // prettier-ignore
    const [low] = found((take) => constantFraction(pulse(100), shape, take))
    const [high] = found((take) => constantFraction(pulse(40_000), shape, take))
    assert.deepEqual([low?.[1], high?.[1]], [100, 40_000])
    assert.ok(Math.abs((low?.[0] ?? 0) - (high?.[0] ?? 9)) < 1e-9)
    // Half of its height
    assert.ok(Math.abs((low?.[0] ?? 0) - 2) < 0.5, String(low?.[0]))
    assert.deepEqual(
      found((take) => constantFraction(trace(100, 100, 120, 140, 100, 100), shape, take)),
      []
    )
  })

  it('by constant fraction a pulse on the tail of another one is an event of its own', () => {
    const tail = [0, 100, 200, 180, 160, 140, 120, 300, 420, 350, 280, 200, 120, 40, 0, 0, 0].map((above) => 100 + above) // prettier-ignore
    const all = found((take) => constantFraction(trace(...tail), { ...flat, fraction: 0.5, delay: 2 }, take))
    assert.deepEqual(all.map(([, height]) => height), [200, 420]) // prettier-ignore
    assert.equal(found((take) => fixedThreshold(trace(...tail), { ...flat, duration: 1 }, take)).length, 1)
  })

  it('of a virtual instrument: what was put in is found, at its time, through the noise', () => {
    const config: MuonConfig = { channel: 'digitiser_1', seed: 3, pulse_rate: 50, muons_per_channel: 1, samples: 2000, sample_rate: 100_000_000, baseline: 1000, noise: 30, height: 1000, periods: 1, pulses_per_period: 100, veto_every: 4, paced: false } // prettier-ignore
    const shape = { negative: false, baseline: 1000, threshold: 150, coolOff: 0 }
    const vetoed: number[] = []
    let wrong = 0
    for (let frame = 0; frame < 50; frame++) {
      const record = tracesOf(config, 1, frame, BigInt(frame))
      if (record.frame.vetoes !== 0) vetoed.push(frame)
      const fixed = eventsIn(record, (samples, take) => fixedThreshold(samples, { ...shape, duration: 3 }, take))
      const fraction = eventsIn(record, (samples, take) => constantFraction(samples, { ...shape, fraction: 0.3, delay: RISE }, take)) // prettier-ignore
      assert.deepEqual(Array.from({ length: fraction.channel.length }, (_, i) => Number(numbersIn(fraction.channel)[i])), Array.from({ length: 8 }, (_, i) => 8 + i)) // prettier-ignore
      for (const [i, time] of numbersIn(fraction.time).entries()) {
        const [{ at, height } = { at: 0, height: 0 }] = truePulses(config, 8 + i, seedState(3, 108 + i, frame))
        // A third of a rise of 40 ns, to a few ns
        if (Math.abs(Number(time) - 10 * at - 8) > 8) wrong++
        assert.ok(Math.abs(Number(numbersIn(fraction.voltage)[i]) - height) < 100)
      }
      assert.equal(fixed.time.length, 8)
    }
    assert.deepEqual([vetoed.length, vetoed[0]], [12, 3])
    assert.ok(wrong <= 4, String(wrong))
  })

  it('traces without a rate are refused', () => {
    const frame = { timestampNs: 0n, period: 0n, protonsPerPulse: 0, running: true, frameNumber: 0, vetoes: 0 }
    assert.throws(() => eventsIn({ digitiser: 0, frame, sampleRate: 0n, traces: [] }, () => undefined), { reason: 'sample_rate' }) // prettier-ignore
  })
})
