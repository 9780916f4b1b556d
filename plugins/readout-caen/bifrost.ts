// BIFROST: five arcs of nine triplets of tubes; the three tubes of a triplet are read out as one.
import {
  type Counter,
  type EventSink,
  no,
  type Packet,
  type ReadoutSetup
} from '../service-event-formation/readout-kit.js'
import { Calibration } from './calibration.js'
import { type BifrostConfig } from './config.js'
import { type CaenGeometry, pixelOf } from './readout.js'

const ARCS = 5
const TRIPLETS = 9
const GROUPS = 15
const UNITS = 3
const ALONG = 100

export class BifrostGeometry implements CaenGeometry {
  sink: EventSink
  /** By 15·ring + group, the order in which they are sent. */
  readonly #sinks: readonly EventSink[]
  readonly #calibration: Calibration
  readonly #fen: Counter
  readonly #group: Counter
  readonly #zero: Counter
  readonly #high: Counter
  readonly #outside: Counter
  readonly #noUnit: Counter

  constructor(
    readonly config: BifrostConfig,
    setup: ReadoutSetup
  ) {
    this.#calibration = new Calibration(setup, 'bifrost')
    this.#sinks = Array.from({ length: ARCS * TRIPLETS }, (_, i) => {
      const [ring, group] = [Math.trunc(i / GROUPS), i % GROUPS]
      return setup.events(`arc=${Math.trunc(group / 3)};triplet=${(group % 3) + 3 * ring}`)
    })
    this.sink = this.#sinks[0]!
    const counter = (name: string): Counter => setup.counter(`geometry.${name}`)
    this.#fen = counter('fen_errors')
    this.#group = counter('group_errors')
    this.#zero = counter('ampl_zero')
    this.#high = counter('ampl_high')
    this.#outside = counter('globalpos_invalid')
    this.#noUnit = counter('unitid_invalid')
  }

  isValid({ bytes, i16 }: Packet, at: number): boolean {
    const { MaxFEN: maxFen, MaxGroup: maxGroup, MaxAmpl: maxAmplitude } = this.config
    if (bytes[at + 1]! > maxFen) return no(this.#fen)
    if (bytes[at + 13]! > maxGroup) return no(this.#group)
    const sum = i16[(at + 16) >> 1]! + i16[(at + 18) >> 1]!
    if (sum === 0) return no(this.#zero)
    return sum <= maxAmplitude || no(this.#high)
  }

  pixel({ bytes, i16 }: Packet, at: number): number {
    const [ring, group] = [bytes[at]! >> 1, bytes[at + 13]!]
    const a = i16[(at + 16) >> 1]!
    const position = a / (a + i16[(at + 18) >> 1]!)
    if (position < 0 || position > 1) return +no(this.#outside)
    const all = GROUPS * ring + group
    const unit = this.#calibration.unit(all, position)
    if (unit < 0) return +no(this.#noUnit)
    const along = Math.trunc((ALONG - 1) * this.#calibration.within(unit, position))
    const x = this.config.Resolution * ring + ALONG * (group % 3) + along
    const y = 3 * Math.trunc(group / 3) + (unit % UNITS)
    this.sink = this.#sinks[all] ?? this.sink
    return pixelOf(x, y, 9 * ALONG, ARCS * UNITS)
  }
}
