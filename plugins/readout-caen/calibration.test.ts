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
})
