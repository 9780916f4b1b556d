// Moments and numbers as people write them on the command line.
import { CodedError, parseDuration } from '../../../core/api/plugin.js'

const usage = (message: string): CodedError => new CodedError('CLI_USAGE', message)

const dated = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?)?$/i

/** A date, or a date and a time, as ISO 8601 with a zone: UTC where none is given, for both. Undefined for anything else. */
export function zoned(text: string): string | undefined {
  const [, date, time = '00:00:00', zone = 'Z'] = dated.exec(text.trim()) ?? []
  return date === undefined ? undefined : `${date}T${time.replace(',', '.')}${zone.toUpperCase()}`
}

/** A moment in ms since the Unix epoch: ISO 8601, in UTC without a zone, ms, `now`, or a duration ago or ahead (`-5min`, `+10s`). */
export function moment(text: string, nowMs = Date.now()): number {
  if (text === 'now') return nowMs
  if (/^[-+]/.test(text)) return nowMs + (text.startsWith('-') ? -1 : 1) * parseDuration(text.slice(1))
  if (/^\d{11,14}$/.test(text)) return Number(text)
  const parsed = Date.parse(zoned(text) ?? 'none')
  if (!Number.isNaN(parsed)) return parsed
  const seconds = /^\d{9,10}$/.test(text) ? ' (it looks like seconds since 1970)' : ''
  const allowed = '2026-11-21T12:00:00Z or +01:00 (UTC without a zone), ms since 1970, now, -5min or +10s'
  throw usage(`'${text}' is no moment${seconds}; write ${allowed}`)
}

/** A whole number ≥ 0. */
export function countOf(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw usage(`'${text}' is no whole number`)
  return value
}
