// What the converters of control-system updates share: times, alarm texts, state per source, values for log data.
import { BadMessage } from '../core/api/errors.js'
import {
  type Alarm,
  type ConnectionRecord,
  type LogRecord,
  type Update,
  type Vector,
  type VectorType
} from '../core/api/records.js'

/** Names of the EPICS alarm status codes, as both protocols and alarmString.h spell them. */
export const statusNames: readonly string[] = (
  'NO_ALARM READ WRITE HIHI HIGH LOLO LOW STATE COS COMM TIMEOUT HWLIMIT CALC SCAN LINK SOFT BAD_SUB UDF DISABLE SIMM ' +
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
  return update.repeat ? {} : { timestampMs: timeMs(update) }
}

/** To the ms without a division of bigints: 500 ns make up for what a double leaves out. */
const timeMs = ({ timestampNs }: Update): number => Math.floor((Number(timestampNs) + 500) / 1e6)

/** A message with the Kafka CreateTime of its update. */
export const messageOf = (update: Update, value: Uint8Array): { value: Uint8Array; timestampMs?: number } =>
  update.repeat ? { value } : { value, timestampMs: timeMs(update) }

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

const unsupported = (update: Update): never => {
  throw new BadMessage(
    'unsupported_type',
    `a value of type ${update.dtype} of ${update.source} cannot be sent as log data`
  )
}

/**
 * Value and type for f142 or f144; undefined when there is nothing to send (an empty array, by option).
 * Throws BadMessage `unsupported_type` for structures and for updates without a value.
 */
export function logValue(update: Update, options: LogOptions): LogValue | undefined {
  const { value, dtype } = update
  if (dtype === 'enum' && !isVector(value)) return enumValue(update, options)
  if (typeof value === 'boolean') return { dtype: 'int8', value: value ? 1 : 0 }
  if (typeof value === 'string') return { dtype: 'string', value }
  if (typeof value === 'number' || typeof value === 'bigint')
    return isNumeric(dtype) ? { dtype, value } : unsupported(update)
  const isTexts = Array.isArray(value)
  if (!isTexts && !isVector(value)) return unsupported(update)
  if (options.skipEmpty && value.length === 0) return undefined
  return isTexts ? { dtype: 'string', value: value as string[] } : { dtype: value.dtype, value }
}

const isNumeric = (dtype: Update['dtype']): dtype is VectorType =>
  dtype !== 'string' && dtype !== 'enum' && dtype !== 'bool' && dtype !== 'structure'

function enumValue(update: Update, options: LogOptions): LogValue {
  const { value, enumStrings } = update
  if (typeof value !== 'number') return unsupported(update)
  if (options.enumText) return { dtype: 'string', value: enumStrings?.[value] ?? String(value) }
  return { dtype: 'int32', value }
}

/** Options of ep00 and ep01. */
export const connectionConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    service_id: {
      type: 'string',
      default: '',
      description: 'Written into each message as the client that saw the change.'
    }
  }
} as const

/**
 * For ep00 and ep01: the message to send when an update shows another connection state than the source's last one.
 * A state that a value shows is stamped with the local clock: the value may be years old.
 */
export function connectionChanges(
  service: string,
  encode: (record: ConnectionRecord) => Uint8Array
): (update: Update) => { value: Uint8Array }[] {
  const last = new BySource<number>()
  return (update) => {
    const { source, connection: status } = update
    const again = update.kind === 'connection' && update.repeat
    if (!again && last.get(source) === status) return []
    last.set(source, status)
    const timestampNs = update.kind === 'connection' ? update.timestampNs : BigInt(Date.now()) * 1_000_000n
    return [{ value: encode({ source, timestampNs, status, service }) }]
  }
}
