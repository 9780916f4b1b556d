// Patterns against a regular expression of the same meaning, and in linear time.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { matches } from './glob.js'

describe('glob', () => {
  it('agrees with the regular expression of the same meaning', () => {
    const letters = (all: string[]) => fc.array(fc.constantFrom(...all), { maxLength: 12 }).map((list) => list.join(''))
    fc.assert(
      fc.property(letters(['a', 'b', '*', '?', '.', '[']), letters(['a', 'b', '.', '[']), (pattern, text) => {
        const source = pattern.replace(/[.[]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')
        assert.equal(matches(pattern, text), new RegExp(`^${source}$`, 's').test(text))
      }),
      { numRuns: 2000 }
    )
  })

  it('is not slowed down by many stars', () => {
    assert.equal(matches(`${'*a'.repeat(40)}b`, 'a'.repeat(2000)), false)
  })
})
