// LOKI: straws in tubes of seven, in layers; the four amplitudes tell the straw and the place along it.
import { CodedError } from '../../core/api/plugin.js'
import {
  type Counter,
  type EventSink,
  no,
  type Packet,
  type ReadoutSetup
} from '../service-event-formation/readout-kit.js'
import { Calibration } from './calibration.js'
import { type LokiConfig } from './config.js'
import { type CaenGeometry, pixelOf } from './readout.js'

const STRAWS = 7
const RINGS = 12

/** Groups of a front end node that a readout can name. */
const LOCALS = 256

export class LokiGeometry implements CaenGeometry {
  readonly sink: EventSink
  /** By ring: front end nodes, of a ring that is not there -1; and those of its bank on rings before. */
  readonly #fens = new Int32Array(RINGS).fill(-1)
  readonly #fenOffset = new Int32Array(RINGS)
  /** By ring and local group: group and row, for the first front end node. */
  readonly #groups = new Int32Array(RINGS * LOCALS)
  readonly #firstRows = new Int32Array(RINGS * LOCALS)
  readonly #calibration: Calibration
  readonly #resolution: number
  readonly #rows: number
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
      this.#fenOffset[Ring] = fenOffset
      const { GroupsN: groupsN, YOffset: yOffset } = bank
      for (let local = 0; local < LOCALS; local++) {
        const z = local % layers
        const tube = (local - z) / layers
        this.#groups[Ring * LOCALS + local] = Math.trunc(yOffset / STRAWS) + z * groupsN + tube
        this.#firstRows[Ring * LOCALS + local] = yOffset + z * STRAWS * groupsN + STRAWS * tube
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

  pixel({ bytes, i16 }: Packet, at: number): number {
    const word = (at + 16) >> 1
    const b = i16[word + 1]!
    const d = i16[word + 3]!
    const ab = i16[word]! + b
    const sum = ab + i16[word + 2]! + d
    if (sum === 0) return +no(this.#zero)
    const position = ab / sum
    if (position < 0 || position > 1) return 0
    const ring = bytes[at]! >> 1
    const place = ring * LOCALS + bytes[at + 13]!
    const fen = this.#fenOffset[ring]! + bytes[at + 1]!
    const group = this.#groups[place]! + 2 * fen
    const unit = this.#calibration.unit(group, (b + d) / sum)
    if (unit < 0) return 0
    const x = Math.round(this.#calibration.corrected(unit, position) * (this.#resolution - 1)) | 0
    const y = this.#firstRows[place]! + 2 * STRAWS * fen + (unit - STRAWS * group)
    return pixelOf(x, y, this.#resolution, this.#rows)
  }
}
