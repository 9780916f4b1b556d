import assert from 'node:assert/strict'
import { Calibration } from './calibration.js'

const file = (instrument: string, groupsize: number): unknown => {
  const intervals = Array.from({ length: groupsize }, (_, i) => [i / 10, i / 10 + 0.05])
  const Parameters = [{ groupindex: 0, intervals, polynomials: intervals.map(() => [0, 0, 0, 0]) }]
  return { Calibration: { instrument, groups: 1, groupsize, Parameters } }
}
const counter = () => ({ value: 0 })

describe('a calibration of charge division', () => {
  for (const [instrument, size] of [
    ['loki', 7],
    ['bifrost', 3],
    ['tbl3he', 1]
  ] as const)
    // prettier-ignore
    it(`of ${instrument} has groups of ${size}, and others are refused with words`, () => {
      new Calibration({ calibration: file(instrument, size), counter }, instrument)
      assert.throws(
        () => new Calibration({ calibration: file(instrument, size + 1), counter }, instrument),
        (error: { code: string; message: string; path: string }) => {
          assert.equal(error.code, 'DETECTOR_INVALID')
          assert.equal(error.message, `is ${size + 1}; a group of ${instrument} has ${size} (straws or tubes)`)
          return true
        }
      )
    })

  it('finds the unit of each position as a search from the first one does', () => {
    // The second one is given reversed, and between them is nothing
    const intervals = [[0.1, 0.3], [0.62, 0.4], [0.63, 0.9]] as const // prettier-ignore
    const polynomials = intervals.map(() => [0, 0, 0, 0])
    const Parameters = [0, 1].map((groupindex) => ({ groupindex, intervals, polynomials }))
    const calibration = { Calibration: { instrument: 'bifrost', groups: 2, groupsize: 3, Parameters } }
    const made = new Calibration({ calibration, counter }, 'bifrost')
    for (const group of [0, 1])
      for (let i = -300; i <= 1300; i++) {
        const x = i / 1000
        const found = intervals.findIndex(([from, to]) => x >= Math.min(from, to) && x <= Math.max(from, to))
        assert.equal(made.unit(group, x), found < 0 ? -1 : 3 * group + found, `${x}`)
      }
    assert.equal(made.unit(2, 0.2), -1)
  })
})
