// The time window of a job and what one stream makes of it: what is written, kept, dropped and counted.
import { BadMessage } from '../../../core/api/plugin.js'
import { type Converter } from '../../../schemas/index.js'
import { type PlanStream } from './plan.js'
import { type Weight } from './reasons.js'
import { type Writer } from '../writer-part.js'

const long = new BigInt64Array(1)
const halves = new Uint32Array(long.buffer)
const WORD = 2 ** 32

/** The time that two halves make. */
export function nsOf(high: number, low: number): bigint {
  halves[0] = low
  halves[1] = high
  return long[0] ?? 0n
}

/** A time in ns, in two halves: comparing bigints would cost more than all else that is done with a small message. */
export class Instant {
  high = 0
  low = 0

  constructor(ns = 0n) {
    this.set(ns)
  }

  get ns(): bigint {
    return nsOf(this.high, this.low)
  }

  set(ns: bigint): void {
    long[0] = ns
    this.low = halves[0] ?? 0
    this.high = (halves[1] ?? 0) | 0
  }

  at(high: number, low: number): this {
    this.high = high
    this.low = low
    return this
  }

  isBefore(other: Instant): boolean {
    return this.high < other.high || (this.high === other.high && this.low < other.low)
  }

  /** ns from another time, given in halves, to this one; exact up to 104 days. */
  since(high: number, low: number): number {
    return (this.high - high) * WORD + (this.low - low)
  }
}

/** Payload times, inclusive at both ends; `stopNs` may change while the job runs. */
export class TimeWindow {
  readonly start: Instant
  readonly stop: Instant
  /** Values from before this are too old to be the last one before the start. */
  keepFromNs = 1n

  constructor(startNs: bigint, stopNs: bigint) {
    this.start = new Instant(startNs)
    this.stop = new Instant(stopNs)
  }

  get startNs(): bigint {
    return this.start.ns
  }
  get stopNs(): bigint {
    return this.stop.ns
  }
  set stopNs(ns: bigint) {
    this.stop.set(ns)
  }
}

/** No stop time: the end of int64, as the peers have it. */
export const OPEN_END_NS = 2n ** 63n - 1n

export type Counters = Map<string, number>

export const countIn = (counters: Counters, reason: string, n = 1): void => {
  counters.set(reason, (counters.get(reason) ?? 0) + n)
}

/** A message of a log before the window, kept by copy. */
export class KeptMessage {
  timeNs = 0n
  schemaId = ''
  #buffer = Buffer.alloc(0)
  #length = 0

