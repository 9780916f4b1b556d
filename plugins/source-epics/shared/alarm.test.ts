import assert from 'node:assert/strict'
import { alarmOfCodes, alarmOfPva, NO_ALARM } from './alarm.js'
import { ALARM_STATUSES } from '../../../schemas/index.js'

describe('EPICS alarms', () => {
  it('are the same over both protocols, whatever the server writes', () => {
    ALARM_STATUSES.forEach((name, status) => {
      for (const severity of [1, 2, 3]) {
        const expected = { severity, status, message: name }
        assert.deepEqual(alarmOfCodes(severity, status), expected)
        assert.deepEqual(alarmOfPva(severity, 1, name), expected)
        if (status > 0) assert.deepEqual(alarmOfPva(severity, 0, `${name}_ALARM`), expected)
      }
    })
  })
  it('have no text when there is no alarm', () => {
    for (const text of ['', 'NO_ALARM']) assert.equal(alarmOfPva(0, 0, text), NO_ALARM)
    assert.equal(alarmOfCodes(0, 0), NO_ALARM)
  })
  it('keep the text of a server that says it in its own words', () => {
    assert.deepEqual(alarmOfPva(2, 2, 'interlock open'), { severity: 2, status: 9, message: 'interlock open' })
    assert.equal(alarmOfPva(0, 0, 'all fine').message, 'all fine')
  })
  it('have the status that QSRV means, where the text is not its name', () => {
    const of = (severity: number, kind: number, message: string, isState = false) => {
      const { status, message: text } = alarmOfPva(severity, kind, message, isState)
      return [ALARM_STATUSES[status], text]
    }
    // A broken link, and a pvAccess link that passes on the words of the other record
    assert.deepEqual(of(3, 3, 'field INP'), ['LINK', 'field INP'])
    assert.deepEqual(of(2, 3, 'HIHI'), ['LINK', 'HIHI'])
    // A CA link that passes on the alarm itself
    assert.deepEqual(of(2, 1, '(null)'), ['HIHI', 'HIHI'])
    assert.deepEqual(of(1, 1, '(null)', true), ['STATE', 'STATE'])
    assert.deepEqual(of(3, 1, 'no answer'), ['READ', 'no answer'])
    assert.deepEqual(of(0, 2, 'UDF'), ['UDF', ''])
  })
  it('take codes beyond the lists as invalid', () => {
    assert.deepEqual(alarmOfCodes(9, 200), { severity: 3, status: 17, message: 'UDF' })
    assert.deepEqual(alarmOfPva(-1, 99, ''), { severity: 3, status: 17, message: 'UDF' })
  })
})
