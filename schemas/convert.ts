// What the converters of control-system updates share: Kafka's time, state per source, values for log data.
import { BadMessage } from '../core/api/errors.js'
import { type ConnectionRecord, isVector, type LogRecord, type Update, type VectorType } from '../core/api/records.js'
import { msOf, nowNs } from '../core/api/time.js'

/** Kafka CreateTime of an update: its own time; a repeat gets the time of sending. */
export function kafkaTime(update: Update): { timestampMs?: number } {
  return update.repeat ? {} : { timestampMs: msOf(update.timestampNs) }
}

/** A message with the Kafka CreateTime of its update. */
export const messageOf = (update: Update, value: Uint8Array): { value: Uint8Array; timestampMs?: number } =>
  update.repeat ? { value } : { value, timestampMs: msOf(update.timestampNs) }

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
    const timestampNs = update.kind === 'connection' ? update.timestampNs : nowNs()
    return [{ value: encode({ source, timestampNs, status, service }) }]
  }
}
