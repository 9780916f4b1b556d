// TREX: vessels of grids and wires; hits of both at one time are an event, also when they come in several packets.
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
import { type PlaneHits } from './builder.js'
import { type TrexConfig } from './config.js'
import { FENS, HybridTable, RINGS, tofOf } from './hybrids.js'
import { SIZE, VmmParser } from './readout.js'
import { StreamBuilder } from './stream-builder.js'

const LONGEST = 1_000_000_000
const GAP = 500
/** More grids than that are no neutron. */
const GRIDS = 3
/** Wires of a row, of which there are 12 in two front end nodes. */
const ROW = 16
const ROWS = 12
/** Seconds that times may be away from those they are counted from. */
const NEAR = 1_000_000

export interface Vessel {
  readonly isRotated: boolean
  readonly isShort: boolean
  readonly xOffset: number
  readonly yOffset: number
  readonly leastCharge: number
}
interface TrexHybrid {
  readonly number: number
  readonly isOddFen: boolean
  readonly vessel: Vessel
  readonly builder: StreamBuilder
}

export function vesselsOf({ Vessel_Config: vessels, DefaultMinADC }: TrexConfig): ReadonlyMap<string, Vessel> {
  return new Map(
    Object.entries(vessels as Record<string, TrexVessel>).map(([id, its]) => [
      id,
      {
        isRotated: its.Rotation ?? false,
        isShort: its.Short ?? false,
        xOffset: its.XOffset ?? 0,
        yOffset: its.YOffset ?? 0,
        leastCharge: its.MinADC ?? DefaultMinADC
      }
    ])
  )
}
interface TrexVessel {
  readonly Rotation?: boolean
  readonly Short?: boolean
  readonly XOffset?: number
  readonly YOffset?: number
  readonly MinADC?: number
}

/** Place of a wire, 16·x + z; -1 where there is none. */
export function wireOf({ isRotated, xOffset }: Vessel, isOddFen: boolean, chip: number, channel: number): number {
  if (chip === 0 && channel < 32) return -1
  const wire = 64 * chip + channel - 32 + (isOddFen ? 96 : 0)
  const turned = isRotated ? ROW * (ROWS - 1 - Math.trunc(wire / ROW)) + (wire % ROW) : wire
  return turned + ROW * xOffset
}

/** Place of a grid in y; -1 where there is none. */
export function gridOf(vessel: Vessel, hybrid: number, chip: number, channel: number): number {
  const grid = vessel.isShort ? shortGrid(hybrid, chip, channel) : longGrid(hybrid, chip, channel)
  return grid < 0 ? -1 : ((vessel.isRotated ? -grid : grid) + vessel.yOffset) & 0xffff
}
const shortGrid = (hybrid: number, chip: number, channel: number): number =>
  hybrid === 1 && chip === 0 && channel <= 50 ? channel : -1
function longGrid(hybrid: number, chip: number, channel: number): number {
  const index = 2 * hybrid + chip - 2
  const grid = 64 * index + channel - 58
  return index >= 0 && index <= 3 && grid >= 0 && !(index === 3 && channel > 5) ? grid : -1
}

const counterNames = ['cluster.matched_clusters', 'cluster.no_coincidence', 'cluster.matched_wire_only', 'cluster.matched_grid_only', 'cluster.too_large_grid_span', 'events.count', 'geometry.pixel_errors', 'readouts.error_mapping', 'readouts.below_threshold'] as const // prettier-ignore

export class TrexReadout implements Readout {
  readonly #parser: VmmParser
  readonly #hybrids: HybridTable<TrexHybrid>
  /** By ring and front end node. */
  readonly #builders: readonly StreamBuilder[]
  readonly #clock: PulseClock
  readonly #sink: EventSink
  readonly #count: Readonly<Record<(typeof counterNames)[number], Counter>>
  readonly #compatible: boolean
  /** Seconds that times of hits are counted from. */
  #base = -1

