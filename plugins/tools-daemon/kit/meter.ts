// How far something is that takes its time: a bar, rate and time left on one line, for people only.
import { type Terminal } from '../../../core/api/plugin.js'
import { bytes } from './table.js'

/** What is told of the way so far. */
export interface Way {
  readonly done: number
  /** Undefined: nobody knows. */
  readonly total?: number | undefined
  /** Bytes besides, where `done` counts something else. */
  readonly bytes?: number
}

const CELLS = 20
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

function barOf(share: number): string {
  const eighths = Math.floor(share * CELLS * 8)
  const bar = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]
  return bar.padEnd(CELLS, '░')
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
function timeOf(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

const rateOf = (rate: number): string => (rate < 10 ? rate.toFixed(1) : String(Math.round(rate)))

/**
 * `████░░░ 40 %  400 of 1000 messages, 1.2 MB, 80/s, 8 s left` after `seconds`; `unit` is `bytes` or what is counted. Without a total
 * there is neither bar nor time left.
 */
export function meterText({ done, total, bytes: size }: Way, unit: string, seconds: number): string {
  const shown = (count: number): string => (unit === 'bytes' ? bytes(count) : String(count))
  const rate = seconds > 0 ? done / seconds : 0
  const speed = unit === 'bytes' ? `${bytes(Math.round(rate))}/s` : `${rateOf(rate)}/s`
  const isKnown = total !== undefined && total > 0
  const share = isKnown ? Math.min(1, done / total) : 0
  const head = isKnown ? `${barOf(share)} ${Math.floor(share * 100)} %  ` : ''
  const of = isKnown ? ` of ${shown(total)}` : ''
  const left = isKnown && rate > 0 ? `, ${timeOf((total - done) / rate)} left` : ''
  const what = unit === 'bytes' ? '' : ` ${unit}`
  const more = size === undefined ? '' : `, ${bytes(size)}`
  return `${head}${shown(done)}${of}${what}${more}, ${speed}${left}`
}

/** Nothing is shown of what is over sooner, and not more often than a person can read. */
const [FIRST_MS, EVERY_MS] = [1000, 250]

/** Tells `progress` how far it is; `way` is asked only when its answer is shown. Say `progress('')` in the end. */
export function meter({ progress }: Pick<Terminal, 'progress'>, unit: string): (way: () => Way) => void {
  const beganMs = performance.now()
  let nextMs = beganMs + FIRST_MS
  return (way) => {
    const now = performance.now()
    if (now < nextMs) return
    nextMs = now + EVERY_MS
    progress(meterText(way(), unit, (now - beganMs) / 1000))
  }
}
