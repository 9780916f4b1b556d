// Where reading of each topic of a job begins and ends, and what the report says of what is not there.
import { type TopicRoute } from '../structure/route.js'
import { OPEN_END_NS, type TimeWindow } from '../structure/window.js'
import { CodedError, type Kafka } from '../../../core/api/plugin.js'
import { lookBack } from './look-back.js'
import { type WriteSpec } from './protocol.js'
import { type End, type ReadingNotes, type Start } from './reading.js'
import { Settle } from './settle.js'
import { findStart } from './start.js'

/** Kafka keeps messages at least so long. */
const CUT_MS = 60_000
/** Of a topic so much is read behind a window in the past, and of a partition at least so much, whatever the times say. */
const BEHIND_BYTES = 64 << 20
const PARTITION_BYTES = 8 << 20

const isMissing = (error: unknown): boolean => error instanceof CodedError && error.code === 'TOPIC_MISSING'

const partitionsOf = ({ partitions }: TopicRoute, all: readonly number[]): readonly number[] =>
  partitions === undefined ? all : all.filter((partition) => partitions.includes(partition))

export class JobSpan implements ReadingNotes {
  readonly startMs: number

  readonly #kafka: Kafka
  readonly #spec: WriteSpec
  readonly #window: TimeWindow
  readonly #words: { readonly problems: string[]; readonly notes: string[] }
  readonly #signal: AbortSignal

  constructor(
    kafka: Kafka,
    spec: WriteSpec,
    window: TimeWindow,
    words: { readonly problems: string[]; readonly notes: string[] },
    signal: AbortSignal
  ) {
    this.#kafka = kafka
    this.#spec = spec
    this.#window = window
    this.#words = words
    this.#signal = signal

    this.startMs = Number(spec.startNs / 1_000_000n)
  }

  /** Until then messages of the window reach Kafka. */
  get lastKafkaMs(): number {
    const { stopNs } = this.#window
    return stopNs === OPEN_END_NS ? Infinity : Number(stopNs / 1_000_000n) + this.#spec.options.lateDataMs
  }

