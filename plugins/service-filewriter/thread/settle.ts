// Decides when what follows in a partition can hold nothing more of a window in the past, by the times in the messages.
import { type TopicRoute } from '../structure/route.js'
import { type TimeWindow } from '../structure/window.js'
import { type Batch } from '../../../core/api/plugin.js'

const SECOND = 1000
const hour = 3600 * SECOND

/** Clocks of senders are believed to be right to so much. */
export const clockMs = 2 * hour
/** So much time without a message of the window is enough when every stream of the job is past it … */
const settledMs = 60 * SECOND
/** … and so much when some have fallen silent. */
const silentMs = 900 * SECOND
/** Kafka's time of a message is its own when they differ by less than this. */
const trustMs = 600 * SECOND
/** A stream that is further behind has a wrong clock and does not come up to the window. */
const agesMs = 366 * 24 * hour
/** Single messages prove nothing. */
const FEW = 10
const FIRST_ONES = 3

/** How far a stream has come since the last message of the window. */
class Course {
  #baseMs = -Infinity
  #count = 0
  #settled = 0
  #silent = 0

  /** The first ones may be wrong: the latest of them is where it began. */
  move(timeMs: number): void {
    if (this.#count++ < FIRST_ONES) {
      this.#baseMs = Math.max(this.#baseMs, timeMs)
      return
    }
    if (timeMs - this.#baseMs > settledMs) this.#settled++
    if (timeMs - this.#baseMs > silentMs) this.#silent++
  }

  /** Most of its messages are so much later. */
  isFar(allPast: boolean): boolean {
    const rest = this.#count - FIRST_ONES
    return rest >= FIRST_ONES && 2 * (allPast ? this.#settled : this.#silent) > rest
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
  #bytes = 0
  #sinceNear = 0
  readonly #courses = new Map<string, Course>()
  #heard = 0
  #strange = 0
  readonly #last = new Map<string, bigint>()

  readonly #window: TimeWindow
  readonly #leastBytes: number
  readonly #mostBytes: number

  /**
   * @param leastBytes - read at least, whatever the times say
   * @param mostBytes - read at most since the last message of the window
   */
  constructor(window: TimeWindow, leastBytes: number, mostBytes: number) {
    this.#window = window
    this.#leastBytes = leastBytes
    this.#mostBytes = mostBytes
  }

  /** Kafka's times are not those of the messages: they were sent again, or the broker sets its own. */
  get isStrange(): boolean {
    return this.#strange > FEW && this.#strange * 20 > this.#heard
  }

  hear(batch: Batch, route: Pick<TopicRoute, 'glance'>): void {
    if (this.isStrange) return
    const startMs = msOf(this.#window.startNs)
    const stopMs = msOf(this.#window.stopNs)
    for (let i = 0; i < batch.count; i++) {
      const size = Math.max(0, batch.valueEnd(i) - batch.valueStart(i))
      this.#bytes += size
      this.#sinceNear += size
      const glance = route.glance(batch, i)
      if (glance === undefined || this.#last.get(glance.source) === glance.timeNs) continue
      this.#last.set(glance.source, glance.timeNs)
      this.#heard++
      const timeMs = msOf(glance.timeNs)
      if (Math.abs(batch.timestampMs(i) - timeMs) > trustMs) this.#strange++
      if (timeMs > stopMs) this.#courseOf(glance.source).move(timeMs)
      else if (timeMs >= startMs - clockMs) {
        this.#sinceNear = 0
        this.#begin()
      } else if (glance.wanted && timeMs >= startMs - agesMs) this.#begin()
    }
  }

  /** `allPast`: every stream that sent anything has sent something from behind the window. */
  isSettled(allPast: boolean): boolean {
    if (this.isStrange || this.#bytes < this.#leastBytes) return false
    for (const course of this.#courses.values()) if (course.isFar(allPast)) return true
    return false
  }

  /** More would have to be read than is allowed. */
  get isTooMuch(): boolean {
    return !this.isStrange && this.#sinceNear > this.#mostBytes
  }

  #courseOf(source: string): Course {
    let course = this.#courses.get(source)
    if (course === undefined) this.#courses.set(source, (course = new Course()))
    return course
  }

  #begin(): void {
    this.#bytes = 0
    this.#courses.clear()
  }
}
