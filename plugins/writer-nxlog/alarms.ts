// Alarm columns that f142 messages fill: only when the message says that the alarm changed.
import { type Column, type Group } from '../../core/api/plugin.js'
import { timeAttributes } from './times.js'

/** EPICS alarm status codes (alarm.h), as f142 names them. */
const statusNames = [
  'NO_ALARM', 'READ', 'WRITE', 'HIHI', 'HIGH', 'LOLO', 'LOW', 'STATE', 'COS', 'COMM', 'TIMED', 'HWLIMIT', 'CALC', 'SCAN',
  'LINK', 'SOFT', 'BAD_SUB', 'UDF', 'DISABLE', 'SIMM', 'READ_ACCESS', 'WRITE_ACCESS'
] as const // prettier-ignore

export class AlarmColumns {
  private readonly status: Column
  private readonly severity: Column
  private readonly time: Column

  constructor(group: Group, chunk: number) {
    this.status = group.column('alarm_status', { dtype: { string: 32 }, chunk })
    this.severity = group.column('alarm_severity', { dtype: 'int16', chunk })
    this.time = group.column('alarm_time', { dtype: 'uint64', chunk, index: true, attributes: timeAttributes })
  }

  append({ status, severity }: { status: number; severity: number }, timestampNs: bigint): void {
    this.status.appendString(statusNames[status] ?? `STATUS_${status}`)
    this.severity.appendNumber(severity)
    this.time.appendBigInt(timestampNs)
  }
}
