// FREIA, ESTIA, AMOR: wires and strips of cassettes, hit at one time, become events.
import {
  type Counter,
  countersOf,
  type EventSink,
  no,
  none,
  type Packet,
  type PulseClock,
  type Readout,
  type ReadoutSetup,
  ticksToNs
} from '../service-event-formation/readout-kit.js'
import { EventBuilder, type PlaneHits } from './builder.js'
import { VmmCalibration } from './calibration.js'
import { type MultiBladeConfig } from './config.js'
import { type BladeGeometry, geometries } from './geometry.js'
import { FENS, HybridTable, RINGS, tofOf } from './hybrids.js'
import { SIZE, VmmParser } from './readout.js'

const LONGEST = 1_000_000_000
const WIRES = [16, 47] as const

interface Hybrid {
  readonly index: number
  readonly cassette: number
  readonly thresholds: readonly number[]
  readonly builder: EventBuilder
}

const counterNames = ['cluster.matched_clusters', 'cluster.no_coincidence', 'cluster.strip_only', 'cluster.wire_only', 'events.count', 'events.wire_gaps', 'events.strip_gaps', 'geometry.pixel_errors', 'geometry.validation_errors', 'geometry.ring_errors', 'geometry.fen_errors', 'geometry.hybrid_mapping_errors', 'geometry.wire_channel_range_errors', 'geometry.invalid_xcoord_error', 'geometry.invalid_ycoord_error', 'readouts.adc_max', 'readouts.below_threshold'] as const // prettier-ignore

export class MultiBlade implements Readout {
  readonly #parser: VmmParser
  readonly #geometry: BladeGeometry
  readonly #hybrids: HybridTable<Hybrid>
  /** By cassette. */
  readonly #builders: EventBuilder[]
  readonly #calibration: VmmCalibration
  readonly #clock: PulseClock
  readonly #sink: EventSink
  readonly #count: Readonly<Record<(typeof counterNames)[number], Counter>>
  readonly #compatible: boolean
  /** Seconds that times of hits are counted from: those of the first of the packet; since 1970 as the field's program does it. */
  #base = 0

  constructor(
    readonly config: MultiBladeConfig,
    setup: ReadoutSetup
  ) {
    const { counter, clock, compatible } = setup
    this.#parser = new VmmParser(setup)
    this.#geometry = geometries[config.InstrumentGeometry]
    this.#clock = clock
    this.#compatible = compatible
    clock.limits(LONGEST, config.MaxPulseTimeNS)
    this.#sink = setup.events('multiblade')
    this.#count = countersOf(counterNames, counter)
    this.#calibration = new VmmCalibration(setup.calibration, config.Config.map(({ HybridId }) => HybridId)) // prettier-ignore
    const builders = new Map<number, EventBuilder>()
    const low = Math.fround(config.SplitMultiEventsCoefficientLow)
    const high = Math.fround(config.SplitMultiEventsCoefficientHigh)
    const options = {
      clusteringGap: config.MaxClusteringTimeGap,
      matchingGap: config.MaxMatchingTimeGap,
      split: config.SplitMultiEvents ? ([low, high] as const) : null
    }
    this.#hybrids = new HybridTable(config.Config, (index) => {
      const { CassetteNumber: cassette, Thresholds } = config.Config[index]!
      const builder = builders.get(cassette) ?? new EventBuilder(options, (a, b) => this.#event(a, b))
      builders.set(cassette, builder)
      return { index, cassette, thresholds: Thresholds.map(([first = 0]) => first), builder }
    })
    this.#builders = [...builders].toSorted(([a], [b]) => a - b).map(([, builder]) => builder)
  }

  process(packet: Packet): void {
    const { from, to, u32 } = packet
    if (from === to || !this.#parser.isWhole(packet)) return
    this.#base = this.#compatible ? 0 : u32[(from + 4) >> 2]!
    for (let at = from; at < to; at += SIZE) if (this.#parser.isGood(packet, at)) this.#take(packet, at)
    for (const builder of this.#builders) builder.flush()
  }

  #take(packet: Packet, at: number): void {
    const { bytes, u16, u32 } = packet
    const hybrid = this.#hybrid(bytes, at)
    if (hybrid === undefined) {
      this.#count['geometry.validation_errors'].value++
      return
    }
    const chip = bytes[at + 18]! & 1
    const charge = u16[(at + 14) >> 1]!
    if (charge < (hybrid.thresholds[chip] ?? 0)) {
      this.#count['readouts.below_threshold'].value++
      return
    }
    const geometry = this.#geometry
    const calibration = this.#calibration
    const channel = bytes[at + 19]!
    const calibrated = calibration.channel(hybrid.index, chip, channel)
    const ns = (u32[(at + 4) >> 2]! - this.#base) * 1e9 + ticksToNs(u32[(at + 8) >> 2]!)
    const time = Math.floor(ns + calibration.time(calibrated, bytes[at + 17]!))
    const weight = calibration.charge(calibrated, charge & 0x3ff)
    if (weight === 1023) this.#count['readouts.adc_max'].value++
    if (chip === geometry.chipOfX) hybrid.builder.a.add(time, geometry.x(hybrid.cassette, channel), weight)
    else hybrid.builder.b.add(time, geometry.y(hybrid.cassette, channel), weight)
  }

  #hybrid(bytes: Uint8Array, at: number): Hybrid | undefined {
    const count = this.#count
    const ring = bytes[at]! >> 1
    const fen = bytes[at + 1]!
    const vmm = bytes[at + 18]!
    if (ring >= RINGS) return none(count['geometry.ring_errors'])
    if (fen >= FENS) return none(count['geometry.fen_errors'])
    const hybrid = this.#hybrids.get(ring, fen, vmm >> 1)
    if (hybrid === undefined) return none(count['geometry.hybrid_mapping_errors'])
    const { chipOfX, isXWires } = this.#geometry
    const isX = (vmm & 1) === chipOfX
    const channel = bytes[at + 19]!
    if (isX !== isXWires || (channel >= WIRES[0] && channel <= WIRES[1])) return hybrid
    no(count[isX ? 'geometry.invalid_xcoord_error' : 'geometry.invalid_ycoord_error'])
    return none(count['geometry.wire_channel_range_errors'])
  }

  #event(a: PlaneHits, b: PlaneHits): void {
    const count = this.#count
    if (a.length === 0 || b.length === 0) {
      count['cluster.no_coincidence'].value++
      count[a.length === 0 ? 'cluster.wire_only' : 'cluster.strip_only'].value++
      return
    }
    // For Estia the names are crossed in the field's program, too
    if (b.length + this.config.MaxGapWire < b.span) return void no(count['events.wire_gaps'])
    if (a.length + this.config.MaxGapStrip < a.span) return void no(count['events.strip_gaps'])
    count['cluster.matched_clusters'].value++
    const tof = tofOf(this.#clock, this.#base, Math.min(a.start, b.start))
    if (tof < 0) return
    const { nx, ny } = this.#geometry
    const [x, y] = [Math.round(a.centre), Math.round(b.centre)]
    if (x < 0 || x >= nx || y < 0 || y >= ny) return void no(count['geometry.pixel_errors'])
    count['events.count'].value++
    this.#sink.add(tof, y * nx + x + 1)
  }
}
