// NMX: panels with strips in x and y; the strips that one neutron fires are an event, its place is where its track begins.
import { CodedError } from '../../core/api/plugin.js'
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
import { type NmxConfig } from './config.js'
import { FENS, HybridTable, RINGS, tofOf } from './hybrids.js'
import { SIZE, VmmParser } from './readout.js'

const LONGEST = 1_000_000_000
/** Longest time between the first and the last hit of a plane, ns. */
const LONGEST_SPAN = 500
const CHANNELS = 64
const STRIPS = 2 * CHANNELS

export type NmxHybrid = NmxConfig['Config'][number]

/** Strip of a channel. */
export const stripOf = ({ Offset, ReversedChannels }: NmxHybrid, chip: number, channel: number): number =>
  Offset + (ReversedChannels ? CHANNELS * (1 - chip) + CHANNELS - 1 - channel : CHANNELS * chip + channel)

const counterNames = ['cluster.matched_clusters', 'cluster.no_coincidence', 'cluster.matched_x_only', 'cluster.matched_y_only', 'cluster.matcherstats.match_attempt_count', 'cluster.span.x_too_large', 'cluster.span.x_too_small', 'cluster.span.y_too_large', 'cluster.span.y_too_small', 'cluster.span.time_x_too_large', 'cluster.span.time_y_too_large', 'events.count', 'geometry.pixel_errors', 'geometry.validation_errors', 'geometry.ring_errors', 'geometry.fen_errors', 'geometry.hybrid_mapping_errors', 'geometry.adc_errors'] as const // prettier-ignore

export class NmxReadout implements Readout {
  readonly #parser: VmmParser
  readonly #hybrids: HybridTable<{ readonly its: NmxHybrid; readonly builder: EventBuilder }>
  readonly #builders: readonly EventBuilder[]
  readonly #clock: PulseClock
  readonly #sink: EventSink
  readonly #count: Readonly<Record<(typeof counterNames)[number], Counter>>
  readonly #compatible: boolean
  /** Seconds that times of hits are counted from. */
  #base = 0

  constructor(
    readonly config: NmxConfig,
    setup: ReadoutSetup
  ) {
    const { counter, clock, compatible } = setup
    this.#parser = new VmmParser(setup)
    this.#clock = clock
    this.#compatible = compatible
    clock.limits(LONGEST, config.MaxPulseTimeNS)
    this.#sink = setup.events('nmx')
    this.#count = countersOf(counterNames, counter)
    requireApart(config)
    const low = Math.fround(config.SplitMultiEventsCoefficientLow)
    const high = Math.fround(config.SplitMultiEventsCoefficientHigh)
    const options = {
      clusteringGap: config.MaxClusteringTimeGap,
      matchingGap: config.MaxMatchingTimeGap,
      split: config.SplitMultiEvents ? ([low, high] as const) : null
    }
    this.#builders = Array.from({ length: config.NumPanels }, () => new EventBuilder(options, (a, b) => this.#event(a, b))) // prettier-ignore
    this.#hybrids = new HybridTable(config.Config, (index) => {
      const its = config.Config[index]!
      const builder = this.#builders[its.Panel]
      if (builder === undefined) throw new CodedError('DETECTOR_INVALID', `no panel ${its.Panel}`, { path: `/config/Config/${index}/Panel` }) // prettier-ignore
      return { its, builder }
    })
  }

  process(packet: Packet): void {
    const { from, to, u32 } = packet
    if (!this.#parser.isWhole(packet)) return
    if (from < to) this.#base = u32[(from + 4) >> 2]!
    for (let at = from; at < to; at += SIZE) if (this.#parser.isGood(packet, at)) this.#take(packet, at)
    for (const builder of this.#builders) {
      this.#count['cluster.matcherstats.match_attempt_count'].value++
      builder.flush()
    }
  }

  #take(packet: Packet, at: number): void {
    const { bytes, u16, u32 } = packet
    const charge = u16[(at + 14) >> 1]! & 0x3ff
    const hybrid = this.#hybrid(bytes, at, charge)
    if (hybrid === undefined) {
      this.#count['geometry.validation_errors'].value++
      return
    }
    const { its, builder } = hybrid
    const strip = stripOf(its, bytes[at + 18]! & 1, bytes[at + 19]!)
    const time = (u32[(at + 4) >> 2]! - this.#base) * 1e9 + ticksToNs(u32[(at + 8) >> 2]!)
    const plane = its.Plane === 0 ? builder.a : builder.b
    plane.add(time, strip, charge)
  }

  #hybrid(
    bytes: Uint8Array,
    at: number,
    charge: number
  ): { readonly its: NmxHybrid; readonly builder: EventBuilder } | undefined {
    const count = this.#count
    const ring = bytes[at]! >> 1
    const fen = bytes[at + 1]!
    if (ring >= RINGS) return none(count['geometry.ring_errors'])
    if (fen >= FENS) return none(count['geometry.fen_errors'])
    const hybrid = this.#hybrids.get(ring, fen, bytes[at + 18]! >> 1)
    if (hybrid === undefined) return none(count['geometry.hybrid_mapping_errors'])
    return charge < this.config.DefaultMinADC ? none(count['geometry.adc_errors']) : hybrid
  }

  #event(a: PlaneHits, b: PlaneHits): void {
    const count = this.#count
    if (a.length === 0 || b.length === 0) {
      count['cluster.no_coincidence'].value++
      count[a.length === 0 ? 'cluster.matched_y_only' : 'cluster.matched_x_only'].value++
      return
    }
    if (!this.#isCompact('x', a, this.config.MinSpanX, this.config.MaxSpanX)) return
    if (!this.#isCompact('y', b, this.config.MinSpanY, this.config.MaxSpanY)) return
    count['cluster.matched_clusters'].value++
    const tof = tofOf(this.#clock, this.#base, Math.max(a.end, b.end))
    if (tof < 0) return
    const { SizeX: nx, SizeY: ny } = this.config
    // The track begins at the strip that is hit last; the field's program takes the one that is hit first
    const [x, y] = this.#compatible ? [a.firstCoordinate, b.firstCoordinate] : [a.lastCoordinate, b.lastCoordinate]
    if (x >= nx || y >= ny) return void no(count['geometry.pixel_errors'])
    count['events.count'].value++
    this.#sink.add(tof, y * nx + x + 1)
  }

  #isCompact(axis: 'x' | 'y', hits: PlaneHits, least: number, most: number): boolean {
    const count = this.#count
    const { span } = hits
    if (span > most) return no(count[`cluster.span.${axis}_too_large`])
    if (span < least) return no(count[`cluster.span.${axis}_too_small`])
    return hits.end - hits.start <= LONGEST_SPAN || no(count[`cluster.span.time_${axis}_too_large`])
  }
}

/** Hybrids of one panel and plane have strips of their own. */
function requireApart({ Config: hybrids }: NmxConfig): void {
  for (const [i, one] of hybrids.entries()) {
    const other = hybrids.findIndex((it, j) => j < i && it.Panel === one.Panel && it.Plane === one.Plane && Math.abs(it.Offset - one.Offset) < STRIPS) // prettier-ignore
    if (other >= 0)
      throw new CodedError('DETECTOR_INVALID', `has strips of hybrid ${other}`, { path: `/config/Config/${i}/Offset` })
  }
}
