// Decides when what follows in a partition can hold nothing more of a window in the past, by the times in the messages.
import { type TopicRoute } from '../structure/route.js'
import { type TimeWindow } from '../structure/window.js'
import { type Batch } from '../../../core/api/plugin.js'

const second = 1000
const hour = 3600 * second

/** Clocks of senders are believed to be right to so much. */
export const clockMs = 2 * hour
/** So much time without a message of the window is enough when every stream of the job is past it … */
const settledMs = 60 * second
/** … and so much when some have fallen silent. */
const silentMs = 900 * second
/** Kafka's time of a message is its own when they differ by less than this. */
const trustMs = 600 * second
/** A stream that is further behind has a wrong clock and does not come up to the window. */
const agesMs = 366 * 24 * hour
/** Single messages prove nothing. */
const few = 10
const firstOnes = 3

/** How far a stream has come since the last message of the window. */
class Course {
  private baseMs = -Infinity
  private count = 0
  private settled = 0
  private silent = 0

  /** The first ones may be wrong: the latest of them is where it began. */
  move(timeMs: number): void {
    if (this.count++ < firstOnes) {
      this.baseMs = Math.max(this.baseMs, timeMs)
      return
    }
    if (timeMs - this.baseMs > settledMs) this.settled++
    if (timeMs - this.baseMs > silentMs) this.silent++
  }

  /** Most of its messages are so much later. */
  isFar(allPast: boolean): boolean {
    const rest = this.count - firstOnes
    return rest >= firstOnes && 2 * (allPast ? this.settled : this.silent) > rest
  }
}

const msOf = (ns: bigint): number => Number(ns / 1_000_000n)

/**
 * Hears every message from where Kafka's times say that the window has ended. A message of the window, or of a stream that
 * is on its way to it, begins the wait anew. A single wrong time moves nothing, nor does a clock that is far ahead: since
 * then one stream must have gone on for long enough by its own times, most of them. Repeats of a value with its old time
 * do not count.
 */
export class Settle {
  private bytes = 0
  private sinceNear = 0
  private readonly courses = new Map<string, Course>()
  private heard = 0
  private strange = 0
  private readonly last = new Map<string, bigint>()

  /**
   * @param leastBytes - read at least, whatever the times say
   * @param mostBytes - read at most since the last message of the window
   */
  constructor(
    private readonly window: TimeWindow,
    private readonly leastBytes: number,
    private readonly mostBytes: number
  ) {}

  /** Kafka's times are not those of the messages: they were sent again, or the broker sets its own. */
  get isStrange(): boolean {
    return this.strange > few && this.strange * 20 > this.heard
  }

  hear(batch: Batch, route: Pick<TopicRoute, 'glance'>): void {
    if (this.isStrange) return
    const startMs = msOf(this.window.startNs)
    const stopMs = msOf(this.window.stopNs)
    for (let i = 0; i < batch.count; i++) {
      const size = Math.max(0, batch.valueEnd(i) - batch.valueStart(i))
      this.bytes += size
      this.sinceNear += size
      const glance = route.glance(batch, i)
      if (glance === undefined || this.last.get(glance.source) === glance.timeNs) continue
      this.last.set(glance.source, glance.timeNs)
      this.heard++
      const timeMs = msOf(glance.timeNs)
      if (Math.abs(batch.timestampMs(i) - timeMs) > trustMs) this.strange++
      if (timeMs > stopMs) this.courseOf(glance.source).move(timeMs)
      else if (timeMs >= startMs - clockMs) {
        this.sinceNear = 0
        this.begin()
      } else if (glance.wanted && timeMs >= startMs - agesMs) this.begin()
    }
  }

  /** `allPast`: every stream that sent anything has sent something from behind the window. */
  isSettled(allPast: boolean): boolean {
    if (this.isStrange || this.bytes < this.leastBytes) return false
    for (const course of this.courses.values()) if (course.isFar(allPast)) return true
    return false
  }

  /** More would have to be read than is allowed. */
  get isTooMuch(): boolean {
    return !this.isStrange && this.sinceNear > this.mostBytes
  }

  private courseOf(source: string): Course {
    let course = this.courses.get(source)
    if (course === undefined) this.courses.set(source, (course = new Course()))
    return course
  }

  private begin(): void {
    this.bytes = 0
    this.courses.clear()
  }
}
