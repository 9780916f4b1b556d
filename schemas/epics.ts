// Words of EPICS that sources, services, converters and writers share: alarms, states of a channel, the zero of its time.
import { type Alarm } from './updates.js'

/** Names of the alarm status codes as both protocols and alarmString.h spell them; the place is the code. */
// prettier-ignore
export const ALARM_STATUSES = [
  'NO_ALARM', 'READ', 'WRITE', 'HIHI', 'HIGH', 'LOLO', 'LOW', 'STATE', 'COS', 'COMM', 'TIMEOUT', 'HWLIMIT', 'CALC',
  'SCAN', 'LINK', 'SOFT', 'BAD_SUB', 'UDF', 'DISABLE', 'SIMM', 'READ_ACCESS', 'WRITE_ACCESS'
] as const

/** Names of the alarm severities; the place is the code. */
export const ALARM_SEVERITIES = ['NO_ALARM', 'MINOR', 'MAJOR', 'INVALID'] as const

/** States of a channel by their codes in ep01, which `Update.connection` has. */
export const Connection = {
  UNKNOWN: 0,
  NEVER_CONNECTED: 1,
  CONNECTED: 2,
  DISCONNECTED: 3,
  DESTROYED: 4,
  CANCELLED: 5,
  FINISHED: 6,
  REMOTE_ERROR: 7
} as const

const stateNames = Object.keys(Connection)

/** Name of a state of a channel. */
export const connectionName = (code: number): string => stateNames[code] ?? 'UNKNOWN'

/** 1990-01-01T00:00:00Z in Unix seconds, the zero of EPICS time; a record that was never processed has this time. */
export const EPICS_EPOCH_S = 631_152_000
export const EPICS_EPOCH_NS = 631_152_000_000_000_000n

/**
 * The text of an alarm, the same over Channel Access and pvAccess: the name of its status.
 * Only a server that sets a severity without a status speaks for itself.
 */
export function alarmText(alarm: Alarm): string {
  if (alarm.status === 0 && alarm.severity !== 0) return alarm.message
  return ALARM_STATUSES[alarm.status] ?? alarm.message
}
