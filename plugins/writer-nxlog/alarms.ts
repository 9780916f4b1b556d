// Alarm columns that f142 messages fill: only when the message says that the alarm changed.
import { timeAttributes, type Column, type Group } from '../service-filewriter/writer-kit.js'
import { ALARM_STATUSES } from '../../schemas/index.js'

/** As f142 names them: one has another name there than in EPICS. */
const statusNames = ALARM_STATUSES.map((name) => (name === 'TIMEOUT' ? 'TIMED' : name))

export class AlarmColumns {
  readonly #status: Column
  readonly #severity: Column
  readonly #time: Column

  constructor(group: Group, chunk: number) {
    this.#status = group.column('alarm_status', { dtype: { string: 32 }, chunk })
    this.#severity = group.column('alarm_severity', { dtype: 'int16', chunk })
    this.#time = group.column('alarm_time', { dtype: 'uint64', chunk, index: true, attributes: timeAttributes })
  }

  append({ status, severity }: { status: number; severity: number }, timestampNs: bigint): void {
    this.#status.appendString(statusNames[status] ?? `STATUS_${status}`)
    this.#severity.appendNumber(severity)
    this.#time.appendBigInt(timestampNs)
  }
}
