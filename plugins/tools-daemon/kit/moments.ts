// Moments and numbers as people write them on the command line.
import { CodedError, parseDuration } from '../../../core/api/plugin.js'

const usage = (message: string): CodedError => new CodedError('CLI_USAGE', message)

const dated = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?)?$/i

/** A date, or a date and a time, as ISO 8601 with a zone: UTC where none is given, for both. Undefined for anything else. */
export function zoned(text: string): string | undefined {
  const [, date, time = '00:00:00', zone = 'Z'] = dated.exec(text.trim()) ?? []
  return date === undefined ? undefined : `${date}T${time.replace(',', '.')}${zone.toUpperCase()}`
}

const DAY_MS = 86_400_000
const days: Readonly<Record<string, number>> = { yesterday: -1, today: 0, tomorrow: 1 }
const clocked =
  /^(?:(yesterday|today|tomorrow)(?:\s+|$))?(?:(\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?)?$/i

/** `10:30`, `yesterday`, `yesterday 10:30` as ISO 8601: of this day, in UTC without a zone. Undefined for anything else. */
function ofDays(text: string, nowMs: number): { readonly iso: string; readonly hasZone: boolean } | undefined {
  const [whole = '', day, clock = '00:00', zone] = clocked.exec(text.trim()) ?? []
  if (whole === '') return undefined
  const offsetMs =
    zone === undefined ? 0 : Date.parse('1970-01-01T00:00Z') - Date.parse(`1970-01-01T00:00${zone.toUpperCase()}`)
  // The day of those who write the zone
  const date = new Date(nowMs + offsetMs + (days[(day ?? 'today').toLowerCase()] ?? 0) * DAY_MS)
    .toISOString()
    .slice(0, 10)
  const time = clock.replace(',', '.').padStart(clock.indexOf(':') === 1 ? clock.length + 1 : clock.length, '0')
  return { iso: `${date}T${time}${zone?.toUpperCase() ?? 'Z'}`, hasZone: zone !== undefined }
}

/** Whether it depends on the day or the moment at which it is read: `now`, `-5min`, `10:30`, `yesterday`. */
export const isRelative = (text: string): boolean =>
  text === 'now' || /^[-+]/.test(text) || ofDays(text, 0) !== undefined

/**
 * A moment in ms since the Unix epoch: ISO 8601, a time of today (`10:30`), `yesterday`, `today 10:30`, all in UTC without a zone; ms,
 * `now`, or a duration ago or ahead (`-5min`, `+10s`). `say` is told what was understood where no zone was written.
 */
export function moment(text: string, say: (line: string) => void = () => undefined, nowMs = Date.now()): number {
  if (text === 'now') return nowMs
  if (/^[-+]/.test(text)) return nowMs + (text.startsWith('-') ? -1 : 1) * parseDuration(text.slice(1))
  if (/^\d{11,14}$/.test(text)) return Number(text)
  const day = ofDays(text, nowMs)
  const parsed = Date.parse(day?.iso ?? zoned(text) ?? 'none')
  if (!Number.isNaN(parsed)) {
    if (day === undefined ? !/(Z|[+-]\d\d:?\d\d)$/i.test(text.trim().slice(10)) : !day.hasZone)
      say(
        `${text} is taken as ${new Date(parsed).toISOString().replace('.000Z', 'Z')}: UTC, as no zone is written (+01:00)`
      )
    return parsed
  }
  const seconds = /^\d{9,10}$/.test(text) ? ' (it looks like seconds since 1970)' : ''
  const allowed =
    '2026-11-21T12:00:00Z or +01:00, 10:30, yesterday 10:30 (UTC without a zone), ms since 1970, now, -5min or +10s'
  throw usage(`'${text}' is no moment${seconds}; write ${allowed}`)
}

/** A whole number ≥ 0; `what` names it where it is none. */
export function countOf(text: string, what: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw usage(`${what}: '${text}' is no whole number; write 0, 1, 2 …`)
  return value
}
