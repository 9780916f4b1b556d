// Events made of histograms: as many in each bin as it counts, the same for a seed, others for another.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type CountedHistogram, sampled, Shuffle } from './sampled.js'

const beam = { startNs: 1_000_000_000n, pulsesPerSecond: 14 }

describe('sampling of histograms', () => {
  it('shuffles: each index once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(), (count, seed) => {
        const shuffle = new Shuffle(count, seed)
        assert.equal(new Set(Array.from({ length: count }, (_, i) => shuffle.at(i)).filter((i) => i >= 0 && i < count)).size, count) // prettier-ignore
      })
    )
  })

  it('makes each count of each bin one event, in any dimension, with increasing times', () => {
    const shapes = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 })) // prettier-ignore
    const cases = shapes.chain((shape) => {
      const cells = shape[0] * shape[1] * shape[2]
      return fc.record({
        shape: fc.constant(shape),
        timeAxis: fc.nat(2),
        counts: fc.array(fc.nat(20), { minLength: cells, maxLength: cells }),
        seed: fc.nat(),
        durationMs: fc.integer({ min: 1, max: 3000 })
      })
    })
    fc.assert(
      fc.property(cases, ({ shape, timeAxis, counts, seed, durationMs }) => {
        const bins = shape[timeAxis]!
        const edgesNs = Array.from({ length: bins + 1 }, (_, i) => 100.5 + 3.25 * i)
        const histogram: CountedHistogram = { path: '/entry/data', counts: Int32Array.from(counts), shape, timeAxis, edgesNs, pixelIds: undefined } // prettier-ignore
        const group = sampled(histogram, { seed, durationMs }, beam)
        const inner = shape.slice(timeAxis + 1).reduce((product, n) => product * n, 1)
        const found = new Int32Array(counts.length)
        const times: bigint[] = []
        for (const { timeNs, timeOfFlight, pixelId } of group.rows()) {
          times.push(timeNs)
          for (const [i, tof] of timeOfFlight.entries()) {
            const bin = edgesNs.findLastIndex((edge) => edge <= tof)
            assert.ok(bin >= 0 && bin < bins)
            const pixel = pixelId[i]! - 1
            found[(Math.floor(pixel / inner) * bins + bin) * inner + (pixel % inner)]!++
          }
        }
        assert.deepEqual([...found], counts)
        assert.deepEqual([times.length, times], [group.count, times.toSorted((a, b) => (a < b ? -1 : 1))])
      })
    )
  })

  it('depends on the seed alone', () => {
    const histogram: CountedHistogram = { path: '/a', counts: Int32Array.from({ length: 100 }, (_, i) => i), shape: [10, 10], timeAxis: 1, edgesNs: Array.from({ length: 11 }, (_, i) => 1000 * i), pixelIds: undefined } // prettier-ignore
    const of = (seed: number, path = '/a'): string => JSON.stringify([...sampled({ ...histogram, path }, { seed, durationMs: 500 }, beam).rows()].map((row) => [[...row.timeOfFlight], [...row.pixelId]])) // prettier-ignore
    assert.equal(of(1), of(1))
    assert.notEqual(of(1), of(2))
    assert.notEqual(of(1), of(1, '/b'))
  })
})
