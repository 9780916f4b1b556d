import assert from 'node:assert/strict'
import { ALARM_STATUSES } from '../../core/api/epics.js'
import { alarmOfCodes, alarmOfPva, NO_ALARM } from './alarm.js'

describe('EPICS alarms', () => {
  it('are the same over both protocols, whatever the server writes', () => {
    ALARM_STATUSES.forEach((name, status) => {
      for (const severity of [1, 2, 3]) {
        const expected = { severity, status, message: name }
        assert.deepEqual(alarmOfCodes(severity, status), expected)
        assert.deepEqual(alarmOfPva(severity, 1, name), expected)
        if (status > 0) assert.deepEqual(alarmOfPva(severity, 1, `${name}_ALARM`), expected)
      }
    })
  })
  it('have no text when there is no alarm', () => {
    for (const text of ['', 'NO_ALARM']) assert.equal(alarmOfPva(0, 0, text), NO_ALARM)
    assert.equal(alarmOfCodes(0, 0), NO_ALARM)
  })
  it('keep the text of a server that says it in its own words', () => {
    assert.deepEqual(alarmOfPva(2, 2, 'interlock open'), { severity: 2, status: 10, message: 'interlock open' })
    assert.equal(alarmOfPva(0, 0, 'all fine').message, 'all fine')
  })
  it('take codes beyond the lists as invalid', () => {
    assert.deepEqual(alarmOfCodes(9, 200), { severity: 3, status: 17, message: 'UDF' })
    assert.deepEqual(alarmOfPva(-1, 99, ''), { severity: 3, status: 17, message: 'UDF' })
  })
})
