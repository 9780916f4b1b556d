// Readouts of VMM3a: 20 bytes with chip, channel, charge and fine time; what is wrong with one is counted, and the next is read.
import {
  type Counter,
  countersOf,
  no,
  type Packet,
  type ReadoutSetup,
  TICKS_PER_SECOND
} from '../service-event-formation/readout-kit.js'

export const SIZE = 20
const FIBRES = 24
const FENS = 24

const names = ['fiber', 'fen', 'datalen', 'timefrac', 'bc', 'adc', 'vmm', 'channel', 'size'] as const

/** Parses the readouts of a packet, and says which are good. */
export class VmmParser {
  readonly #errors: Readonly<Record<(typeof names)[number], Counter>>
  readonly #count: Counter
  readonly #over: Counter
  readonly #calibration: Counter
  readonly #data: Counter

  constructor({ counter }: ReadoutSetup) {
    this.#errors = countersOf(names, (name) => counter(`readouts.error_${name}`))
    this.#count = counter('readouts.count')
    this.#over = counter('readouts.over_threshold')
    this.#calibration = counter('readouts.bccalib')
    this.#data = counter('readouts.data')
  }

  /** Whether the packet has readouts at all. */
  isWhole({ from, to }: Packet): boolean {
    if ((to - from) % SIZE === 0) return true
    this.#errors.size.value++
    return false
  }

  isGood({ bytes, u16, u32 }: Packet, at: number): boolean {
    const errors = this.#errors
    this.#count.value++
    if (bytes[at]! >= FIBRES) return no(errors.fiber)
    if (bytes[at + 1]! >= FENS) return no(errors.fen)
    if (u16[(at + 2) >> 1] !== SIZE) return no(errors.datalen)
    if (u32[(at + 8) >> 2]! >= TICKS_PER_SECOND) return no(errors.timefrac)
    if (u16[(at + 12) >> 1]! > 4095) return no(errors.bc)
    const charge = u16[(at + 14) >> 1]!
    if ((charge & 0x7fff) > 1023) return no(errors.adc)
    if (bytes[at + 18]! > 15) return no(errors.vmm)
    if (bytes[at + 19]! > 63) return no(errors.channel)
    if (charge > 0x7fff) this.#over.value++
    if (bytes[at + 16]! > 0x7f) this.#calibration.value++
    else this.#data.value++
    return true
  }
}