  set(message: Buffer, timeNs: bigint, schemaId: string): void {
    if (this.#buffer.length < message.length) this.#buffer = Buffer.allocUnsafe(message.length)
    message.copy(this.#buffer)
    this.#length = message.length
    this.timeNs = timeNs
    this.schemaId = schemaId
  }

  get message(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }
}

interface WriterCounts {
  readonly counts: Counters
  /** The first one of what it counts, in words. */
  readonly firsts: Map<string, string>
  /** What it says of its reasons. */
  readonly weights: Map<string, Weight>
}
const NOTHING_BAD: ReadonlyMap<string, number> = new Map()
const NOTHING_SAID: WriterCounts = { counts: new Map(), firsts: new Map(), weights: new Map() }

/** One stream of the structure: its writer, its place in the window, its counts. */
export class StreamState {
  received = 0
  written = 0
  beforeStart = 0
  afterStop = 0
  repeated = 0
  outOfOrder = 0
  firstNs = 0n
  longestGapNs = 0
  longestGapFromNs = 0n
  #lastHigh = 0
  #lastLow = 0
  readonly #marked = { written: 0, outOfOrder: 0, high: 0, low: 0 }
  #bad: Counters | undefined
  #said: WriterCounts | undefined
  kept: KeptMessage | null = null
  #badBefore: { readonly timeNs: bigint; readonly error: BadMessage } | undefined
  /** The window has begun for this stream: the kept message is written. */
  begun = false
  /** A message after the stop time has come. */
  pastStop = false
  /** The topic does not exist and the stream does without. */
  missing = false
  writer: Writer | null = null
  readonly keepsLast: boolean

  constructor(
    readonly plan: PlanStream,
    readonly window: TimeWindow
  ) {
    this.keepsLast = plan.part.keepsLast
  }

  get lastNs(): bigint {
    return nsOf(this.#lastHigh, this.#lastLow)
  }

  get bad(): ReadonlyMap<string, number> {
    return this.#bad ?? NOTHING_BAD
  }

  /** To count in: most streams never need it. */
  ownBad(): Counters {
    return (this.#bad ??= new Map<string, number>())
  }

  /** What the writer itself counts. */
  get said(): WriterCounts {
    return this.#said ?? NOTHING_SAID
  }

  /** What the writer counts, how much it weighs, and the first one in words. */
  say(reason: string, n?: number, weight?: Weight, first?: () => string): void {
    const said = (this.#said ??= { counts: new Map(), firsts: new Map(), weights: new Map() })
    countIn(said.counts, reason, n)
    if (first !== undefined && !said.firsts.has(reason)) said.firsts.set(reason, first())
    if (weight !== undefined) said.weights.set(reason, weight)
  }

  /** A message from before the window: kept or counted. */
  early(time: Instant, message: Buffer, schemaId: string, converter: Converter): void {
    this.received++
    if (time.high < 0 || (time.high === 0 && time.low === 0)) return countIn(this.ownBad(), 'time_zero')
    this.beforeStart++
    if (!this.keepsLast || this.begun) return
    const bad = this.keep(time.ns, message, schemaId, converter)
    if (bad !== undefined) this.#badBefore = { timeNs: time.ns, error: bad }
  }

  /** Of damaged messages before the window one is missed: one that is newer than what was kept. */
  judgeBefore(): void {
    const { kept } = this,
      badBefore = this.#badBefore
    this.#badBefore = undefined
    if (badBefore === undefined || (kept !== null && kept.timeNs > badBefore.timeNs)) return
    this.beforeStart--
    this.refused(badBefore.error)
  }

  /** Whether a message that is not early is to be written; counts the others. */
  admit(time: Instant): boolean {
    this.received++
    if (this.window.stop.isBefore(time)) return this.#after()
    if (this.keepsLast && time.low === this.#lastLow && time.high === this.#lastHigh) {
      this.repeated++
      return false
    }
    return true
  }

  /** Keeps the newest sound message before the window; of two with one time the later one. Returns why it was not sound. */
  keep(timeNs: bigint, message: Buffer, schemaId: string, converter: Converter): BadMessage | undefined {
    if (timeNs < this.window.keepFromNs || timeNs >= this.window.startNs) return undefined
    if (this.kept !== null && timeNs < this.kept.timeNs) return undefined
    try {
      // A damaged message must not take the place of a good one
      converter.decode?.(message)
    } catch (error) {
      if (error instanceof BadMessage) return error
      throw error
    }
    this.kept ??= new KeptMessage()
    this.kept.set(message, timeNs, schemaId)
    return undefined
  }

  #after(): boolean {
    this.afterStop++
    const first = !this.pastStop
    this.pastStop = true
    return first && this.plan.firstAfterStop
  }

  /** Counts a message that is in the file now. */
  wrote(time: Instant): void {
    if (this.written++ === 0) this.firstNs = time.ns
    else {
      const gap = time.since(this.#lastHigh, this.#lastLow)
      if (gap < 0) {
        this.outOfOrder++
        return
      }
      if (gap > this.longestGapNs) {
        this.longestGapNs = gap
        this.longestGapFromNs = this.lastNs
      }
    }
    this.#lastHigh = time.high
    this.#lastLow = time.low
  }

  /** What has been written up to now is in the file whatever happens. */
  mark(): void {
    const marked = this.#marked
    marked.written = this.written
    marked.outOfOrder = this.outOfOrder
    marked.high = this.#lastHigh
    marked.low = this.#lastLow
  }

  /** The file failed: it holds what it had at the last mark. */
  revert(): void {
    const { written, outOfOrder, high, low } = this.#marked
    if (written < this.written) countIn(this.ownBad(), 'not_in_file', this.written - written)
    this.written = written
    this.outOfOrder = outOfOrder
    this.#lastHigh = high
    this.#lastLow = low
  }

  refused(error: BadMessage): void {
    countIn(this.ownBad(), error.reason)
  }
}
