// One alarm vocabulary for both protocols: severity 0–3 and status 0–21 as in alarm.h.
import { ALARM_STATUSES, type Alarm } from '../../core/api/plugin.js'

const UDF = 17
const INVALID = 3

const codes = new Map(ALARM_STATUSES.map((name, code) => [name as string, code]))

const table: readonly Alarm[] = [0, 1, 2, 3].flatMap((severity) =>
  ALARM_STATUSES.map((name, status) => Object.freeze({ severity, status, message: severity === 0 ? '' : name }))
)

/** The alarm of a record that is well. */
export const NO_ALARM = table[0] as Alarm

/** Alarm of Channel Access codes; codes beyond the lists become INVALID and UDF. */
export function alarmOfCodes(severity: number, status: number): Alarm {
  const safeSeverity = severity > INVALID ? INVALID : severity
  const safeStatus = status >= ALARM_STATUSES.length ? UDF : status
  return table[safeSeverity * ALARM_STATUSES.length + safeStatus] as Alarm
}

// pvAccess knows only NONE DEVICE DRIVER RECORD DB CONF UNDEFINED CLIENT; a status for texts that are no status name.
const statusOfPva = [0, 1, 10, 7, 14, 16, UDF, 15]

/**
 * Alarm of a pvAccess alarm_t. Servers put the status name of the record into `message` ("HIHI", some "HIHI_ALARM"):
 * then it is the same alarm as over Channel Access. Any other text is kept, with a status by kind.
 */
export function alarmOfPva(severity: number, status: number, message: string): Alarm {
  const safeSeverity = severity < 0 || severity > INVALID ? INVALID : severity
  const name = message.endsWith('_ALARM') && message !== 'NO_ALARM' ? message.slice(0, -6) : message
  const code = codes.get(name)
  if (code !== undefined) return alarmOfCodes(safeSeverity, safeSeverity === 0 ? 0 : code)
  if (safeSeverity === 0 && message === '') return NO_ALARM
  const guess = safeSeverity === 0 ? 0 : (statusOfPva[status] ?? UDF)
  if (message === '') return alarmOfCodes(safeSeverity, guess)
  return { severity: safeSeverity, status: guess, message }
}
