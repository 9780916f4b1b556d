// Packets of a camera, made up: the pulse by the event receiver, its trigger, and clusters of pixels.
import { indexAt, type ReadoutWriter, ticksToNs } from '../service-event-formation/readout-kit.js'
import { type Timepix3Config } from './config.js'

const EVR_SIZE = 24
const WORD = 8
/** The clock of pixels begins anew after so many ns. */
const WRAP = 26_843_545_600n
const NS = 1_000_000_000n
/** ns of the clock of pixels, and of the coarser counter above it. */
const TICK = 25
const COARSE = 409_600
const PIXEL = 11
const TDC = 6
const TDC1_RISING = 15
/** Of each pixel; four are a neutron. */
const OVER_THRESHOLD = 30
const FEWEST = 4

/** By the camera's clock. */
const cameraNs = (seconds: number, nanoseconds: number): number =>
  Number((BigInt(seconds) * NS + BigInt(nanoseconds)) % WRAP)

function putWord(view: DataView, at: number, high: number, low: number): void {
  view.setUint32(at, low >>> 0, true)
  view.setUint32(at + 4, high >>> 0, true)
}

function putTrigger(view: DataView, at: number, number: number, ns: number): void {
  // 35 bits of 3.125 ns, from bit 9 on
  const counts = Math.floor(ns / 3.125)
  putWord(view, at, (TDC << 28) | (TDC1_RISING << 24) | ((number & 0xfff) << 12) | Math.floor(counts / 2 ** 23), (counts % 2 ** 23) * 2 ** 9) // prettier-ignore
}

function putPixel(view: DataView, at: number, [x, y]: readonly [number, number], ns: number): void {
  const coarse = Math.floor(ns / COARSE)
  const ticks = Math.floor((ns % COARSE) / TICK)
  const place = ((x >> 1) << 21) | ((y >> 2) << 15) | (((x & 1) * 4 + (y & 3)) << 12)
  putWord(view, at, (PIXEL << 28) | place | (ticks >> 2), ((ticks & 3) << 30) | (OVER_THRESHOLD << 20) | coarse)
}

export function timepix3Writer({
  XResolution: nx,
  YResolution: ny,
  MinEventSizeHits: fewest,
  MinimumToTSum: lightest
}: Timepix3Config): ReadoutWriter {
  // prettier-ignore
  const hits = Math.max(FEWEST, fewest, Math.ceil(lightest / OVER_THRESHOLD))
  const side = Math.ceil(Math.sqrt(hits))
  let pulses = 0
  let isTriggered = true
  return {
    size: side * side * WORD,
    before({ seconds, nanoseconds }) {
      const view = new DataView(new ArrayBuffer(EVR_SIZE))
      view.setUint8(0, 1)
      for (const [i, word] of [++pulses, seconds, nanoseconds, seconds, nanoseconds].entries()) view.setUint32(4 + 4 * i, word, true) // prettier-ignore
      isTriggered = false
      return new Uint8Array(view.buffer)
    },
    head(view, { seconds, nanoseconds }) {
      if (isTriggered) return 0
      isTriggered = true
      putTrigger(view, 0, pulses, cameraNs(seconds, nanoseconds))
      return WORD
    },
    write(view, at, { u, v, seconds, ticks }) {
      const [x, y] = [Math.min(nx - side, indexAt(u, nx)), Math.min(ny - side, indexAt(v, ny))]
      // Never before the trigger
      const ns = Math.ceil(cameraNs(seconds, ticksToNs(ticks)) / TICK) * TICK
      for (let i = 0; i < side * side; i++)
        putPixel(view, at + i * WORD, [x + (i % side), y + Math.floor(i / side)], ns % Number(WRAP))
    }
  }
}
