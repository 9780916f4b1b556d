// One read of a topic for all jobs that count it. What a job wants from before the place of that read, a second one fetches.
import { type Batch, errorText, type Kafka, Lag, type Reader } from '../../../core/api/plugin.js'
import { Events } from '../bins/events.js'
import { type Decoders } from './decoders.js'
import { type JobPart } from './part.js'

/** Commands and timers get their turn at least so often. */
const TURN_MS = 50

export interface FeedHooks {
  readonly decoders: Decoders
  /** After each batch of one of these parts. */
  readonly moved: (parts: readonly JobPart[]) => void
  /** These can be read no more. */
  readonly failed: (parts: readonly JobPart[], message: string) => void
}

/** Messages in Kafka that are not read yet, and how long ago in ms what is read now was the newest. */
export interface PartLag {
  readonly messages: number
  readonly ms: number
}

interface ReadingHooks extends FeedHooks {
  /** Kafka lost a leader: from there on the log is another one. */
  readonly truncated: (partition: number, at: number) => void
}

/** Reads until nobody wants anything more. */
class TopicReading {
  readonly topic: string
  readonly reader: Reader
  readonly parts = new Set<JobPart>()
  /** Offset after the last message of each partition, as Kafka said last. */
  readonly marks = new Map<number, number>()
  readonly #lags = new Map<number, Lag>()
  readonly #events = new Events()
  #turnMs = performance.now()

  /**
   * @param positions - next offset of each partition
   * @param ends - of a second reader: where the first goes on
   */
  constructor(
    { kafka, topic, fetchBytes }: Pick<Feed, 'kafka' | 'topic' | 'fetchBytes'>,
    readonly positions: Map<number, number>,
    readonly ends: Map<number, number> | undefined,
    readonly hooks: ReadingHooks
  ) {
    this.topic = topic
    const assign = [...positions].map(([partition, offset]) => ({ topic, partition, offset }))
    this.reader = kafka.reader({
      assign,
      maxBytes: fetchBytes,
      maxWaitMs: 100,
      ...(ends === undefined && { follow: [topic] })
    })
  }

  async run(): Promise<void> {
    try {
      for (let batch = await this.reader.next(); batch !== null; batch = await this.reader.next()) {
        try {
          this.#take(batch)
        } finally {
          batch.release()
        }
        this.hooks.moved([...this.parts])
        if (this.parts.size === 0 || this.#isOver()) break
        if (performance.now() - this.#turnMs < TURN_MS) continue
        await new Promise((resolve) => setImmediate(resolve))
        this.#turnMs = performance.now()
      }
    } finally {
      await this.reader.close()
    }
  }

  #isOver(): boolean {
    const { ends, positions } = this
    return ends !== undefined && [...ends].every(([partition, end]) => (positions.get(partition) ?? 0) >= end)
  }

  #take(batch: Batch): void {
    const { partition, nextOffset, madeAgain } = batch
    const isCatchUp = this.ends !== undefined
    // The new topic is the common reader's, which tells of it, too
    if (isCatchUp && madeAgain !== undefined) return this.#caughtUp(partition)
    if (madeAgain !== undefined || !this.positions.has(partition))
      // Who came after the partition, and before this reader met it, has a place there
      for (const part of this.parts) if (madeAgain !== undefined || !part.knows(partition)) part.beginAnew(partition)
    this.positions.set(partition, nextOffset)
    this.marks.set(partition, batch.highWatermark)
    this.#note(partition)
    // The common reader goes back and reads what is there now
    if (batch.truncated !== undefined) this.hooks.truncated(partition, batch.truncated.at)
    const parts = [...this.parts].filter((part) => part.wants(partition))
    if (madeAgain !== undefined && madeAgain.unread > 0)
      for (const part of parts) part.options.tally.lose('made_again_unread', madeAgain.unread)
    for (const part of parts) part.lost(batch)
    if (parts.length > 0) this.#count(batch, parts, isCatchUp)
    for (const part of parts) part.passed(partition, nextOffset, isCatchUp)
    if (nextOffset >= (this.ends?.get(partition) ?? Infinity)) this.#caughtUp(partition)
  }

