// What the converters of control-system updates share: times, alarm texts, state per source, values for log data.
import { type Alarm, type ConnectionRecord, type LogRecord, type Update, type Vector } from './records.js'

/** Names of the EPICS alarm status codes (alarm.h). */
export const statusNames: readonly string[] = (
  'NO_ALARM READ WRITE HIHI HIGH LOLO LOW STATE COS COMM TIMED HWLIMIT CALC SCAN LINK SOFT BAD_SUB UDF DISABLE SIMM ' +
  'READ_ACCESS WRITE_ACCESS'
).split(' ')

/**
 * The text of an alarm, the same over Channel Access and pvAccess: the name of its status.
 * Only a server that sets a severity without a status speaks for itself.
 */
export function alarmText(alarm: Alarm): string {
  if (alarm.status === 0 && alarm.severity !== 0) return alarm.message
  return statusNames[alarm.status] ?? alarm.message
}

/** Kafka CreateTime of an update: its own time; a repeat gets the time of sending. */
export function kafkaTime(update: Update): { timestampMs?: number } {
  return update.repeat ? {} : { timestampMs: Math.floor(Number(update.timestampNs) / 1e6) }
}

/** One value per source for converters that several channels share; the source unheard for longest goes first. */
export class BySource<T> {
  private readonly values = new Map<string, T>()

  constructor(private readonly limit = 100_000) {}

  get(source: string): T | undefined {
    return this.values.get(source)
  }

  set(source: string, value: T): void {
    if (this.values.has(source)) this.values.delete(source)
    else if (this.values.size >= this.limit) {
      const [oldest] = this.values.keys()
      if (oldest !== undefined) this.values.delete(oldest)
    }
    this.values.set(source, value)
  }
}

/** Whether a Vector, among the things that a value can be. */
export const isVector = (value: unknown): value is Vector =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'bytes' in value

export interface LogOptions {
  /** Enums go as their text; else as their index. */
  readonly enumText: boolean
  /** Arrays without elements are not sent. */
  readonly skipEmpty: boolean
}

type LogValue = Pick<LogRecord, 'dtype' | 'value'>

/** Value and type for f142 or f144; a text is the reason why there is none. */
export function logValue(update: Update, options: LogOptions): LogValue | string {
  const { value, dtype } = update
  if (value === null) return 'no_value'
  if (dtype === 'structure') return 'unsupported_type'
  if (dtype === 'enum') return enumValue(update, options)
  if (typeof value === 'boolean') return { dtype: 'int8', value: value ? 1 : 0 }
  if (Array.isArray(value))
    return options.skipEmpty && value.length === 0 ? 'empty_array' : { dtype: 'string', value: value as string[] }
  if (isVector(value)) return options.skipEmpty && value.length === 0 ? 'empty_array' : { dtype: value.dtype, value }
  if (typeof value === 'object') return 'unsupported_type'
  if (typeof value === 'string') return { dtype: 'string', value }
  return dtype === 'string' || dtype === 'bool' ? 'unsupported_type' : { dtype, value }
}

function enumValue(update: Update, options: LogOptions): LogValue | string {
  const { value, enumStrings } = update
  if (isVector(value)) return logValue({ ...update, dtype: value.dtype }, options)
  if (typeof value !== 'number') return 'unsupported_type'
  if (options.enumText) return { dtype: 'string', value: enumStrings?.[value] ?? String(value) }
  return { dtype: 'int32', value }
}

/**
 * For ep00 and ep01: the record to send when an update shows another connection state than the source's last one.
 * A state that a value shows is stamped with the local clock: the value may be years old.
 */
export function connectionChanges(): (update: Update, service: string) => ConnectionRecord | undefined {
  const last = new BySource<number>()
  return (update, service) => {
    const { source, connection: status } = update
    const again = update.kind === 'connection' && update.repeat
    if (!again && last.get(source) === status) return undefined
    last.set(source, status)
    const timestampNs = update.kind === 'connection' ? update.timestampNs : BigInt(Date.now()) * 1_000_000n
    return { source, timestampNs, status, service }
  }
}
