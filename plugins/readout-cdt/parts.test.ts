import assert from 'node:assert/strict'
import { type CdtEntry, type CdtType } from './config.js'
import { dreamParts, heimdalParts } from './parts.js'

const entry = (Type: CdtType, Index: number, Index2 = 0): CdtEntry => ({ Ring: 0, FEN: 0, Type, Index, Index2 })

describe('parts of detectors of CDT', () => {
  it('have the pixels of HEIMDAL', () => {
    const pixelOf = heimdalParts.HeimdalMantle!.open(() => ({ value: 0 }))
    const mantle = entry('HeimdalMantle', 2, 3)
    assert.equal(pixelOf(mantle, 0, 0, 0), 12 * 2 + 2 * 3 + 1)
    // The second counter of a pair, one row of 64 further, and the cathode beyond 64 begins anew
    assert.equal(pixelOf(mantle, 0, 64 + 5, 33), (5 + 64) * 144 + 31 + 1)
    assert.equal(pixelOf(entry('HeimdalMantle', 12), 0, 0, 0), 0)
  })

  it('have each pixel of a square of DREAM once, whatever its turns', () => {
    for (const type of ['SANS', 'HR'] as const) {
      const pixelOf = dreamParts[type]!.open(() => ({ value: 0 }))
      const seen = new Set<number>()
      for (let index = 0; index < 6; index++)
        for (let cathode = 0; cathode < 128; cathode++)
          for (let anode = 0; anode < 64; anode++) seen.add(pixelOf(entry(type, index), 0, cathode, anode))
      assert.ok(!seen.has(0))
      // 32 layers of 16 × 16; two cassettes by anode, four by cathode
      assert.equal(seen.size, 6 * 32 * 256)
    }
  })
})
