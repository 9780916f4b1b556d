// Times of commands: what is taken, and what a refusal says.
import assert from 'node:assert/strict'
import { isoOfNs, timeNs } from './times.js'

describe('times of commands', () => {
  it('takes ms since 1970 and ISO 8601 with a zone', () => {
    for (const [value, iso] of [
      [1_795_172_400_000, '2026-11-20T11:00:00.000Z'],
      ['2026-11-20T12:00:00+01:00', '2026-11-20T11:00:00.000Z'],
      ['2026-11-20T11:00:00.5Z', '2026-11-20T11:00:00.500Z'],
      [1000, '1970-01-01T00:00:01.000Z']
    ] as const)
      assert.equal(isoOfNs(timeNs(value, '/t') ?? 0n), iso)
    for (const none of [0, null, undefined]) assert.equal(timeNs(none, '/t'), undefined)
  })

  it('says of others what is wrong and what is allowed', () => {
    for (const [value, why] of [
      ['2026-11-20T11:00:00', /has no time zone; a time is 2026-/],
      ['2026-11-20', /has no time zone/],
      ['tomorrow', /is no time/],
      [1_795_172_400, /looks like seconds.*or ms since 1970/],
      [-1, /is not a time between/],
      [9.3e12, /is not a time between/]
    ] as const)
      assert.throws(() => timeNs(value, '/t'), { code: 'COMMAND_INVALID', path: '/t', message: why })
  })
})
