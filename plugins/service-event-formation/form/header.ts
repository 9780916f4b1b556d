// The header that all readout packets of ESS begin with: what is wrong with it is counted, what is right sets the pulse.
import { type Counter, countersOf, no, ticksToNs, TICKS_PER_SECOND } from '../readout-kit.js'
import { type FormationClock } from './clock.js'
import { type NamedCounters } from './counters.js'
import { LARGEST_PACKET } from './packet-memory.js'

const COOKIE = 0x535345
const QUEUES = 12
/** A packet that is so far behind has come late; further ones mean that the sender began anew. */
const LATE = 1024

/** Time source byte: bits that say that the time is not to be trusted. */
const LOCAL = 1
const FAULTS = [
  [0x02, 'timing', true],
  [0x08, 'time_status', true],
  [0x20, 'even_fibre_sync', false],
  [0x80, 'odd_fibre_sync', false]
] as const

/** Order of what packets say, and how many are missing. */
class Sequence {
  #expected = 0
  #isFirst = true

  constructor(
    readonly breaks: Counter,
    readonly missing: Counter,
    readonly late: Counter,
    readonly compatible: boolean
  ) {}

  next(number: number): void {
    // The field's program expects 0 first; who joins later has missed nothing
    if (this.#isFirst && !this.compatible) this.#expected = number
    this.#isFirst = false
    const ahead = (number - this.#expected) | 0
    if (ahead !== 0) this.breaks.value++
    if (ahead > 0) this.missing.value += ahead
    else if (ahead < 0 && ahead > -LATE && number !== 0) {
      this.late.value++
      if (!this.compatible) return
    }
    this.#expected = (number + 1) | 0
  }
}

const errorNames = [
  'buffer',
  'size',
  'pad',
  'version',
  'cookie',
  'type',
  'output_queue',
  'timefrac',
  'timehigh'
] as const

export class EssHeader {
  readonly #count: (name: string) => Counter
  readonly #sequences: Sequence[]
  readonly #queues: Counter[]
  readonly #versions: readonly [Counter, Counter]
  readonly #heartbeats: Counter
  readonly #errors: Readonly<Record<(typeof errorNames)[number], Counter>>
  readonly #faults: readonly { bit: number; counter: Counter; isOfMaster: boolean }[]

  constructor(
    counters: NamedCounters,
    readonly detectorType: number,
    readonly clock: FormationClock
  ) {
    this.#count = (name) => counters.get(`parser.essheader.${name}`)
    const error = (name: string): Counter => this.#count(`errors.${name}`)
    const [breaks, missing, late] = [error('seqno'), error('missing_packets'), error('late_packets')]
    this.#sequences = Array.from({ length: QUEUES }, () => new Sequence(breaks, missing, late, clock.compatible))
    this.#queues = Array.from({ length: QUEUES }, (_, n) => this.#count(`OQ.${String(n).padStart(2, '0')}.packets`))
    this.#versions = [this.#count('version.v0'), this.#count('version.v1')]
    this.#heartbeats = this.#count('heartbeats')
    this.#errors = countersOf(errorNames, error)
    this.#faults = FAULTS.map(([bit, name, isOfMaster]) => ({ bit, counter: error(name), isOfMaster }))
  }

  /** Whether a packet may be one at all, by its length. */
  admits(length: number): boolean {
    if (length === 0) return no(this.#errors.buffer)
    return length >= 5 && length <= LARGEST_PACKET ? true : no(this.#errors.size)
  }

  /**
   * Bytes of the header, or 0 when the packet is refused.
   * @param view - the packet begins at `at` and has `length` bytes, 5 at least
   */
  read(view: DataView, at: number, length: number): number {
    const errors = this.#errors
    if (view.getUint8(at) !== 0) return +no(errors.pad)
    const version = view.getUint8(at + 1)
    if (version > 1) return +no(errors.version)
    if ((view.getUint8(at + 2) | (view.getUint16(at + 3, true) << 8)) !== COOKIE) return +no(errors.cookie)
    const size = version === 0 ? 30 : 32
    if (length < size) return +no(errors.size)
    this.#versions[version]!.value++
    if (view.getUint16(at + 6, true) !== length) return +no(errors.size)
    if (view.getUint8(at + 5) !== this.detectorType) return +no(errors.type)
    const queue = view.getUint8(at + 8)
    if (queue >= QUEUES) return +no(errors.output_queue)
    this.#queues[queue]!.value++
    this.#sequences[queue]!.next(view.getUint32(at + 26, true))
    if (!this.#isTimed(view.getUint8(at + 9)) || !this.#pulse(view, at)) return 0
    if (length === size) this.#heartbeats.value++
    return size
  }

  #isTimed(bits: number): boolean {
    let isTimed = true
    for (const { bit, counter, isOfMaster } of this.#faults) {
      if ((bits & bit) === 0 || (isOfMaster && (bits & LOCAL) !== 0)) continue
      counter.value++
      isTimed = false
    }
    return isTimed
  }

  #pulse(view: DataView, at: number): boolean {
    const { timefrac, timehigh } = this.#errors
    const [seconds, ticks] = [view.getUint32(at + 10, true), view.getUint32(at + 14, true)]
    const [before, ticksBefore] = [view.getUint32(at + 18, true), view.getUint32(at + 22, true)]
    if (ticks >= TICKS_PER_SECOND || ticksBefore >= TICKS_PER_SECOND) return no(timefrac)
    const [ns, nsBefore] = [ticksToNs(ticks), ticksToNs(ticksBefore)]
    if (this.clock.isTooLong(seconds, ns, before, nsBefore)) return no(timehigh)
    this.clock.pulse(seconds, ns, before, nsBefore)
    return true
  }
}
