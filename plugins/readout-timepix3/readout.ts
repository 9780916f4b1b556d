// Timepix3: packets of the event receiver with the pulse, and words of the camera: pixels, and the trigger by its own clock.
import {
  type Counter,
  type EventSink,
  type Packet,
  type Readout,
  type ReadoutSetup
} from '../service-event-formation/readout-kit.js'
import { type CameraEvent, HitClusters } from './clusters.js'
import { type Timepix3Config } from './config.js'

const EVR_SIZE = 24
const WORD = 8
/** The clock of pixels begins anew after so many ns. */
const WRAP = 26_843_545_600
/** A trigger and a pulse that arrive so close are of one time. */
const PAIR_MS = 20
const PIXEL = 11
const TDC = 6
const TDC_TYPES: Readonly<Record<number, string>> = {
  15: 'tdc1rising',
  10: 'tdc1falling',
  14: 'tdc2rising',
  11: 'tdc2falling'
}

/** One that is so little lower has come late; in exact mode another one begins anew, so that no bad number stops all that follow. */
const LATE = 2

/** A running number, of pulses or of triggers. */
class RunningNumber {
  #last = -1

  constructor(
    readonly dropped: Counter,
    readonly missing: Counter,
    readonly compatible: boolean
  ) {}

  /** Whether it is a new one. */
  isNext(number: number): boolean {
    const last = this.#last
    const isLate = number < last && (this.compatible ? number > 1 : last - number <= LATE)
    if (last >= 0 && (number === last || isLate)) {
      this.dropped.value++
      return false
    }
    if (last >= 0 && number > last + 1) this.missing.value += number - last - 1
    this.#last = number
    return true
  }
}

export class Timepix3Readout implements Readout {
  readonly #sink: EventSink
  readonly #clusters: HitClusters
  readonly #evrs: RunningNumber
  readonly #tdcs: RunningNumber
  readonly #tdcTypes: Readonly<Record<number, Counter>>
  readonly #longest: number
  readonly #count: (name: string) => Counter
  readonly #pixels: Counter
  readonly #noTime: Counter
  readonly #small: Counter
  readonly #tofs: Counter
  readonly #nextPulse: Counter
  readonly #events: Counter
  #evr = { seconds: 0, ns: 0, ms: -Infinity }
  #tdc = { ns: 0, ms: -Infinity }
  /** Time of the pulse by the clock of the pixels; -1: not known yet. */
  #zero = -1

