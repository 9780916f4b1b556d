// The log: winston, one line an event, on standard error (standard output is for data).
import winston from 'winston'
import { redacted } from './config.js'
import { type DaemonConfig } from './config-schema.js'
import { CodedError } from './api/errors.js'
import { type LogLevel, type LogLine } from './api/plugin.js'
import { visible, visibleJson } from './api/visible.js'

export type Log = (level: LogLevel, message: string, fields?: Record<string, unknown>) => void

export interface Logger {
  readonly log: Log
  /** Least severe level that is logged; may be changed at any time. */
  level: LogLevel
  /** Gets each line; one that it gives back as written does not go to standard error. */
  hear: (line: LogLine) => LogLine
  /** A log whose lines carry these fields. */
  with(fields: Record<string, unknown>): Log
  close(): Promise<void>
}

/** Fields of an error for a log line. */
export function errorFields(error: unknown): Record<string, unknown> {
  if (error instanceof CodedError) return { code: error.code, path: error.path, ...error.fields }
  return error instanceof Error ? { stack: error.stack } : {}
}

/** What a line says of itself: a field of the same name is written with an underscore behind it. */
const ownKeys = new Set(['timestamp', 'level', 'message', 'service_id'])

function renamed(fields: Record<string, unknown>): Record<string, unknown> {
  if (!Object.keys(fields).some((key) => ownKeys.has(key))) return fields
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [ownKeys.has(key) ? `${key}_` : key, value]))
}

/** One event; its fields are kept apart from what the line says of itself until it is written. */
interface Line {
  readonly level: string
  readonly message: unknown
  readonly timestamp?: unknown
  readonly fields?: Record<string, unknown>
  readonly written?: boolean
}

function textLine({ timestamp, level, message, fields = {} }: Line): string {
  const shown = Object.entries(fields).filter(([, value]) => value !== undefined)
  const tail = shown.map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value, bigintText)}`) // prettier-ignore
  const rest = tail.length === 0 ? '' : ` (${tail.join(' ')})`
  return visible(`${String(timestamp)} ${level.toUpperCase().padEnd(5)} ${String(message)}${rest}`)
}

function jsonLine({ timestamp, level, message, fields = {} }: Line, serviceId: string): string {
  return visibleJson(JSON.stringify({ ...fields, timestamp, level, message, service_id: serviceId }, bigintText))
}

/** Standard error, for what nobody has written in its place. */
class Console extends winston.transports.Console {
  override log(info: Line, next: () => void): void {
    if (info.written === true) next()
    else super.log?.(info, next)
  }
}

export function openLog(config: DaemonConfig['log'], serviceId: string): Logger {
  const json = config?.format === 'json'
  const print = winston.format.printf((info) => {
    const line = info as unknown as Line
    return json ? jsonLine(line, serviceId) : textLine(line)
  })
  const transports: winston.transport[] = [new Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })]
  if (config?.file !== undefined)
    transports.push(
      new winston.transports.File({ filename: config.file, maxsize: 10_000_000, maxFiles: 5, tailable: true })
    )
  const logger = winston.createLogger({
    level: config?.level ?? 'info',
    format: winston.format.combine(winston.format.timestamp(), print),
    transports
  })
  let hear: Logger['hear'] = (line) => line
  let hearing = false
  /** Whether someone has written it. What is logged of trouble with that is heard by nobody. */
  const isWritten = (line: Pick<LogLine, 'level' | 'message' | 'fields'>): boolean => {
    if (hearing || !logger.isLevelEnabled(line.level)) return false
    hearing = true
    const { written } = hear({ ...line, timeMs: Date.now(), service_id: serviceId })
    hearing = false
    return written === true
  }
  let ended = false
  const withFields =
    (own: Record<string, unknown>): Log =>
    (level, message, fields) => {
      // What is left behind by a part that did not stop must not end the process
      if (ended) process.stderr.write(`${visible(`after the end: ${level} ${message}`)}\n`)
      else {
        const line = { level, message, fields: redacted(renamed({ ...own, ...fields })) }
        logger.log({ ...line, written: isWritten(line) })
      }
    }
  return {
    get level() {
      return logger.level as LogLevel
    },
    set level(level) {
      logger.level = level
    },
    get hear() {
      return hear
    },
    set hear(given) {
      hear = given
    },
    log: withFields({}),
    with: withFields,
    close: () =>
      new Promise((resolve) => {
        ended = true
        logger.once('finish', () => resolve())
        logger.end()
      })
  }
}

const bigintText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
