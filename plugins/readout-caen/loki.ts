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

/** What is on one ring. */
interface LokiRing {
  readonly fens: number
  readonly fenOffset: number
  readonly groupsN: number
  readonly yOffset: number
  readonly firstGroup: number
}

export class LokiGeometry implements CaenGeometry {
  readonly sink: EventSink
  readonly #rings: (LokiRing | undefined)[] = Array.from({ length: RINGS })
  readonly #calibration: Calibration
  readonly #resolution: number
  readonly #layers: number
  readonly #rows: number
  readonly #noRing: Counter
  readonly #noFen: Counter
  readonly #zero: Counter

  constructor(config: LokiConfig, setup: ReadoutSetup) {
    this.#calibration = new Calibration(setup, 'loki')
    this.#resolution = config.Resolution
    this.#layers = config.GroupsZ
    this.#rows = STRAWS * config.Banks.reduce((sum, { GroupsN }) => sum + GroupsN * config.GroupsZ, 0)
    for (const [index, { Ring, Bank, FENs: fens, FENOffset: fenOffset }] of config.Config.entries()) {
      const bank = config.Banks.find((one) => one.Bank === Bank)
      if (bank === undefined) throw new CodedError('DETECTOR_INVALID', `no bank ${Bank}`, { path: `/config/Config/${index}/Bank` }) // prettier-ignore
      this.#rings[Ring] = {
        fens,
        fenOffset,
        groupsN: bank.GroupsN,
        yOffset: bank.YOffset,
        firstGroup: Math.trunc(bank.YOffset / STRAWS)
      }
    }
    this.sink = setup.events('caen')
    this.#noRing = setup.counter('geometry.ring_mapping_errors')
    this.#noFen = setup.counter('geometry.topology_errors')
    this.#zero = setup.counter('geometry.ampl_zero')
  }

  isValid({ bytes }: Packet, at: number): boolean {
    const ring = this.#rings[bytes[at]! >> 1]
    if (ring === undefined) return no(this.#noRing)
    return bytes[at + 1]! < ring.fens || no(this.#noFen)
  }

  pixel({ bytes, i16 }: Packet, at: number): number {
    const { fenOffset, groupsN, yOffset, firstGroup } = this.#rings[bytes[at]! >> 1]!
    const word = (at + 16) >> 1
    const b = i16[word + 1]!
    const d = i16[word + 3]!
    const ab = i16[word]! + b
    const sum = ab + i16[word + 2]! + d
    if (sum === 0) return +no(this.#zero)
    const position = ab / sum
    if (position < 0 || position > 1) return 0
    const local = bytes[at + 13]!
    const z = local % this.#layers
    const tube = (local - z) / this.#layers
    const fen = fenOffset + bytes[at + 1]!
    const group = firstGroup + z * groupsN + 2 * fen + tube
    const unit = this.#calibration.unit(group, (b + d) / sum)
    if (unit < 0) return 0
    const x = Math.round(this.#calibration.corrected(unit, position) * (this.#resolution - 1))
    const y = yOffset + z * STRAWS * groupsN + 2 * STRAWS * fen + STRAWS * tube + (unit % STRAWS)
    return pixelOf(x, y, this.#resolution, this.#rows)
  }
}
