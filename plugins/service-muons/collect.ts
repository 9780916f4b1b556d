// Events of single digitisers (dev2) → events of frames (aev2): what belongs to one frame waits for all digitisers, for a while.
import { type MuonEvents, type MuonFrame, type Vector } from '../../schemas/index.js'

export interface CollectOptions {
  /** Whose events make a frame complete. */
  readonly digitisers: readonly number[]
  /** A frame waits so long for them, from its first message on. */
  readonly waitMs: number
  /** Frames that may wait; with more the first goes at once. */
  readonly mostFrames: number
  readonly take: (frame: MuonEvents) => void
}

interface Waiting {
  readonly key: string
  readonly sinceMs: number
  readonly frame: MuonFrame
  vetoes: number
  readonly digitisers: number[]
  readonly time: Uint8Array[]
  readonly voltage: Uint8Array[]
  readonly channel: Uint8Array[]
  events: number
}

/** Frames that have gone, to know what is late. */
const MOST_GONE = 8192

/** All that is told of a frame but its vetoes: each digitiser has its own. */
export const frameKey = ({ timestampNs, period, protonsPerPulse, running, frameNumber }: MuonFrame): string =>
  `${timestampNs} ${period} ${protonsPerPulse} ${running} ${frameNumber}`

export class MuonCollector {
  frames = 0
  incomplete = 0
  eventsIn = 0
  eventsOut = 0
  /** Events that are in no frame: what came late, twice, or of a digitiser that is none of those. */
  late = 0
  repeated = 0
  otherDigitiser = 0
  /** In the order in which they began. */
  readonly #waiting = new Map<string, Waiting>()
  readonly #gone = new Set<string>()
  readonly #sentBefore = new Set<string>()
  readonly #options: CollectOptions

  constructor(options: CollectOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** This frame went before this collector began; what is read of it again is no news. */
  hasGone(frame: MuonFrame): void {
    this.#sentBefore.add(frameKey(frame))
  }

  /** Copies what it keeps. */
  add({ frame, time, voltage, channel, digitisers }: MuonEvents, nowMs: number): void {
    const events = time.length
    const [digitiser = 0] = digitisers
    const key = frameKey(frame)
    if (this.#sentBefore.has(key)) return
    this.eventsIn += events
    if (!this.#options.digitisers.includes(digitiser)) return void (this.otherDigitiser += events)
    if (this.#gone.has(key)) return void (this.late += events)
    const waiting = this.#waiting.get(key) ?? this.#begin(key, frame, nowMs)
    if (waiting.digitisers.includes(digitiser)) return void (this.repeated += events)
    waiting.digitisers.push(digitiser)
    waiting.vetoes |= frame.vetoes
    waiting.time.push(Uint8Array.from(time.bytes))
    waiting.voltage.push(Uint8Array.from(voltage.bytes))
    waiting.channel.push(Uint8Array.from(channel.bytes))
    waiting.events += events
    this.tick(nowMs)
  }

  /** Hands on what is complete or has waited long enough, in order: a frame waits for those before it. */
  tick(nowMs: number): void {
    const { waitMs, mostFrames } = this.#options
    for (const waiting of this.#waiting.values()) {
      if (!this.#isComplete(waiting) && nowMs - waiting.sinceMs < waitMs && this.#waiting.size <= mostFrames) return
      this.#handOn(waiting)
    }
  }

  #isComplete({ digitisers }: Waiting): boolean {
    return digitisers.length === this.#options.digitisers.length
  }

  #begin(key: string, frame: MuonFrame, nowMs: number): Waiting {
    const waiting: Waiting = { key, sinceMs: nowMs, frame, vetoes: 0, digitisers: [], time: [], voltage: [], channel: [], events: 0 } // prettier-ignore
    this.#waiting.set(key, waiting)
    return waiting
  }

  #handOn(waiting: Waiting): void {
    const { key, frame, vetoes, digitisers, events } = waiting
    this.#waiting.delete(key)
    this.#remember(key)
    const complete = this.#isComplete(waiting)
    this.frames++
    if (!complete) this.incomplete++
    this.eventsOut += events
    const joined = (parts: readonly Uint8Array[], dtype: Vector['dtype']): Vector => ({ dtype, length: events, bytes: Buffer.concat(parts) }) // prettier-ignore
    this.#options.take({
      frame: { ...frame, vetoes },
      time: joined(waiting.time, 'uint32'),
      voltage: joined(waiting.voltage, 'uint16'),
      channel: joined(waiting.channel, 'uint32'),
      digitisers: Uint8Array.from(digitisers.toSorted((a, b) => a - b)),
      complete
    })
  }

  #remember(key: string): void {
    this.#gone.add(key)
    const [oldest] = this.#gone
    if (this.#gone.size > MOST_GONE && oldest !== undefined) this.#gone.delete(oldest)
  }
}
