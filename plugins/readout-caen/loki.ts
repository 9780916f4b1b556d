// LOKI: straws in tubes of seven, in layers; the four amplitudes tell the straw and the place along it.
import { CodedError } from '../../core/api/plugin.js'
import {
  type Counter,
  type EventSink,
  no,
  type Packet,
  type PulseClock,
  type ReadoutSetup,
  ticksToNs
} from '../service-event-formation/readout-kit.js'
import { BINS, Calibration } from './calibration.js'
import { type LokiConfig } from './config.js'
import { type CaenGeometry, pixelOf, SIZE } from './readout.js'

const STRAWS = 7
const RINGS = 12

/** Groups of a front end node that a readout can name. */
const LOCALS = 256
/** Front end nodes that a ring can have: of others readouts are none. */
const NODES = 24
/** Of modules of others V8 looks up each time. */
const BYTES = SIZE
const UNIT_BINS = BINS
/** As many readouts as a packet may have. */
const MOST = 374

export class LokiGeometry implements CaenGeometry {
  readonly sink: EventSink
  /** By ring: front end nodes, of a ring that is not there -1. */
  readonly #fens = new Int32Array(RINGS).fill(-1)
  /**
   * By ring and local group four numbers: front end nodes, of a ring that is not there none; group and row for the first of them;
   * front end nodes of the bank on rings before. In one table, as each wants registers.
   */
  readonly #places = new Int32Array(4 * RINGS * LOCALS)
  readonly #calibration: Calibration
  readonly #resolution: number
  readonly #rows: number
  /** Of readouts that are formed in one loop. */
  readonly #formed = new Int32Array(2 * MOST)
  readonly #noRing: Counter
  readonly #noFen: Counter
  readonly #zero: Counter

  constructor(config: LokiConfig, setup: ReadoutSetup) {
    this.#calibration = new Calibration(setup, 'loki')
    this.#resolution = config.Resolution
    const { GroupsZ: layers } = config
    this.#rows = STRAWS * config.Banks.reduce((sum, { GroupsN }) => sum + GroupsN * config.GroupsZ, 0)
    for (const [index, { Ring, Bank, FENs: fens, FENOffset: fenOffset }] of config.Config.entries()) {
      const bank = config.Banks.find((one) => one.Bank === Bank)
      if (bank === undefined) throw new CodedError('DETECTOR_INVALID', `no bank ${Bank}`, { path: `/config/Config/${index}/Bank` }) // prettier-ignore
      this.#fens[Ring] = fens
      const { GroupsN: groupsN, YOffset: yOffset } = bank
      for (let local = 0; local < LOCALS; local++) {
        const z = local % layers
        const tube = (local - z) / layers
        const group = Math.trunc(yOffset / STRAWS) + z * groupsN + tube
        const row = yOffset + z * STRAWS * groupsN + STRAWS * tube
        this.#places.set([Math.min(fens, NODES), group, row, fenOffset], 4 * (Ring * LOCALS + local))
      }
    }
    this.sink = setup.events('caen')
    this.#noRing = setup.counter('geometry.ring_mapping_errors')
    this.#noFen = setup.counter('geometry.topology_errors')
    this.#zero = setup.counter('geometry.ampl_zero')
  }

  isValid({ bytes }: Packet, at: number): boolean {
    const fens = this.#fens[bytes[at]! >> 1]!
    if (fens < 0) return no(this.#noRing)
    return bytes[at + 1]! < fens || no(this.#noFen)
  }

  /** What `isValid`, `tof` and `pixel` do, in one loop without a call, and with few tables: what it holds fits into registers. */
  usual({ u32, to }: Packet, from: number, clock: PulseClock): number {
    const { seconds, nanoseconds, longestNs } = clock
    const { sure, polynomials, groups } = this.#calibration
    const places = this.#places
    const formed = this.#formed
    const [width, rows] = [this.#resolution, this.#rows]
    let out = 0
    for (let at = from; to - at >= BYTES; at += BYTES) {
      const word = at >> 2
      const head = u32[word]!
      const fen = (head >>> 8) & 0xff
      const fibre = head & 0xff
      if (head >>> 16 !== BYTES || fibre >= 2 * RINGS) break
      const place = 4 * ((fibre >> 1) * LOCALS + ((u32[word + 3]! >>> 8) & 0xff))
      if (fen >= places[place]!) break
      const tof = (u32[word + 1]! - seconds) * 1e9 + (ticksToNs(u32[word + 2]!) - nanoseconds)
      if (!(tof >= 0 && tof <= longestNs)) break
      const ba = u32[word + 4]!
      const dc = u32[word + 5]!
      const b = ba >> 16
      const d = dc >> 16
      const ab = ((ba << 16) >> 16) + b
      const sum = ab + ((dc << 16) >> 16) + d
      const position = ab / sum
      const straw = (b + d) / sum
      if (!(position >= 0 && position <= 1 && straw >= 0 && straw < 1)) break
      const node = places[place + 3]! + fen
      const group = places[place + 1]! + 2 * node
      if (group >= groups) break
      const unit = sure[group * UNIT_BINS + ((straw * UNIT_BINS) | 0)]!
      if (unit < 0) break
      const p = 4 * (STRAWS * group + unit)
      const along = position - (polynomials[p]! + position * (polynomials[p + 1]! + position * (polynomials[p + 2]! + position * polynomials[p + 3]!))) // prettier-ignore
      const y = places[place + 2]! + 2 * STRAWS * node + unit
      if (!(along >= 0 && along <= 1) || y < 0 || y >= rows) break
      formed[out] = tof
      formed[out + 1] = y * width + (Math.round(along * (width - 1)) | 0) + 1
      out += 2
    }
    const count = out >> 1
    if (count === 0) return 0
    clock.counted(count)
    this.sink.addAll(formed, count)
    return count
  }

  pixel({ bytes, i16 }: Packet, at: number): number {
    const word = (at + 16) >> 1
    const b = i16[word + 1]!
    const d = i16[word + 3]!
    const ab = i16[word]! + b
    const sum = ab + i16[word + 2]! + d
    if (sum === 0) return +no(this.#zero)
    const position = ab / sum
    if (position < 0 || position > 1) return 0
    const places = this.#places
    const place = 4 * ((bytes[at]! >> 1) * LOCALS + bytes[at + 13]!)
    const fen = places[place + 3]! + bytes[at + 1]!
    const group = places[place + 1]! + 2 * fen
    const unit = this.#calibration.unit(group, (b + d) / sum)
    if (unit < 0) return 0
    const x = Math.round(this.#calibration.corrected(unit, position) * (this.#resolution - 1)) | 0
    const y = places[place + 2]! + 2 * STRAWS * fen + (unit - STRAWS * group)
    return pixelOf(x, y, this.#resolution, this.#rows)
  }
}
