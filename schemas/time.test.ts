// Whole milliseconds of times in nanoseconds, to the ns.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { msOf } from './time.js'

describe('schemas/time', () => {
  it('rounds down to the ms, exactly, whatever the ns', () => {
    const times = fc.oneof(
      fc.bigInt({ min: -(2n ** 62n), max: 2n ** 63n - 1n }),
      // Close to a whole ms, where doubles are too coarse
      fc
        .tuple(fc.bigInt({ min: 0n, max: 9_000_000_000_000n }), fc.bigInt({ min: -600n, max: 600n }))
        .map(([ms, ns]) => ms * 1_000_000n + ns)
    )
    const floored = (ns: bigint): bigint => (ns >= 0n ? ns / 1_000_000n : -((-ns + 999_999n) / 1_000_000n))
    fc.assert(
      fc.property(times, (ns) => assert.equal(BigInt(msOf(ns)), floored(ns))),
      { numRuns: 20_000 }
    )
  })
})
