// Beam monitors: readouts of 20 bytes, each an event, a point of an area, or a sum of samples.
import { CodedError } from '../../core/api/plugin.js'
import {
  type Counter,
  countersOf,
  type EventSink,
  none,
  type Packet,
  type PulseClock,
  type Readout,
  type ReadoutSetup,
  TICKS_PER_SECOND,
  type TofHistogramSink
} from '../service-event-formation/readout-kit.js'
import { type CbmConfig, type Monitor } from './config.js'

export const SIZE = 20
const FIBRES = 24
const FENS = 24
const CHANNELS = 256
export const types = { EVENT_0D: 1, EVENT_2D: 2, IBM: 3 } as const

/** One monitor as it is read: numbers only. */
interface Source {
  readonly type: number
  readonly offset: number
  readonly width: number
  readonly height: number
  readonly events: EventSink | undefined
  readonly histogram: TofHistogramSink | undefined
}

function sourceOf(monitor: Monitor, index: number, setup: ReadoutSetup): Source {
  const wrong = (why: string): CodedError => new CodedError('DETECTOR_INVALID', why, { path: `/Topology/${index}` })
  const { Type, Schema, Source: name, PixelOffset, Width = 0, Height = 0, MaxTofBin = 0, BinCount = 0 } = monitor
  if (Type === 'EVENT_2D' && Schema === 'da00') throw wrong('EVENT_2D can be ev44 only')
  if (Type === 'EVENT_2D' && Width * Height === 0) throw wrong('EVENT_2D needs Width and Height')
  if (Schema === 'da00' && Math.trunc(MaxTofBin / Math.max(BinCount, 1)) === 0)
    throw wrong('da00 needs MaxTofBin and BinCount, and bins of 1 ns at least')
  const { AggregatedFrames: frames, AggregationMode: mode } = monitor
  return {
    type: types[Type],
    offset: PixelOffset,
    width: Width,
    height: Height,
    events: Schema === 'ev44' ? setup.events(name) : undefined,
    histogram:
      Schema === 'da00'
        ? setup.histogram(name, { maxTof: MaxTofBin, bins: BinCount, frames, average: mode === 1 })
        : undefined
  }
}

const errorNames = ['no_data', 'size', 'fiber', 'fen', 'datalen', 'timefrac', 'type'] as const
const geometryNames = ['ring', 'monitor_ring_mismatch', 'fen', 'topology', 'type_mismatch', 'xpos', 'ypos', 'pixel', 'validation'] as const // prettier-ignore
type Named<T extends readonly string[]> = Readonly<Record<T[number], Counter>>

export class CbmReadout implements Readout {
  /** By FEN and channel. */
  readonly #sources: (Source | undefined)[] = Array.from({ length: FENS * CHANNELS })
  /** The same without those of front end nodes that are too high. */
  readonly #usual: (Source | undefined)[]
  /** That of the ring, without its lowest bit; -1 when none is. */
  readonly #fibre: number
  /** Readouts and events of the packet, by type. */
  readonly #seen = new Uint32Array(4)
  readonly #made = new Uint32Array(4)
  #ibmSum = 0
  readonly #errors: Named<typeof errorNames>
  readonly #geometry: Named<typeof geometryNames>
  readonly #good: readonly Counter[]
  readonly #formed: readonly Counter[]
  readonly #looked: Counter
  readonly #processed: Counter
  readonly #sum: Counter
  readonly #clock: PulseClock
  readonly #compatible: boolean

