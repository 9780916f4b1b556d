// Frames put together: what the boards of an instrument say of one pulse, each for itself, becomes one pu00 and its events.
import { element, type EventRecord, type PulseRecord } from '../../schemas/index.js'

export interface WholeFrame {
  readonly timeNs: bigint
  readonly vetoes: number
  readonly period: number
  /** µAh. */
  readonly charge: number
  /** Sorted by time of flight, in messages that are not too large. */
  readonly events: readonly { readonly tof: Int32Array; readonly ids: Int32Array }[]
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
  readonly tof: number[]
  readonly ids: number[]
}

/** Times of frames that have gone, to know what is late. */
const MOST_GONE = 4096
/** Below it a time of flight and a place fit into one double. */
const MOST_SORTED = 2 ** 22

export class FrameAggregate {
  frames = 0
  eventsIn = 0
  eventsOut = 0
  /** Frames that were not whole: in the end nobody knew their period or charge. */
  droppedFrames = 0
  droppedEvents = 0
  lateEvents = 0
  latePulses = 0
  readonly #waiting: Waiting[] = []
  readonly #gone: bigint[] = []

  readonly #options: AggregateOptions

  constructor(options: AggregateOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** These frames have gone before this aggregate began, and all that are earlier; frames are in no order, so others between them may not have. */
  resumeAfter(times: readonly bigint[]): void {
    this.#gone.push(...times)
    this.#before = times.reduce((a, b) => (a < b ? a : b))
  }
  #before = 0n

  pulse({ timestampNs, vetos, period, protonCharge }: PulseRecord, nowMs: number): void {
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
  }

  /** Hands on what has waited long enough. */
  tick(nowMs: number): void {
    const { waitMs } = this.#options
    for (let next = this.#waiting[0]; next !== undefined && nowMs - next.sinceMs >= waitMs; next = this.#waiting[0])
      this.#handOn()
  }

  #add({ timeOfFlight, pixelId }: EventRecord, timeNs: bigint, start: number, end: number, nowMs: number): void {
    this.eventsIn += end - start
    const frame = this.#frame(timeNs, nowMs)
    if (frame === undefined) return void (this.lateEvents += end - start)
    for (let i = start; i < end; i++) {
      frame.tof.push(Number(element(timeOfFlight, i)))
      frame.ids.push(i < pixelId.length ? Number(element(pixelId, i)) : 0)
    }
  }

  /** Undefined for one that has gone. */
  #frame(timeNs: bigint, nowMs: number): Waiting | undefined {
    const { toleranceNs, mostFrames } = this.#options
    const isNear = (other: bigint): boolean => (timeNs > other ? timeNs - other : other - timeNs) <= toleranceNs
    const known = this.#waiting.findLast((frame) => isNear(frame.timeNs))
    if (known !== undefined) return known
    if (timeNs <= this.#before || this.#gone.some(isNear)) return undefined
    const frame: Waiting = { sinceMs: nowMs, timeNs, hasPulse: false, vetoes: 0, period: null, charge: null, tof: [], ids: [] } // prettier-ignore
    this.#waiting.push(frame)
    if (this.#waiting.length > mostFrames) this.#handOn()
    return frame
  }

  /** The one whose first message came first. */
  #handOn(): void {
    const frame = this.#waiting.shift()
    if (frame === undefined) return
    const { timeNs, vetoes, period, charge, tof } = frame
    this.#gone.push(timeNs)
    if (this.#gone.length > MOST_GONE) this.#gone.splice(0, MOST_GONE / 2)
    if (period === null || charge === null) {
      this.droppedFrames++
      this.droppedEvents += tof.length
      return
    }
    this.frames++
    this.eventsOut += tof.length
    this.#options.take({ timeNs, vetoes, period, charge, events: this.#split(frame) })
  }

  #split({ tof, ids }: Waiting): { tof: Int32Array; ids: Int32Array }[] {
    const parts: { tof: Int32Array; ids: Int32Array }[] = []
    const most = Math.min(this.#options.mostEvents, MOST_SORTED)
    for (let from = 0; from < tof.length; from += most) parts.push(sorted(tof, ids, from, Math.min(tof.length, from + most))) // prettier-ignore
    return parts
  }
}

function sorted(tof: readonly number[], ids: readonly number[], from: number, to: number) {
  const keys = Float64Array.from({ length: to - from }, (_, i) => (tof[from + i] ?? 0) * MOST_SORTED + i).sort()
  const out = { tof: new Int32Array(keys.length), ids: new Int32Array(keys.length) }
  for (const [k, key] of keys.entries()) {
    const i = from + (key - Math.floor(key / MOST_SORTED) * MOST_SORTED)
    out.tof[k] = tof[i] ?? 0
    out.ids[k] = ids[i] ?? 0
  }
  return out
}
