// The time window of a job and what one stream makes of it: what is written, kept, dropped and counted.
import { type BadMessage } from '../errors.js'
import { type Writer } from '../plugin.js'
import { type PlanStream } from './plan.js'

/** Payload times, inclusive at both ends; `stopNs` may change while the job runs. */
export interface TimeWindow {
  readonly startNs: bigint
  stopNs: bigint
}

/** No stop time: the end of int64, as the peers have it. */
export const openEndNs = 2n ** 63n - 1n

export type Counters = Map<string, number>

export const countIn = (counters: Counters, reason: string, n = 1): void => {
  counters.set(reason, (counters.get(reason) ?? 0) + n)
}

/** A message of a log before the window, kept by copy. */
export class Kept {
  timeNs = 0n
  schemaId = ''
  private buffer = Buffer.alloc(0)
  private length = 0

  set(message: Buffer, timeNs: bigint, schemaId: string): void {
    if (this.buffer.length < message.length) this.buffer = Buffer.allocUnsafe(message.length)
    message.copy(this.buffer)
    this.length = message.length
    this.timeNs = timeNs
    this.schemaId = schemaId
  }

  get message(): Buffer {
    return this.buffer.subarray(0, this.length)
  }
}

/** One stream of the structure: its writer, its place in the window, its counts. */
export class StreamState {
  received = 0
  written = 0
  beforeStart = 0
  afterStop = 0
  repeated = 0
  outOfOrder = 0
  firstNs = 0n
  lastNs = 0n
  longestGapNs = 0n
  longestGapFromNs = 0n
  readonly bad: Counters = new Map()
  /** What the writer itself counts. */
  readonly counts: Counters = new Map()
  kept: Kept | null = null
  /** The window has begun for this stream: the kept message is written. */
  begun = false
  /** A message after the stop time has come. */
  pastStop = false
  /** The topic does not exist and the stream does without. */
  missing = false
  writer: Writer | null = null

  constructor(
    readonly plan: PlanStream,
    private readonly window: TimeWindow
  ) {}

  get keepsLast(): boolean {
    return this.plan.part.keepsLast
  }

  /** Whether a message of this time is to be written; keeps and counts the others. */
  admit(timeNs: bigint, message: Buffer, schemaId: string): boolean {
    this.received++
    if (timeNs <= 0n) {
      countIn(this.bad, 'time_zero')
      return false
    }
    if (timeNs < this.window.startNs) {
      this.beforeStart++
      if (this.keepsLast && !this.begun) this.keep(timeNs, message, schemaId)
      return false
    }
    if (timeNs > this.window.stopNs) return this.after()
    if (timeNs === this.lastNs && this.keepsLast) {
      this.repeated++
      return false
    }
    return true
  }

  /** Keeps the newest message before the window; of two with one time the later one. */
  keep(timeNs: bigint, message: Buffer, schemaId: string): void {
    if (timeNs <= 0n || timeNs >= this.window.startNs) return
    if (this.kept !== null && timeNs < this.kept.timeNs) return
    this.kept ??= new Kept()
    this.kept.set(message, timeNs, schemaId)
  }

  private after(): boolean {
    this.afterStop++
    const first = !this.pastStop
    this.pastStop = true
    return first && this.plan.firstAfterStop
  }

  /** Counts a message that is in the file now. */
  wrote(timeNs: bigint): void {
    if (this.written++ === 0) this.firstNs = timeNs
    else if (timeNs < this.lastNs) {
      this.outOfOrder++
      return
    } else {
      const gap = timeNs - this.lastNs
      if (gap > this.longestGapNs) {
        this.longestGapNs = gap
        this.longestGapFromNs = this.lastNs
      }
    }
    this.lastNs = timeNs
  }

  refused(error: BadMessage): void {
    countIn(this.bad, error.reason)
  }
}
