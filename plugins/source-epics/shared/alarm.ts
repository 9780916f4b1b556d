// One alarm vocabulary for both protocols: severity 0–3 and status 0–21 as in alarm.h.
import { type Alarm, ALARM_STATUSES } from '../../../schemas/index.js'

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

/** Kinds of alarm that pvAccess knows (alarm_t.status), by what an EPICS base server (QSRV) makes of a record's status. */
const Kind = { NONE: 0, DEVICE: 1, DRIVER: 2, RECORD: 3, DB: 4, CONF: 5, UNDEFINED: 6, CLIENT: 7 } as const
const RECORD_STATUSES: ReadonlySet<string> = new Set(['CALC', 'SCAN', 'LINK', 'SOFT', 'BAD_SUB'])
/** The status that is meant most often where the server has words of its own: those of a broken link, for instance. */
const usual: Readonly<Record<number, string>> = {
  [Kind.DRIVER]: 'COMM',
  [Kind.RECORD]: 'LINK',
  [Kind.DB]: 'DISABLE',
  [Kind.CONF]: 'BAD_SUB',
  [Kind.UNDEFINED]: 'UDF',
  [Kind.CLIENT]: 'SOFT'
}
/** What some servers write where they have no text. */
const NO_TEXT: ReadonlySet<string> = new Set(['', '(null)'])

/**
 * Alarm of a pvAccess alarm_t. Servers put the status name of the record into `message` ("HIHI", some "HIHI_ALARM"): then it is
 * the same alarm as over Channel Access. Any other text is kept, with the status that the kind means. `isState`: of an enum.
 */
export function alarmOfPva(severity: number, kind: number, message: string, isState = false): Alarm {
  const safeSeverity = severity < 0 || severity > INVALID ? INVALID : severity
  const name = message.endsWith('_ALARM') && message !== 'NO_ALARM' ? message.slice(0, -6) : message
  const code = codes.get(name)
  // A pvAccess link that passes an alarm on has the words of the other record, but its own kind.
  const isForeign = kind === Kind.RECORD && !RECORD_STATUSES.has(name)
  if (code !== undefined && !isForeign) return alarmOfCodes(safeSeverity, code)
  const status = safeSeverity === 0 ? 0 : (codes.get(usualStatus(safeSeverity, kind, isState)) ?? UDF)
  if (NO_TEXT.has(message)) return alarmOfCodes(safeSeverity, status)
  return { severity: safeSeverity, status, message: code === undefined ? message : name }
}

/** A device that cannot be read is invalid; one that can be is beyond its limits, or in a state that is not wanted. */
function usualStatus(severity: number, kind: number, isState: boolean): string {
  if (kind === Kind.NONE) return 'NO_ALARM'
  if (kind !== Kind.DEVICE) return usual[kind] ?? 'UDF'
  if (severity === INVALID) return 'READ'
  return isState ? 'STATE' : severity === 2 ? 'HIHI' : 'HIGH'
}