  startedLate(topics: Iterable<string>): void {
    for (const topic of topics)
      this.#words.problems.push(
        `Kafka's times of ${topic} are further behind those of its messages than was seen at the start: the first of the window may be missing; set before_start_ms higher` // prettier-ignore
      )
  }

  async #startOf(route: TopicRoute, partitions: readonly number[], topicId: string | undefined): Promise<Start> {
    const { topic } = route
    const { seekByTime, beforeStartMs, fetchBytes } = this.#spec.options
    if (!seekByTime) return { route, topicId, offsets: await this.#kafka.offsets(topic, partitions, 'earliest') }
    const { startMs } = this
    const options = { startMs, beforeStartMs, fetchBytes, signal: this.#signal }
    const { offsets, earliest, behindMs } = await findStart(this.#kafka, route, partitions, options)
    const first = (partition: number): number => earliest.get(partition) ?? 0
    const cut = new Set(partitions.filter((p) => first(p) > 0 && (offsets.get(p) ?? 0) <= first(p)))
    const isWhole = partitions.every((partition) => (offsets.get(partition) ?? 0) <= first(partition))
    // Of a window that begins now nothing can be too old
    if (Date.now() - startMs + beforeStartMs < CUT_MS) cut.clear()
    else for (const partition of await this.#findGone(topic, [...cut], earliest)) cut.delete(partition)
    return { route, topicId, offsets, cut, behindMs: isWhole ? Infinity : behindMs }
  }

  /** Partitions that had messages once and have none now: what was of the window in them nobody knows. It is said. */
  async #findGone(
    topic: string,
    partitions: readonly number[],
    earliest: ReadonlyMap<number, number>
  ): Promise<number[]> {
    if (partitions.length === 0) return []
    const last = await this.#kafka.offsets(topic, partitions, 'written')
    const gone = partitions.filter((partition) => (last.get(partition) ?? 0) <= (earliest.get(partition) ?? 0))
    const all = gone.reduce((sum, partition) => sum + (last.get(partition) ?? 0), 0)
    if (all > 0) this.#deleted(`all ${all} messages of ${topic} (partition ${gone.join(', ')})`)
    return gone
  }

  #deleted(what: string): void {
    const why = 'have been deleted by Kafka: those of the window, if there were any, are lost'
    this.#words.problems.push(`${what} ${why}`)
  }

  emptied(topic: string, partition: number, before: number): void {
    this.#deleted(`all ${before} messages of ${topic} (partition ${partition})`)
  }

  cut(topic: string, firstMs: number): void {
    if (firstMs <= this.startMs) return
    const since = new Date(firstMs).toISOString()
    this.#words.problems.push(`of ${topic} Kafka has nothing from before ${since} any more, and the window begins earlier`) // prettier-ignore
  }

  madeAgain(topic: string, unread: number): void {
    const { notes, problems } = this.#words
    const note = `${topic} was deleted and made again during the job; the new one was read from its beginning`
    if (!notes.includes(note)) notes.push(note)
    if (unread > 0) problems.push(`${unread} messages of ${topic} were deleted with it before they were read`)
  }

  left(topic: string, messages: number, sure: boolean): void {
    if (!sure)
      this.#words.problems.push(
        `${messages} messages of ${topic} were not looked at (look_further_bytes): times of messages before them do not tell that the window is over` // prettier-ignore
      )
    else
      this.#words.notes.push(
        `${topic} was read until the times in its messages had passed the window; ${messages} later messages were not looked at` // prettier-ignore
      )
  }

  /** Where to begin to read a topic, after a look back for last values; undefined when it is gone. */
  startsOf(topic: string, routes: readonly TopicRoute[]): Promise<Start[] | undefined> {
    return this.#ask(topic, async (partitions, topicId) => {
      const starts: Start[] = []
      for (const route of routes) {
        if (this.#signal.aborted) continue
        const mine = partitionsOf(route, partitions)
        await this.#search(route, mine)
        starts.push(await this.#startOf(route, mine, topicId))
      }
      return starts
    })
  }

  /** As `startsOf`, of a topic that is new: all of it. */
  beginningsOf(topic: string, routes: readonly TopicRoute[]): Promise<Start[] | undefined> {
    return this.#ask(topic, async (partitions, topicId) => {
      const all = await this.#kafka.offsets(topic, partitions, 'earliest')
      return routes.map((route) => {
        const mine = new Set(partitionsOf(route, partitions))
        return { route, topicId, offsets: new Map([...all].filter(([partition]) => mine.has(partition))) }
      })
    })
  }

  /** Asks again when the topic is deleted or made again meanwhile; undefined when there is none. */
  async #ask<T>(
    topic: string,
    ask: (partitions: readonly number[], topicId: string | undefined) => Promise<T>
  ): Promise<T | undefined> {
    for (;;) {
      const [info] = await this.#kafka.topics([topic])
      if (info === undefined || info.partitions.length === 0) return undefined
      try {
        return await ask(info.partitions, info.id)
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    }
  }

  async #search(route: TopicRoute, partitions: readonly number[]): Promise<void> {
    const { beforeStartMs, lookBackMs, lookBackBytes, fetchBytes, seekByTime } = this.#spec.options
    if (!seekByTime) return
    const options = {
      startMs: this.startMs,
      beforeStartMs,
      lookBackMs,
      lookBackBytes,
      fetchBytes,
      signal: this.#signal
    }
    const limited = await lookBack(this.#kafka, route, partitions, options)
    if (limited !== undefined) this.#words.notes.push(limited)
  }

  /** Where a topic ends now, with the partitions that it has by now. */
  async endOf(topic: string, now: boolean): Promise<End> {
    const end = await this.#ask(topic, (partitions, topicId) => this.#endOf(topic, partitions, topicId, now))
    if (end !== undefined) return end
    const problem = `${topic} was deleted during the job`
    if (!this.#words.problems.includes(problem)) this.#words.problems.push(problem)
    return { ends: new Map(), held: new Map() }
  }

  async #endOf(topic: string, partitions: readonly number[], topicId: string | undefined, now: boolean): Promise<End> {
    const limitMs = this.lastKafkaMs
    const byTime = !now && this.#spec.options.seekByTime && limitMs < Infinity
    const written = await this.#kafka.offsets(topic, partitions, 'written')
    const last = await this.#kafka.offsets(topic, partitions, 'latest')
    const held = new Map([...written].map(([partition, offset]) => [partition, offset - (last.get(partition) ?? 0)]))
    if (!byTime) return { ends: last, topicId, held }
    const ends = await this.#kafka.offsets(topic, partitions, { timestampMs: limitMs + 1 })
    const leastBytes = Math.max(PARTITION_BYTES, BEHIND_BYTES / partitions.length)
    const settle = (): Settle => new Settle(this.#window, leastBytes, this.#spec.options.lookFurtherBytes)
    return { ends, topicId, held, tail: { last, settle } }
  }
}
