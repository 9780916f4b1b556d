// Times of commands: ms since 1970 or ISO 8601 with a zone, in ns inside.
import { CodedError } from '../../core/api/plugin.js'

export const nsOfMs = (ms: number): bigint => BigInt(Math.trunc(ms)) * 1_000_000n

const withZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)$/i
const allowed = 'a time is 2026-11-20T10:00:00Z, the same with a zone such as +01:00, or ms since 1970'
/** As ms these numbers are days of 1970 to 1973, as seconds the years 2001 to 5138. */
const LEAST_SECONDS = 1e9
const MOST_SECONDS = 1e11

/** Undefined and 0 mean: not given. Throws COMMAND_INVALID, saying what is allowed. */
export function timeNs(value: unknown, path: string): bigint | undefined {
  if (value === undefined || value === null || value === 0) return undefined
  const refuse = (why: string): CodedError =>
    new CodedError('COMMAND_INVALID', `${JSON.stringify(value)} ${why}; ${allowed}`, { path })
  if (typeof value === 'number') {
    if (value >= LEAST_SECONDS && value < MOST_SECONDS) throw refuse('looks like seconds since 1970')
    if (!(value > 0 && value < 9.2e12)) throw refuse('is not a time between 1970 and 2261')
    return nsOfMs(value)
  }
  const text = typeof value === 'string' ? value.trim() : ''
  const ms = Date.parse(text.replace(',', '.'))
  if (!Number.isFinite(ms)) throw refuse('is no time')
  if (!withZone.test(text)) throw refuse('has no time zone')
  if (ms < 0 || ms > 9.2e12) throw refuse('is not a time between 1970 and 2261')
  return nsOfMs(ms)
}

export const msOfNs = (ns: bigint | null): number | null => (ns === null ? null : Number(ns / 1_000_000n))
export const isoOfNs = (ns: bigint | null): string | null =>
  ns === null ? null : new Date(Number(ns / 1_000_000n)).toISOString()
