// TBL: two banks of four ³He tubes.
import {
  type Counter,
  type EventSink,
  no,
  type Packet,
  type ReadoutSetup
} from '../service-event-formation/readout-kit.js'
import { Calibration } from './calibration.js'
import { type Tbl3heConfig } from './config.js'
import { type CaenGeometry, pixelOf } from './readout.js'

const TUBES = 4
const ALONG = 100
const RINGS = 12

export class Tbl3heGeometry implements CaenGeometry {
  sink: EventSink
  readonly #sinks: readonly EventSink[]
  /** Bank by key of FEN and ring. */
  readonly #banks = new Map<number, number>()
  readonly #step: number
  readonly #calibration: Calibration
  readonly #group: Counter
  readonly #unknown: Counter
  readonly #low: Counter
  readonly #zero: Counter
  readonly #outside: Counter
  readonly #noUnit: Counter

  constructor(
    readonly config: Tbl3heConfig,
    setup: ReadoutSetup
  ) {
    this.#calibration = new Calibration(setup, 'tbl3he')
    // The key of the field's program is the same for some pairs
    this.#step = setup.compatible ? config.NumOfFENs : RINGS
    for (const { Ring, FEN, Bank } of config.Topology) this.#banks.set(FEN * this.#step + Ring, Bank)
    this.#sinks = [setup.events('bank0'), setup.events('bank1')]
    this.sink = this.#sinks[0]!
    const counter = (name: string): Counter => setup.counter(`geometry.${name}`)
    this.#group = counter('group_errors')
    this.#unknown = counter('topology_errors')
    this.#low = counter('ampl_low')
    this.#zero = counter('ampl_zero')
    this.#outside = counter('globalpos_invalid')
    this.#noUnit = counter('unitid_invalid')
  }

  isValid({ bytes, i16 }: Packet, at: number): boolean {
    if (bytes[at + 13]! > this.config.MaxGroup) return no(this.#group)
    if (!this.#banks.has(this.#key(bytes, at))) return no(this.#unknown)
    const [a, b] = [i16[(at + 16) >> 1]!, i16[(at + 18) >> 1]!]
    const { MinValidAmplitude: lowest } = this.config
    if (a < lowest || b < lowest) return no(this.#low)
    return a + b !== 0 || no(this.#zero)
  }

  pixel({ bytes, i16 }: Packet, at: number): number {
    const bank = this.#banks.get(this.#key(bytes, at))!
    const tube = TUBES * bank + bytes[at + 13]!
    const a = i16[(at + 16) >> 1]!
    const position = a / (a + i16[(at + 18) >> 1]!)
    if (position < 0 || position > 1) return +no(this.#outside)
    const unit = this.#calibration.unit(tube, position)
    if (unit < 0) return +no(this.#noUnit)
    const along = this.#calibration.corrected(unit, this.#calibration.within(unit, position))
    this.sink = this.#sinks[bank]!
    return pixelOf(Math.trunc((ALONG - 1) * along), tube, ALONG, 2 * TUBES)
  }

  #key(bytes: Uint8Array, at: number): number {
    return bytes[at + 1]! * this.#step + (bytes[at]! >> 1)
  }
}
