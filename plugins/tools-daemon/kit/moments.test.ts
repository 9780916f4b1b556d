import assert from 'node:assert/strict'
import { moment, zoned } from './moments.js'

describe('cli: moments', () => {
  it('takes a date, and a date with a time, as UTC unless a zone is given', () => {
    const midnight = Date.UTC(2026, 10, 21)
    for (const text of ['2026-11-21', '2026-11-21T00:00', '2026-11-21 00:00:00', '2026-11-21T01:00:00+01:00'])
      assert.equal(moment(text), midnight, text)
    assert.equal(zoned('2026-11-21T12:00:00.123456789'), '2026-11-21T12:00:00.123456789Z')
    assert.equal(zoned('now'), undefined)
  })

  it('refuses seconds and half dates, saying what is allowed', () => {
    assert.throws(() => moment('1795266000'), /looks like seconds since 1970.*UTC without a zone/)
    for (const text of ['2026-11', '2026-11-21T25:00', '2026-11-21x']) assert.throws(() => moment(text), /no moment/)
  })
})
