// Durations as people write them.
import { CodedError } from './errors.js'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** "2s", "500ms", "1.5h" or a bare number of milliseconds → milliseconds. */
export function durationMs(value: string | number): number {
  if (typeof value === 'number') return value
  const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|min|h|d)$/.exec(value)
  if (match === null) throw new RangeError(`'${value}' is not a duration such as 2s or 500ms`)
  return Number(match[1]) * (unitMs[match[2] ?? ''] ?? NaN)
}

/** Of the command line: `500ms`, `2s`, `5min`, `1h` → milliseconds. A bare number is refused: nobody could tell which unit is meant. */
export function parseDuration(text: string): number {
  try {
    return Math.round(durationMs(text.trim().replace(/\s+(?=[a-z])/, '')))
  } catch {
    throw new CodedError('CLI_USAGE', `'${text}' is no duration; write 500ms, 2s, 5min or 1h`)
  }
}
