// The log: winston, one line an event, on standard error (standard output is for data).
import winston from 'winston'
import { type Config } from './config-schema.js'
import { CodedError } from './api/errors.js'
import { type LogLevel } from './api/plugin.js'

export type Log = (level: LogLevel, message: string, fields?: Record<string, unknown>) => void

export interface Logger {
  readonly log: Log
  /** A log whose lines carry these fields. */
  with(fields: Record<string, unknown>): Log
  close(): Promise<void>
}

/** What was thrown, in words; a plugin may throw anything. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Fields of an error for a log line. */
export function errorFields(error: unknown): Record<string, unknown> {
  if (error instanceof CodedError) return { code: error.code, path: error.path, ...error.fields }
  return error instanceof Error ? { stack: error.stack } : {}
}

export function openLog(config: Config['log'], serviceId: string): Logger {
  const stamp = winston.format.timestamp()
  const text = winston.format.printf(({ timestamp, level, message, ...fields }) => {
    const rest = Object.entries(fields).filter(([key, value]) => key !== 'service_id' && value !== undefined)
    const tail = rest
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value, bigintText)}`)
      .join(' ')
    return `${String(timestamp)} ${level.toUpperCase().padEnd(5)} ${String(message)}${tail === '' ? '' : ` (${tail})`}`
  })
  const format = winston.format.combine(stamp, config?.format === 'json' ? winston.format.json({ bigint: true }) : text)
  const transports: winston.transport[] = [
    new winston.transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })
  ]
  if (config?.file !== undefined)
    transports.push(
      new winston.transports.File({ filename: config.file, maxsize: 10_000_000, maxFiles: 5, tailable: true })
    )
  const logger = winston.createLogger({
    level: config?.level ?? 'info',
    format,
    transports,
    defaultMeta: { service_id: serviceId }
  })
  const withFields =
    (own: Record<string, unknown>): Log =>
    (level, message, fields) =>
      void logger.log(level, message, { ...own, ...fields })
  return {
    log: withFields({}),
    with: withFields,
    close: () =>
      new Promise((resolve) => {
        logger.once('finish', () => resolve())
        logger.end()
      })
  }
}

const bigintText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
