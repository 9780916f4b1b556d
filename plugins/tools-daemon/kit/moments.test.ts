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

  it('takes times of today and of the days beside it, and says which zone it took', () => {
    const now = Date.UTC(2026, 10, 21, 23, 30)
    const said: string[] = []
    const at = (text: string): string => new Date(moment(text, (line) => said.push(line), now)).toISOString()
    assert.equal(at('10:30'), '2026-11-21T10:30:00.000Z')
    assert.equal(at('9:05:07.25'), '2026-11-21T09:05:07.250Z')
    assert.equal(at('yesterday'), '2026-11-20T00:00:00.000Z')
    assert.equal(at('Tomorrow 10:30'), '2026-11-22T10:30:00.000Z')
    assert.equal(at('2026-11-21 12:00'), '2026-11-21T12:00:00.000Z')
    assert.equal(at('2026-11-21'), '2026-11-21T00:00:00.000Z')
    assert.equal(said.length, 6)
    assert.equal(said[0], '10:30 is taken as 2026-11-21T10:30:00Z: UTC, as no zone is written (+01:00)')
    // There it is the 22nd already
    assert.equal(at('10:30+01:00'), '2026-11-22T09:30:00.000Z')
    assert.equal(at('today 10:30Z'), '2026-11-21T10:30:00.000Z')
    assert.equal(at('2026-11-21T12:00-05:00'), '2026-11-21T17:00:00.000Z')
    assert.equal(at('-5min'), '2026-11-21T23:25:00.000Z')
    assert.equal(said.length, 6)
    for (const text of ['25:00', '10:61', 'yesterdays', 'at 10:30', ''])
      assert.throws(() => at(text), /no moment/, text)
  })

  it('refuses seconds and half dates, saying what is allowed', () => {
    assert.throws(() => moment('1795266000'), /looks like seconds since 1970.*UTC without a zone/)
    for (const text of ['2026-11', '2026-11-21T25:00', '2026-11-21x']) assert.throws(() => moment(text), /no moment/)
  })
})
