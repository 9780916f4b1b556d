// Frames put together: what the boards of an instrument say of one pulse, each for itself, becomes one pu00 and its events.
import { element, type EventRecord, numbersIn, type PulseRecord, type Vector } from '../../schemas/index.js'
import { type TimedEvents, sortByTime } from './sort.js'

export interface WholeFrame {
  readonly timeNs: bigint
  readonly vetoes: number
  readonly period: number
  /** µAh. */
  readonly charge: number
  /** Sorted by time of flight, in messages that are not too large. */
  readonly events: readonly TimedEvents[]
}

export interface AggregateOptions {
  /** Messages belong together when their times are no further apart. */
  readonly toleranceNs: bigint
  /** A frame waits so long for more, from its first message on. */
  readonly waitMs: number
  /** Frames that may wait; with more the first goes at once. */
  readonly mostFrames: number
  /** In one message. */
  readonly mostEvents: number
  readonly take: (frame: WholeFrame) => void
}

interface Waiting {
  readonly sinceMs: number
  timeNs: bigint
  hasPulse: boolean
  vetoes: number
  period: number | null
  charge: number | null
  /** As they came. */
  readonly parts: TimedEvents[]
  events: number
}

/** The input is read again from shortly before the end of the output on: what is older than that has come late. */
const AGAIN_NS = 60_000_000_000n
/** Times of frames that have gone, to know what is late. */
const MOST_GONE = 4096

/** Found by the piece of time they are in, which is no longer than the tolerance. */
class GoneTimes {
  readonly #byPiece = new Map<bigint, bigint>()
  readonly #toleranceNs: bigint
  readonly #pieceNs: bigint

  constructor(toleranceNs: bigint) {
    this.#toleranceNs = toleranceNs
    this.#pieceNs = toleranceNs > 0n ? toleranceNs : 1n
  }