  constructor(
    readonly config: TrexConfig,
    setup: ReadoutSetup
  ) {
    const { counter, clock } = setup
    this.#parser = new VmmParser(setup)
    this.#clock = clock
    this.#compatible = setup.compatible
    clock.limits(LONGEST, config.MaxPulseTimeNS)
    this.#sink = setup.events('trex')
    this.#count = countersOf(counterNames, counter)
    const vessels = vesselsOf(config)
    const builders = new Map<number, StreamBuilder>()
    this.#hybrids = new HybridTable(config.Config, (index) => {
      const { Ring, FEN, Hybrid, VesselId } = config.Config[index]!
      const vessel = vessels.get(VesselId)
      if (vessel === undefined) throw new CodedError('DETECTOR_INVALID', `no vessel ${VesselId}`, { path: `/config/Config/${index}/VesselId` }) // prettier-ignore
      const key = Ring * FENS + FEN
      const builder = builders.get(key) ?? new StreamBuilder(GAP, (a, b) => this.#event(a, b))
      builders.set(key, builder)
      return { number: Hybrid, isOddFen: FEN % 2 === 1, vessel, builder }
    })
    this.#builders = [...builders].toSorted(([a], [b]) => a - b).map(([, builder]) => builder)
  }

  process(packet: Packet): void {
    const { from, to, u32 } = packet
    if (from === to || !this.#parser.isWhole(packet)) return
    this.#rebase(u32[(from + 4) >> 2]!)
    for (let at = from; at < to; at += SIZE) if (this.#parser.isGood(packet, at)) this.#take(packet, at)
    this.#flush(false)
  }

  /** Events stay with their pulse; those of the field's program come later. */
  pulseEnds(): void {
    if (!this.#compatible) this.#flush(true)
  }

  end(): void {
    this.#flush(true)
  }

  #flush(all: boolean): void {
    for (const builder of this.#builders) builder.flush(all)
  }

  #rebase(seconds: number): void {
    if (Math.abs(seconds - this.#base) < NEAR) return
    this.#flush(true)
    this.#base = seconds
  }

  #take({ bytes, u16, u32 }: Packet, at: number): void {
    const hybrid = this.#hybrid(bytes, at)
    if (hybrid === undefined) return
    const { vessel, builder, number } = hybrid
    const charge = u16[(at + 14) >> 1]! & 0x3ff
    if (charge < vessel.leastCharge) return void no(this.#count['readouts.below_threshold'])
    const [chip, channel] = [bytes[at + 18]! & 1, bytes[at + 19]!]
    const place = number === 0 ? wireOf(vessel, hybrid.isOddFen, chip, channel) : gridOf(vessel, number, chip, channel)
    if (place < 0) return
    const time = (u32[(at + 4) >> 2]! - this.#base) * 1e9 + ticksToNs(u32[(at + 8) >> 2]!)
    const plane = number === 0 ? builder.a : builder.b
    plane.add(time, place, charge)
  }

  #hybrid(bytes: Uint8Array, at: number): TrexHybrid | undefined {
    const error = this.#count['readouts.error_mapping']
    const ring = bytes[at]! >> 1
    const fen = bytes[at + 1]!
    // One packet with a higher one ends the field's program
    if (ring >= RINGS || fen >= FENS) return none(error)
    return this.#hybrids.get(ring, fen, bytes[at + 18]! >> 1) ?? none(error)
  }

  #event(a: PlaneHits, b: PlaneHits): void {
    const count = this.#count
    if (a.length === 0 || b.length === 0) {
      count['cluster.no_coincidence'].value++
      count[a.length === 0 ? 'cluster.matched_grid_only' : 'cluster.matched_wire_only'].value++
      return
    }
    if (b.span > GRIDS) return void no(count['cluster.too_large_grid_span'])
    count['cluster.matched_clusters'].value++
    const tof = tofOf(this.#clock, this.#base, Math.min(a.start, b.start))
    if (tof < 0) return
    const { SizeX: nx, SizeY: ny, SizeZ: nz } = this.config
    const [wire, y] = [Math.round(a.centre), Math.round(b.centre)]
    const [x, z] = [Math.trunc(wire / ROW), wire % ROW]
    if (x >= nx || y >= ny || z >= nz) return void no(count['geometry.pixel_errors'])
    count['events.count'].value++
    this.#sink.add(tof, z * nx * ny + y * nx + x + 1)
  }
}