  constructor(
    readonly config: Timepix3Config,
    readonly setup: ReadoutSetup
  ) {
    const count = (this.#count = setup.counter)
    this.#sink = setup.events('timepix3')
    this.#clusters = new HitClusters(config, (event) => this.#form(event))
    this.#longest = Math.trunc(1e9 / config.FrequencyHz)
    this.#evrs = new RunningNumber(
      count('readouts.evr.evr_readout_dropped'),
      count('readouts.evr.evr_readout_missing'),
      setup.compatible
    )
    this.#tdcs = new RunningNumber(
      count('readouts.tdc.tdc_readout_dropped'),
      count('readouts.tdc.tdc_readout_missing'),
      setup.compatible
    )
    this.#tdcTypes = Object.fromEntries(Object.entries(TDC_TYPES).map(([type, name]) => [type, count(`readouts.tdc.${name}_readout_count`)])) // prettier-ignore
    this.#pixels = count('readouts.pixel_readout_count')
    this.#noTime = count('handlers.pixelevent.no_global_time_error')
    this.#small = count('handlers.pixelevent.cluster_size_to_small')
    this.#tofs = count('handlers.pixelevent.tof_count')
    this.#nextPulse = count('handlers.pixelevent.event_time_next_pulse_count')
    this.#events = count('events.count')
  }

  process(packet: Packet): void {
    const { bytes, u32, from, to } = packet
    if (to - from === EVR_SIZE && bytes[from] === 1) return this.#takeEvr(packet)
    // A rest that is no word is left
    for (let at = from; at + WORD <= to; at += WORD) {
      const [low, high] = [u32[at >> 2]!, u32[(at + 4) >> 2]!]
      const type = high >>> 28
      if (type === PIXEL) this.#takePixel(low, high)
      else if (type === TDC) this.#takeTdc(low, high)
      else this.#count('readouts.undefined_readout_count').value++
    }
    this.#clusters.flush()
  }

  #takeEvr({ u32, from }: Packet): void {
    const word = from >> 2
    this.#count('readouts.evr.evr_readout_count').value++
    const [seconds, ns] = [u32[word + 2]!, u32[word + 3]!]
    if (ns >= 1e9) {
      this.#count('readouts.evr.evr_readout_bad_time').value++
      return
    }
    if (!this.#evrs.isNext(u32[word + 1]!)) return
    this.#evr = { seconds, ns, ms: this.setup.nowMs() }
    this.#pair()
  }

  #takeTdc(low: number, high: number): void {
    this.#count('readouts.tdc.tdc_readout_count').value++
    const type = this.#tdcTypes[(high >>> 24) & 15]
    if (type === undefined) {
      this.#count('readouts.tdc.unknown_tdc_type_count').value++
      return
    }
    type.value++
    if (!this.#tdcs.isNext((high >>> 12) & 0xfff)) return
    const coarse = (high & 0xfff) * 0x80_0000 + (low >>> 9)
    const ns = Math.trunc(3.125 * coarse + 0.26 * ((low >>> 5) & 15)) % WRAP
    this.#tdc = { ns, ms: this.setup.nowMs() }
    this.#pair()
  }

  /** The last trigger and the last pulse are of one time when they came together. */
  #pair(): void {
    const { seconds, ns, ms } = this.#evr
    if (!(Math.abs(ms - this.#tdc.ms) <= PAIR_MS)) return
    // Hits before it are of the pulse before
    this.#clusters.flush()
    this.#count('handlers.timeingevent.evr_pair_count').value++
    this.#count('handlers.timeingevent.ess_global_time_count').value++
    this.#zero = this.#tdc.ns
    if (!this.setup.compatible) return this.setup.clock.pulse(seconds, ns, 0, 0)
    // The field's program adds in doubles, and events that wait go with the pulse that is there then
    const rounded = seconds * 1e9 + ns
    const whole = Math.floor(seconds + ns / 1e9)
    this.setup.clock.pulse(whole, rounded - whole * 1e9, 0, 0, true)
  }

  #takePixel(low: number, high: number): void {
    this.#pixels.value++
    if (this.#zero < 0) {
      this.#noTime.value++
      return
    }
    const pixel = (high >>> 12) & 7
    const x = 2 * ((high >>> 21) & 0x7f) + (pixel >> 2)
    const y = 4 * ((high >>> 15) & 0x3f) + (pixel & 3)
    const { XResolution: nx, YResolution: ny, ScaleUpFactor: scale } = this.config
    if (x >= nx * scale || y >= ny * scale) {
      this.#count('geometry.pixel_errors').value++
      return
    }
    const coarse = ((high & 0xfff) << 2) | (low >>> 30)
    const ns = Math.trunc(409_600 * (low & 0xffff) + 25 * coarse - 1.5625 * ((low >>> 16) & 15))
    this.#clusters.add(ns - this.#zero + (ns < this.#zero ? WRAP : 0), x, y, (low >>> 20) & 0x3ff)
  }

  #form({ time, span, hits, weight, x, y }: CameraEvent): void {
    const { MinEventSizeHits: fewest, MinimumToTSum: lightest, MinEventTimeSpanNS: shortest, ScaleUpFactor: scale, XResolution: nx, YResolution: ny } = this.config // prettier-ignore
    if (hits < fewest || weight < lightest) {
      this.#small.value++
      return
    }
    if (span + 1 < shortest) {
      this.#count('handlers.pixelevent.cluster_time_span_to_short').value++
      return
    }
    this.#tofs.value++
    if (time > this.#longest) {
      this.#nextPulse.value++
      return
    }
    const [column, row] = [Math.trunc(x * scale), Math.trunc(y * scale)]
    if (column >= nx * scale || row >= ny * scale) {
      this.#count('geometry.pixel_errors').value++
      return
    }
    this.#events.value++
    this.#sink.add(time, row * nx * scale + column + 1)
  }
}
