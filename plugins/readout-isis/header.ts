// The older header of 16 words, big-endian, that ISIS' boards put before what they tell of a frame.

export const HEADER_BYTES = 64
export const MARKER = 0xffffffff
export const EVENT_BYTES = 8
const FIRST_YEAR = 2000
const LENGTH_BITS = 0xfff

/** First byte of the second word. */
export const kinds = { neutrons: 0xff, vetoes: 0xbf, environment: 0xdf, end: 0x7f } as const

export interface BoardHeader {
  readonly kind: number
  readonly frame: number
  /** ns since 1970; undefined for what is no time. */
  readonly timeNs: bigint | undefined
  /** From 0. */
  readonly period: number
  readonly events: number
  readonly protons: number
  readonly vetoes: number
  /** Words, as the board says. */
  readonly length: number
}

/** Undefined where no marker is. */
export function readHeader(view: DataView, at: number): BoardHeader | undefined {
  const word = (i: number): number => view.getUint32(at + 4 * i)
  if (word(0) !== MARKER) return undefined
  return {
    kind: word(1) >>> 24,
    frame: word(3),
    timeNs: gpsTime(word(4), word(5)),
    period: word(6) >>> 16,
    events: word(7),
    protons: word(8) >>> 24,
    vetoes: word(9) >>> 16,
    length: word(13) & LENGTH_BITS
  }
}

/** Year since 2000 (8 bits), day (9), hour (5), minute (6), second (6), ms, µs, ns (10 each). */
export function gpsTime(high: number, low: number): bigint | undefined {
  const [year, day, hour, minute] = [high >>> 24, (high >>> 15) & 0x1ff, (high >>> 10) & 0x1f, (high >>> 4) & 0x3f]
  const second = ((high & 0xf) << 2) | (low >>> 30)
  const [ms, us, ns] = [(low >>> 20) & 0x3ff, (low >>> 10) & 0x3ff, low & 0x3ff]
  const isTime = day >= 1 && day <= 366 && hour < 24 && minute < 60 && second <= 60 && ms < 1000 && us < 1000 && ns < 1000 // prettier-ignore
  if (!isTime) return undefined
  return BigInt(Date.UTC(FIRST_YEAR + year, 0, day, hour, minute, second, ms)) * 1_000_000n + BigInt(us * 1000 + ns)
}

/** Zeros fill up a datagram. */
export function isFilling(view: DataView, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (view.getUint8(at) !== 0) return false
  return true
}