  /** Of what a part still wants. */
  lagOf(part: JobPart, nowMs: number): PartLag {
    let [messages, ms] = [0, 0]
    for (const [partition, position] of this.positions) {
      if (!part.wants(partition)) continue
      messages += Math.max(0, this.#markOf(partition) - position)
      ms = Math.max(ms, this.#lags.get(partition)?.at(nowMs) ?? 0)
    }
    return { messages, ms }
  }

  #markOf(partition: number): number {
    return this.ends?.get(partition) ?? this.marks.get(partition) ?? 0
  }

  #note(partition: number): void {
    let lag = this.#lags.get(partition)
    if (lag === undefined) this.#lags.set(partition, (lag = new Lag()))
    lag.note(this.positions.get(partition) ?? 0, this.#markOf(partition), Date.now())
  }

  /** Nothing more is wanted from `at` on. */
  cut(partition: number, at: number): void {
    const end = this.ends?.get(partition)
    if (end !== undefined && at < end) this.ends!.set(partition, at)
  }

  #caughtUp(partition: number): void {
    this.positions.set(partition, this.ends!.get(partition)!)
    this.#note(partition)
    this.reader.pause(this.topic, partition)
    for (const part of this.parts) part.caughtUp(partition)
  }

  #count(batch: Batch, parts: readonly JobPart[], isCatchUp: boolean): void {
    const { hooks, ends } = this
    const last = ends?.get(batch.partition) ?? Infinity
    for (let i = 0; i < batch.count && batch.offset(i) < last; i++) {
      const wanting = parts.filter((part) => part.admits(batch, i, isCatchUp))
      if (wanting.length === 0) continue
      const value = batch.value(i)
      const decoded = hooks.decoders.decode(value)
      for (const part of wanting) part.take(decoded, this.#events, value?.length ?? 0)
    }
  }
}

export class Feed {
  #main: TopicReading | undefined
  readonly #others = new Set<TopicReading>()

  constructor(
    readonly kafka: Kafka,
    readonly topic: string,
    readonly fetchBytes: number,
    readonly hooks: FeedHooks
  ) {}

  /** @param starts - first offset of each partition */
  add(part: JobPart, starts: ReadonlyMap<number, number>): void {
    const main = this.#main
    if (main === undefined) {
      for (const [partition, offset] of starts) part.begin(partition, offset, offset)
      this.#main = this.#read(part, new Map(starts), undefined)
      return
    }
    const before = new Map<number, number>()
    const ends = new Map<number, number>()
    for (const [partition, offset] of starts) {
      const at = main.positions.get(partition) ?? offset
      part.begin(partition, offset, at)
      if (offset >= at) continue
      before.set(partition, offset)
      ends.set(partition, at)
    }
    main.parts.add(part)
    if (before.size > 0) this.#others.add(this.#read(part, before, ends))
  }

  /** A part that is done, or given up. */
  remove(part: JobPart): void {
    for (const reading of [this.#main, ...this.#others]) {
      if (reading?.parts.delete(part) !== true || reading.parts.size > 0) continue
      void reading.reader.close()
      if (reading === this.#main) this.#main = undefined
    }
  }

  get isIdle(): boolean {
    return this.#main === undefined
  }

  lagOf(part: JobPart): PartLag {
    const nowMs = Date.now()
    const readings = [this.#main, ...this.#others].filter((one) => one?.parts.has(part) === true)
    const lags = readings.map((one) => one!.lagOf(part, nowMs))
    return { messages: lags.reduce((sum, one) => sum + one.messages, 0), ms: Math.max(0, ...lags.map(({ ms }) => ms)) }
  }

  #read(part: JobPart, positions: Map<number, number>, ends: Map<number, number> | undefined): TopicReading {
    const truncated = (partition: number, at: number): void => {
      for (const other of this.#others) other.cut(partition, at)
    }
    const reading = new TopicReading(this, positions, ends, { ...this.hooks, truncated })
    reading.parts.add(part)
    void reading
      .run()
      .catch((error: unknown) => {
        // Who comes next gets a new one
        if (this.#main === reading) this.#main = undefined
        this.hooks.failed([...reading.parts], errorText(error))
      })
      .finally(() => this.#others.delete(reading))
    return reading
  }
}