  /** @param areasOnly - BEER: all readouts are points of areas */
  constructor(
    readonly config: CbmConfig,
    setup: ReadoutSetup,
    readonly areasOnly: boolean
  ) {
    this.#clock = setup.clock
    this.#compatible = setup.compatible
    this.#clock.limits(config.MaxTOFNS, config.MaxPulseTimeDiffNS)
    for (const [index, monitor] of config.Topology.entries()) {
      const key = monitor.FEN * CHANNELS + monitor.Channel
      if (this.#sources[key] !== undefined)
        throw new CodedError('DETECTOR_INVALID', `FEN ${monitor.FEN} channel ${monitor.Channel} is there twice`, {
          path: `/Topology/${index}`
        })
      this.#sources[key] = sourceOf(monitor, index, setup)
    }
    this.#usual = this.#sources.slice(0, (config.MaxFENId + 1) * CHANNELS)
    this.#fibre = config.MonitorRing <= config.MaxRing ? config.MonitorRing << 1 : -1
    const counter = (name: string): Counter => setup.counter(name)
    this.#errors = countersOf(errorNames, (name) => counter(`parser.readout.errors.${name}`))
    this.#geometry = countersOf(geometryNames, (name) => counter(`geometry.${name}_errors`))
    this.#good = ['0d', '2d', 'ibm'].map((name) => counter(`parser.readout.count.${name}`))
    this.#formed = ['event0d', 'event2d', 'ibm'].map((name) => counter(`events.${name}`))
    this.#looked = counter('parser.readout.count')
    this.#processed = counter('readouts.processed')
    this.#sum = counter('events.ibm_npos_sum')
  }

  process({ bytes, u16, u32, from, to }: Packet): void {
    if (from === to) {
      this.#errors.no_data.value++
      return
    }
    if ((to - from) % SIZE !== 0) {
      this.#errors.size.value++
      return
    }
    this.#seen.fill(0)
    this.#made.fill(0)
    for (let at = from; at < to; at += SIZE) {
      if (this.#isUsual(u32, at)) continue
      this.#looked.value++
      const wrong = this.#wrong(bytes, u16, u32, at)
      if (wrong === undefined) this.#form(bytes, u16, u32, at)
      else {
        wrong.value++
        // The field's program looks at it once more for each place that is left
        if (!this.#compatible) continue
        const left = (to - at) / SIZE - 1
        this.#looked.value += left
        wrong.value += left
        break
      }
    }
    this.#count()
  }

  /** Whether all of it is right, in which case it is formed: nearly all of them go this way, so it looks at each word once. */
  #isUsual(u32: Uint32Array, at: number): boolean {
    const word = at >> 2
    const head = u32[word]!
    const ticks = u32[word + 2]!
    const kind = u32[word + 3]!
    const value = u32[word + 4]!
    const source = this.#usual[(head & 0xff00) | ((kind >> 8) & 0xff)]
    if (source === undefined || (head & 0xfe) !== this.#fibre || head >>> 16 !== SIZE) return false
    const { type, width, events, histogram } = source
    if ((kind & 0xff) !== type || ticks >= TICKS_PER_SECOND) return false
    const x = value & 0xffff
    const y = value >>> 16
    if (type === types.EVENT_2D && (x >= width || y >= source.height)) return false
    this.#seen[type]!++
    const tof = this.#clock.tof(u32[word + 1]!, ticks)
    if (tof < 0) return true
    this.#made[type]!++
    let what = source.offset
    if (type === types.EVENT_0D && what === 0 && events !== undefined) this.#geometry.pixel.value++
    else if (type === types.EVENT_2D) what += y * width + x + 1
    else if (type === types.IBM) this.#ibmSum += what = this.#value(value)
    if (histogram === undefined) events!.add(tof, what)
    else histogram.add(tof, type === types.IBM ? what : 1)
    return true
  }

  /** What was usual. */
  #count(): void {
    for (let type = types.EVENT_0D; type <= types.IBM; type++) {
      const [seen, made] = [this.#seen[type]!, this.#made[type]!]
      this.#looked.value += seen
      this.#good[type - 1]!.value += seen
      this.#processed.value += made
      this.#formed[type - 1]!.value += made
    }
    this.#sum.value += this.#ibmSum
    this.#ibmSum = 0
  }

  #wrong(bytes: Uint8Array, u16: Uint16Array, u32: Uint32Array, at: number): Counter | undefined {
    const { fiber, fen, datalen, timefrac, type: kind } = this.#errors
    if (bytes[at]! >= FIBRES) return fiber
    if (bytes[at + 1]! >= FENS) return fen
    if (u16[(at + 2) >> 1] !== SIZE) return datalen
    if (u32[(at + 8) >> 2]! >= TICKS_PER_SECOND) return timefrac
    const type = bytes[at + 12]!
    if (type < 1 || type > 3 || (this.areasOnly && type !== types.EVENT_2D)) return kind
    this.#good[type - 1]!.value++
    return undefined
  }

  #form(bytes: Uint8Array, u16: Uint16Array, u32: Uint32Array, at: number): void {
    const source = this.#place(bytes, u16, at)
    if (source === undefined) {
      this.#geometry.validation.value++
      return
    }
    const tof = this.#clock.tof(u32[(at + 4) >> 2]!, u32[(at + 8) >> 2]!)
    if (tof < 0) return
    this.#processed.value++
    this.#formed[source.type - 1]!.value++
    if (source.type === types.IBM) this.#add(source, tof, this.#value(u32[(at + 16) >> 2]!))
    else if (source.type === types.EVENT_0D) {
      if (source.offset === 0 && source.events !== undefined) this.#geometry.pixel.value++
      source.events?.add(tof, source.offset)
      source.histogram?.add(tof, 1)
    } else {
      const x = u16[(at + 16) >> 1]!
      source.events?.add(tof, u16[(at + 18) >> 1]! * source.width + x + 1 + source.offset)
    }
  }

  #add(source: Source, tof: number, value: number): void {
    this.#sum.value += value
    source.events?.add(tof, value)
    source.histogram?.add(tof, value)
  }

  /** Of a sum of samples in 24 bits and their number in 8. */
  #value(word: number): number {
    const sum = word & 0xffffff
    const samples = word >>> 24
    return this.config.NormalizeIBMReadouts && samples > 0 ? Math.trunc(sum / samples) : sum
  }

  #place(bytes: Uint8Array, u16: Uint16Array, at: number): Source | undefined {
    const { config } = this
    const errors = this.#geometry
    const ring = bytes[at]! >> 1
    const fen = bytes[at + 1]!
    if (ring > config.MaxRing) return none(errors.ring)
    if (ring !== config.MonitorRing) return none(errors.monitor_ring_mismatch)
    if (fen > config.MaxFENId) return none(errors.fen)
    const source = this.#sources[fen * CHANNELS + bytes[at + 13]!]
    if (source === undefined) return none(errors.topology)
    if (bytes[at + 12] !== source.type) return none(errors.type_mismatch)
    if (source.type !== types.EVENT_2D) return source
    if (u16[(at + 16) >> 1]! >= source.width) return none(errors.xpos)
    return u16[(at + 18) >> 1]! >= source.height ? none(errors.ypos) : source
  }
}
