// The value and element type under which an update goes into f142 or f144.
import { BadMessage } from '../../core/api/plugin.js'
import { type LogRecord, isVector, type Update, type VectorType } from '../../schemas/index.js'

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
