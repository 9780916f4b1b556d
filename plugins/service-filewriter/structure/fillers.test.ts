// What is said of values that are none of their type.
import assert from 'node:assert/strict'
import { NumberFiller } from './fillers.js'
import { Findings } from './findings.js'

describe('values of datasets', () => {
  it('are named when they are wrong, also whole numbers that no double holds', () => {
    const findings = new Findings()
    const filler = new NumberFiller('bool', 2, '/', findings)
    filler.put(9007199254740993n, () => '/values/0')
    filler.put([9007199254740993n], () => '/values/1')
    assert.deepEqual(
      findings.list.map(({ message }) => message),
      ['"9007199254740993" is not true, false, 1 or 0', '["9007199254740993"] is not true, false, 1 or 0']
    )
  })
})
