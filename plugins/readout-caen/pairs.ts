// MIRACLES and CSPEC: tubes without calibration.
import {
  type Counter,
  type EventSink,
  no,
  type Packet,
  type ReadoutSetup
} from '../service-event-formation/readout-kit.js'
import { type CspecConfig, type MiraclesConfig } from './config.js'
import { type CaenGeometry, pixelOf } from './readout.js'

const awayFromZero = (x: number): number => Math.sign(x) * Math.round(Math.abs(x))

/** Two tubes joined at one end are read out as one; on four rings, a quarter of the picture each. */
export class MiraclesGeometry implements CaenGeometry {
  readonly sink: EventSink
  readonly #half: number
  readonly #zero: Counter

  constructor(config: MiraclesConfig, setup: ReadoutSetup) {
    this.sink = setup.events('caen')
    this.#half = Math.trunc(config.Resolution / 2)
    this.#zero = setup.counter('geometry.ampl_zero')
  }

  isValid({ i16 }: Packet, at: number): boolean {
    return i16[(at + 16) >> 1]! + i16[(at + 18) >> 1]! !== 0 || no(this.#zero)
  }

  pixel({ bytes, i16 }: Packet, at: number): number {
    const [a, b] = [i16[(at + 16) >> 1]!, i16[(at + 18) >> 1]!]
    const position = Math.fround(a / (a + b))
    const last = this.#half - 1
    const isFirst = a >= b
    const along = isFirst ? awayFromZero(last - (position - 0.5) * 2 * last) : Math.trunc(2 * position * last)
    const ring = bytes[at]! >> 1
    const x = 2 * bytes[at + 13]! + (isFirst ? 0 : 1) + (ring === 1 || ring === 3 ? 24 : 0)
    return pixelOf(x, along + (ring === 2 || ring === 3 ? this.#half : 0), 48, 2 * this.#half)
  }
}

/** The field's own stand-in, until the detector has a geometry. */
export class CspecGeometry implements CaenGeometry {
  readonly sink: EventSink
  readonly #fen: Counter
  readonly #group: Counter

  constructor(
    readonly config: CspecConfig,
    setup: ReadoutSetup
  ) {
    this.sink = setup.events('caen')
    this.#fen = setup.counter('geometry.fen_errors')
    this.#group = setup.counter('geometry.group_errors')
  }

  isValid({ bytes }: Packet, at: number): boolean {
    if (bytes[at + 1]! > this.config.MaxFEN) return no(this.#fen)
    return bytes[at + 13]! <= this.config.MaxGroup || no(this.#group)
  }

  pixel({ bytes, i16 }: Packet, at: number): number {
    const { Resolution: resolution } = this.config
    const a = i16[(at + 16) >> 1]!
    const sum = a + i16[(at + 18) >> 1]!
    if (sum === 0) return 0
    const x = resolution * (bytes[at]! >> 1) + (bytes[at + 13]! % 24) * Math.trunc(resolution / 24)
    return pixelOf(x, Math.trunc(((resolution - 1) * a) / sum), 900, 180)
  }
}
