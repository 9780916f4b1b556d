// A value of a PV as people read it in one line, and as scripts do.
import { type Terminal } from '../../core/api/plugin.js'
import {
  ALARM_SEVERITIES,
  alarmText,
  connectionName,
  element,
  EPICS_EPOCH_NS,
  isStructure,
  type PvValue,
  type Update,
  type Vector
} from '../../schemas/index.js'

/** Elements of an array that are shown. */
const SHOWN = 10

const isVector = (value: unknown): value is Vector => typeof value === 'object' && value !== null && 'dtype' in value

/** With nine digits after the second, UTC; undefined: the record was never processed, or has no time. */
function timeOf(ns: bigint): string | undefined {
  if (ns === 0n || ns === EPICS_EPOCH_NS) return undefined
  const second = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  return `${second}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`
}

/** Numbers with the digits of the record (PREC) where it has any. */
function scalar(value: number | bigint | boolean | string | null, precision: number | null): string {
  if (typeof value === 'number' && !Number.isInteger(value) && precision !== null && precision > 0)
    return value.toFixed(Math.min(precision, 17))
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function list(items: readonly string[], length: number): string {
  return `[${length}: ${items.join(' ')}${length > items.length ? ' …' : ''}]`
}

function wordsOf(value: PvValue, precision: number | null): string {
  if (isVector(value)) {
    const items = Array.from({ length: Math.min(SHOWN, value.length) }, (_, i) => scalar(element(value, i), precision))
    return list(items, value.length)
  }
  if (isStructure(value)) return `{${[...value.fields].map(([key, item]) => `${key}: ${wordsOf(item, precision)}`).join(', ')}}` // prettier-ignore
  if (Array.isArray(value)) {
    const items = value as readonly PvValue[]
    return list(items.slice(0, SHOWN).map((item) => wordsOf(item, precision)), items.length) // prettier-ignore
  }
  return scalar(value as Parameters<typeof scalar>[0], precision)
}

const enumOf = ({ dtype, value, enumStrings }: Update): string | undefined =>
  dtype === 'enum' ? enumStrings?.[Number(value)] : undefined

/** `2026-11-21T12:00:00.123456789Z SE:TEMP 4.20 K HIGH MINOR`. */
export function lineOf(name: string, update: Update, state: string, { bold, colour, visible }: Terminal): string {
  const { timestampNs, value, precision, units, alarm } = update
  const time = colour.dim(timeOf(timestampNs) ?? '<no time>'.padEnd(30))
  const head = `${time} ${bold(visible(name))}`
  if (state !== '') return `${head} ${colour.red(state)}`
  const text = enumOf(update) ?? (typeof value === 'string' ? value : wordsOf(value, precision))
  const shown = [text, units].filter((word) => word !== '').map(visible)
  const severity = ALARM_SEVERITIES[alarm.severity] ?? String(alarm.severity)
  const paint = [(words: string) => words, colour.yellow, colour.red, colour.magenta][alarm.severity] ?? colour.magenta
  const words = alarm.severity === 0 ? [] : [paint(visible(`${alarmText(alarm)} ${severity}`))]
  return [head, ...shown, ...words].join(' ')
}

function plain(value: PvValue): unknown {
  if (isVector(value)) return Array.from({ length: value.length }, (_, i) => element(value, i))
  if (isStructure(value)) return Object.fromEntries([...value.fields].map(([key, item]) => [key, plain(item)]))
  return Array.isArray(value) ? (value as readonly PvValue[]).map(plain) : value
}

/** All of it, with every element and digit. */
export function jsonOf(update: Update): Readonly<Record<string, unknown>> {
  const { kind, timestampNs, value, units, alarm, connection } = update
  const time = timeOf(timestampNs) ?? null
  if (kind === 'connection') return { time, connection: connectionName(connection) }
  const text = enumOf(update)
  return {
    time,
    value: plain(value),
    ...(text !== undefined && { enum: text }),
    units,
    severity: ALARM_SEVERITIES[alarm.severity] ?? alarm.severity,
    alarm: alarmText(alarm)
  }
}