  add(timeNs: bigint): void {
    const piece = timeNs / this.#pieceNs
    // The newest last
    this.#byPiece.delete(piece)
    this.#byPiece.set(piece, timeNs)
    const [oldest] = this.#byPiece.keys()
    if (this.#byPiece.size > MOST_GONE && oldest !== undefined) this.#byPiece.delete(oldest)
  }

  hasNear(timeNs: bigint): boolean {
    const piece = timeNs / this.#pieceNs
    for (let one = piece - 2n; one <= piece + 2n; one++) {
      const other = this.#byPiece.get(one)
      if (other !== undefined && (timeNs > other ? timeNs - other : other - timeNs) <= this.#toleranceNs) return true
    }
    return false
  }
}

export class FrameAggregate {
  frames = 0
  eventsIn = 0
  eventsOut = 0
  /** Frames that were not whole: in the end nobody knew their period or charge. */
  droppedFrames = 0
  droppedEvents = 0
  lateEvents = 0
  latePulses = 0
  /** Events before the first pulse of their message, of which nobody says when they were. */
  eventsBefore = 0
  readonly #waiting: Waiting[] = []
  readonly #gone: GoneTimes
  /** Of frames that went before this aggregate began: what is read of them again is no loss. */
  readonly #sentBefore: GoneTimes

  readonly #options: AggregateOptions

  constructor(options: AggregateOptions) {
    this.#options = options
    this.#gone = new GoneTimes(options.toleranceNs)
    this.#sentBefore = new GoneTimes(options.toleranceNs)
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** These frames have gone before this aggregate began, and all that are earlier; frames are in no order, so others between them may not have. */
  resumeAfter(times: readonly bigint[]): void {
    for (const one of times) this.#sentBefore.add(one)
    this.#before = times.reduce((a, b) => (a < b ? a : b))
  }
  #before = -(2n ** 63n)

  pulse({ timestampNs, vetos, period, protonCharge }: PulseRecord, nowMs: number): void {
    if (this.#isAgain(timestampNs)) return
    const frame = this.#frame(timestampNs, nowMs)
    if (frame === undefined) return void this.latePulses++
    if (!frame.hasPulse) frame.timeNs = timestampNs
    frame.hasPulse = true
    frame.vetoes = (frame.vetoes | (vetos ?? 0)) >>> 0
    frame.period ??= period
    frame.charge ??= protonCharge !== null && Number.isFinite(protonCharge) ? protonCharge : null
  }

  events(record: EventRecord, nowMs: number): void {
    const { referenceTime, referenceTimeIndex, timeOfFlight } = record
    let end = timeOfFlight.length
    for (let i = referenceTime.length - 1; i >= 0; i--) {
      const first = referenceTimeIndex === null ? 0 : Number(element(referenceTimeIndex, i))
      // A negative index means: no events
      const start = first < 0 ? end : Math.min(first, end)
      this.#add(record, element(referenceTime, i) as bigint, start, end, nowMs)
      end = start
    }
    this.eventsIn += end
    this.eventsBefore += end
  }

  /** Hands on what has waited long enough. */
  tick(nowMs: number): void {
    const { waitMs } = this.#options
    for (let next = this.#waiting[0]; next !== undefined && nowMs - next.sinceMs >= waitMs; next = this.#waiting[0])
      this.#handOn()
  }

  #add({ timeOfFlight, pixelId }: EventRecord, timeNs: bigint, start: number, end: number, nowMs: number): void {
    if (this.#isAgain(timeNs)) return
    this.eventsIn += end - start
    const frame = this.#frame(timeNs, nowMs)
    if (frame === undefined) return void (this.lateEvents += end - start)
    if (start === end) return
    const ids = pixelId.length === 0 ? new Int32Array(end - start) : columnOf(pixelId, start, end)
    frame.parts.push({ tof: columnOf(timeOfFlight, start, end), ids })
    frame.events += end - start
  }

  #isAgain(timeNs: bigint): boolean {
    const before = this.#before
    return this.#sentBefore.hasNear(timeNs) || (timeNs <= before && timeNs > before - AGAIN_NS)
  }

  /** Undefined for one that has gone. */
  #frame(timeNs: bigint, nowMs: number): Waiting | undefined {
    const { toleranceNs, mostFrames } = this.#options
    const isNear = (other: bigint): boolean => (timeNs > other ? timeNs - other : other - timeNs) <= toleranceNs
    const known = this.#waiting.findLast((frame) => isNear(frame.timeNs))
    if (known !== undefined) return known
    if (timeNs <= this.#before || this.#gone.hasNear(timeNs)) return undefined
    const frame: Waiting = { sinceMs: nowMs, timeNs, hasPulse: false, vetoes: 0, period: null, charge: null, parts: [], events: 0 } // prettier-ignore
    this.#waiting.push(frame)
    if (this.#waiting.length > mostFrames) this.#handOn()
    return frame
  }

  /** The one whose first message came first. */
  #handOn(): void {
    const frame = this.#waiting.shift()
    if (frame === undefined) return
    const { timeNs, vetoes, period, charge, events } = frame
    this.#gone.add(timeNs)
    if (period === null || charge === null) {
      this.droppedFrames++
      this.droppedEvents += events
      return
    }
    this.frames++
    this.eventsOut += events
    this.#options.take({ timeNs, vetoes, period, charge, events: this.#split(frame) })
  }

  #split({ parts, events }: Waiting): TimedEvents[] {
    if (events === 0) return []
    const all = { tof: new Int32Array(events), ids: new Int32Array(events) }
    let at = 0
    for (const { tof, ids } of parts) {
      all.tof.set(tof, at)
      all.ids.set(ids, at)
      at += tof.length
    }
    const most = this.#options.mostEvents
    const split = events <= most ? [all] : Array.from({ length: Math.ceil(events / most) }, (_, i) => ({ tof: all.tof.slice(i * most, (i + 1) * most), ids: all.ids.slice(i * most, (i + 1) * most) })) // prettier-ignore
    for (const part of split) sortByTime(part)
    return split
  }
}

/** A copy. */
function columnOf(vector: Vector, start: number, end: number): Int32Array {
  const numbers = numbersIn(vector).subarray(start, end)
  return numbers instanceof BigInt64Array || numbers instanceof BigUint64Array ? Int32Array.from(numbers, Number) : new Int32Array(numbers) // prettier-ignore
}
