// Numbers, times and names as people read them.
const plain = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 })
const narrow = '\u202f'

/** 1234567 → `1 234 567`. */
export const whole = (n: number): string => plain.format(Math.round(n)).replaceAll(',', narrow)

const prefixes = ['', 'k', 'M', 'G', 'T', 'P']

/** 1234567, `B` → `1.23 MB`. */
export function scaled(n: number, unit = ''): string {
  const step = n === 0 ? 0 : Math.min(prefixes.length - 1, Math.max(0, Math.floor(Math.log10(Math.abs(n)) / 3)))
  const value = n / 1000 ** step
  const digits = step === 0 && Number.isInteger(n) ? 0 : Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  const text = `${value.toFixed(digits)}${narrow}${prefixes[step]}${unit}`
  return text.trim()
}

/** A value of the control system: as many digits as it has, no more than people can use. */
export function valueText(value: number | string | boolean | null): string {
  if (typeof value !== 'number') return value === null ? '–' : String(value)
  if (!Number.isFinite(value) || Number.isInteger(value)) return String(value)
  const size = Math.abs(value)
  return size >= 1e6 || size < 1e-3 ? value.toExponential(4) : String(Number(value.toPrecision(7)))
}

/** Seconds → `4 s`, `3 min`, `2 h 05 min`, `3 d 4 h`. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  if (s < 100) return `${s} s`
  const min = Math.floor(s / 60)
  if (min < 100) return `${min} min`
  const hours = Math.floor(min / 60)
  if (hours < 48) return `${hours} h ${String(min % 60).padStart(2, '0')} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

export const age = (sinceMs: number, nowMs: number): string => span((nowMs - sinceMs) / 1000)

/** Local time of day, to the second. */
export const clock = (ms: number): string => new Date(ms).toLocaleTimeString('en-GB', { hour12: false })

/** Local date and time, to the millisecond. */
export const moment = (ms: number): string => {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000)
  return local.toISOString().replace('T', ' ').replace('Z', '')
}

/** `before_start` → `before start`. */
export const words = (name: string): string => name.replaceAll('_', ' ')

/** Last part of a path. */
export const baseName = (path: string): string => path.split('/').at(-1) ?? path

export const text = (value: unknown): string => (typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value)) // prettier-ignore
export const number = (value: unknown): number => (typeof value === 'number' ? value : 0)
