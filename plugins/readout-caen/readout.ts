// Readouts of CAEN electronics: 24 bytes with four amplitudes. What they mean is a geometry, one for each detector.
import {
  type Counter,
  type EventSink,
  no,
  type Packet,
  type PulseClock,
  type Readout,
  type ReadoutSetup
} from '../service-event-formation/readout-kit.js'

export const SIZE = 24
const HIGHEST = 23

/** What readouts of one detector mean. Bytes of a readout: fibre 0, FEN 1, group 13, amplitudes A to D from 16 on. */
export interface CaenGeometry {
  /** Whether the readout can be one of this detector; counts what is wrong. */
  isValid(packet: Packet, at: number): boolean
  /** Pixel from 1 on; 0, with the reason counted, when there is none. */
  pixel(packet: Packet, at: number): number
  /**
   * Forms readouts from `at` on in one loop, up to the first that is not as nearly all are; how many. What has a counter of its
   * own, all that is wrong included, is left to the caller.
   */
  usual?(packet: Packet, at: number, clock: PulseClock): number
  /** Of the last pixel. */
  readonly sink: EventSink
}

/** pixel(x, y) of nx × ny, from 1 on; 0 outside. */
export const pixelOf = (x: number, y: number, nx: number, ny: number): number =>
  x >= 0 && x < nx && y >= 0 && y < ny ? y * nx + x + 1 : 0

interface Limits {
  readonly MaxTOFNS: number
  readonly MaxPulseTimeNS: number
}

export class CaenReadout implements Readout {
  readonly #clock: PulseClock
  readonly #shortHead: Counter
  readonly #mismatch: Counter
  readonly #ringFen: Counter
  readonly #heads: Counter
  readonly #badLength: Counter
  readonly #count: Counter
  readonly #invalid: Counter
  readonly #noPixel: Counter
  readonly #events: Counter

  constructor(
    readonly geometry: CaenGeometry,
    { clock, counter }: ReadoutSetup,
    { MaxTOFNS: longest, MaxPulseTimeNS: longestPulse }: Limits
  ) {
    this.#clock = clock
    clock.limits(longest, longestPulse)
    this.#shortHead = counter('parser.readout.error_headersize')
    this.#mismatch = counter('parser.readout.error_datlen_mismatch')
    this.#ringFen = counter('parser.readout.error_ringfen')
    this.#heads = counter('parser.readout.header.count')
    this.#badLength = counter('parser.readout.error_datlen_invalid')
    this.#count = counter('parser.readout.count')
    this.#invalid = counter('geometry.validation_errors')
    this.#noPixel = counter('geometry.pixel_errors')
    this.#events = counter('events.count')
  }

  /** Up to the first readout that is none: where the next begins is not known then. */
  process(packet: Packet): void {
    const { u32, from, to } = packet
    const { geometry } = this
    const clock = this.#clock
    let [good, events] = [0, 0]
    for (let at = from; at < to; at += SIZE) {
      const usual = geometry.usual?.(packet, at, clock) ?? 0
      good += usual
      events += usual
      at += usual * SIZE
      if (at >= to) break
      const word = at >> 2
      const head = u32[word]!
      // What is right, which is nearly all, is told by one look
      const isUsual =
        head >>> 16 === SIZE && to - at >= SIZE && (head & 0xff) <= HIGHEST && ((head >> 8) & 0xff) <= HIGHEST
      if (isUsual) good++
      else if (!this.#isReadout(packet, at)) break
      if (!geometry.isValid(packet, at)) {
        this.#invalid.value++
        continue
      }
      const tof = clock.tof(u32[word + 1]!, u32[word + 2]!)
      if (tof < 0) continue
      const pixel = geometry.pixel(packet, at)
      if (pixel === 0) {
        this.#noPixel.value++
        continue
      }
      events++
      geometry.sink.add(tof, pixel)
    }
    this.#heads.value += good
    this.#count.value += good
    this.#events.value += events
  }

  #isReadout({ bytes, u16, to }: Packet, at: number): boolean {
    if (to - at < 4) return no(this.#shortHead)
    const length = u16[(at + 2) >> 1]!
    if (length > to - at) return no(this.#mismatch)
    if (bytes[at]! > HIGHEST || bytes[at + 1]! > HIGHEST) return no(this.#ringFen)
    this.#heads.value++
    if (length !== SIZE) return no(this.#badLength)
    this.#count.value++
    return true
  }
}
