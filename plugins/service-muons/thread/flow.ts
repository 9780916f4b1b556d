// What both threads have in common: one topic in, one out, going on where the output ends.
import {
  BadMessage,
  type Batch,
  errorText,
  type Kafka,
  type Producer,
  type Reader,
  type ThreadContext
} from '../../../core/api/plugin.js'
import { type MuonFrame, msOf, OpenConverters, schemaId } from '../../../schemas/index.js'
import { FollowedTopics, lastMessages } from '../../service-adara/topics-kit.js'
import { FrameReading } from '../../service-aggregator/frames-kit.js'
import { type FromMuons, type MuonProgress } from './protocol.js'

const TICK_MS = 20
const PROGRESS_MS = 500
/** How often topics that do not exist are looked for. */
const TOPICS_MS = 2000
/** Longest wait for the last messages of the output. */
const LAST_MS = 5000
/** Messages of each partition of the output that tell how far it goes. */
const LAST = 100
/** Clocks of digitisers may be so far ahead of this machine's. */
const AHEAD_MS = 3_600_000

export interface FlowOptions {
  readonly input_topic: string
  readonly output_topic: string
  readonly fetch_bytes: number
}

export interface FlowHooks<R extends { readonly frame: MuonFrame }> {
  /** Schemas of input and output. */
  readonly reads: string
  readonly writes: string
  /** So long before its last message the output is looked at, and the input is read again. */
  readonly backMs: number
  /** One message of the output as it was when this thread began. */
  readonly sentBefore: (record: R) => void
  /** What it keeps must be a copy. */
  readonly take: (record: never, nowMs: number) => void
  readonly tick?: (nowMs: number) => void
  readonly progress: () => Pick<MuonProgress, 'frames' | 'incomplete' | 'waiting' | 'eventsIn' | 'events' | 'losses'>
}

export class MuonFlow<R extends { readonly frame: MuonFrame }> {
  readonly #kafka: Kafka
  readonly #reader: Reader
  readonly #producer: Producer
  readonly #converters: OpenConverters
  readonly #topics: FollowedTopics
  readonly #reading: FrameReading
  readonly #losses = new Map<string, number>()
  readonly #timers: NodeJS.Timeout[] = []
  #messages = 0
  #sent = 0
  #isFull = false
  #lastMs: number | undefined
  /** Frames before this time, ns, had gone when this thread began. */
  #goneNs = -1n
  #resumed = false
  #closed = false

  constructor(
    readonly context: ThreadContext,
    readonly options: FlowOptions,
    readonly hooks: FlowHooks<R>
  ) {
    const { input_topic: topic, output_topic: output, fetch_bytes: maxBytes } = options
    this.#kafka = context.kafka((level, message) => this.#say({ type: 'log', level, message }))
    this.#reader = this.#kafka.reader({ assign: [], maxBytes, maxWaitMs: 100 })
    this.#producer = this.#kafka.producer({ lingerMs: 5 })
    this.#converters = new OpenConverters(context.parts, { log: (level, message) => this.#say({ type: 'log', level, message }) }) // prettier-ignore
    this.#topics = new FollowedTopics(this.#kafka, this.#reader, {
      read: [topic],
      write: [output],
      startsOf: (_topic, partitions) => this.#startsOf(partitions)
    })
    this.#reading = new FrameReading({
      kafka: this.#kafka,
      reader: this.#reader,
      topic,
      mostBytes: maxBytes,
      take: (value) => this.#take(value),
      count: (reason, n) => this.count(reason, n),
      wait: () => (this.#isFull ? this.#producer.drained() : undefined),
      warn: (message) => this.#warn(message)
    })
  }

  begin(): void {
    const { tick } = this.hooks
    this.#timers.push(
      setInterval(() => this.#say({ type: 'progress', progress: this.#progress() }), PROGRESS_MS),
      setInterval(() => void this.#look(), TOPICS_MS),
      setInterval(() => {
        if (this.#reading.tick()) tick?.(this.#reading.nowMs)
      }, TICK_MS)
    )
    void this.#look()
    void this.#read()
  }

  async end(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    await this.#reader.close()
    // What waits is not sent: the next one begins where this one has sent
    try {
      await this.#producer.close()
    } catch (error) {
      this.#say({ type: 'log', level: 'error', message: errorText(error) })
    }
    await this.#kafka.close()
    await this.context.close()
  }

  /** With Kafka's time that of the frame. */
  send(record: R, key: string): void {
    const value = this.#converters.of(this.hooks.writes)?.encode?.(record)
    if (value === undefined) return this.count('no_converter', 1)
    // A time of the future would keep Kafka from deleting what is old
    const timestampMs = Math.min(msOf(record.frame.timestampNs), Date.now() + AHEAD_MS)
    this.#isFull = !this.#producer.send({ topic: this.options.output_topic, key, value, timestampMs }, (error) => {
      if (error === null) this.#sent++
      else this.count('kafka', 1)
    })
  }

  count(reason: string, n: number): void {
    this.#losses.set(reason, (this.#losses.get(reason) ?? 0) + n)
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    try {
      await this.#topics.look()
    } catch (error) {
      this.#warn(`${errorText(error)}; trying again`)
    }
  }

  async #read(): Promise<void> {
    try {
      await this.#reading.run()
    } catch (error) {
      if (!this.#closed) this.#say({ type: 'failed', message: `${this.options.input_topic} cannot be read: ${errorText(error)}` }) // prettier-ignore
    }
  }

  #take(message: Buffer | null): void {
    this.#messages++
    const { reads, take } = this.hooks
    const record = this.#decoded(message, reads, (reason) => this.count(reason, 1)) as R | undefined
    if (record === undefined) return
    if (record.frame.timestampNs < this.#goneNs) return this.count('earlier_than_output', 1)
    try {
      take(record as never, this.#reading.nowMs)
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.count(error.reason, 1)
    }
  }

  #decoded(message: Buffer | null, schema: string, bad: (reason: string) => void): unknown {
    if (message === null || schemaId(message) !== schema) return void bad('unknown_schema')
    try {
      return this.#converters.of(schema)?.decode?.(message)
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      return void bad(error.reason)
    }
  }

  /** Where the last one has sent; with an empty output what comes from now on. */
  async #startsOf(partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    if (!this.#resumed) await this.#resume()
    const at = this.#lastMs === undefined ? 'latest' : { timestampMs: this.#lastMs - this.hooks.backMs }
    const starts = await this.#kafka.offsets(this.options.input_topic, partitions, at)
    await this.#reading.begin(starts)
    return starts
  }

  async #resume(): Promise<void> {
    const { output_topic: output } = this.options
    const { writes, backMs, sentBefore } = this.hooks
    const [{ partitions = [] } = {}] = await this.#kafka.topics([output])
    // A frame of the future does not say how far the output goes
    let lastMs = -1
    const now = Date.now()
    await this.#readToEnd(await lastMessages(this.#kafka, output, partitions, LAST), (batch, i) => {
      lastMs = Math.max(lastMs, batch.timestampMs(i) <= now ? batch.timestampMs(i) : -1)
    })
    if (lastMs >= 0) {
      this.#lastMs = lastMs
      this.#goneNs = BigInt(Math.max(0, lastMs - backMs)) * 1_000_000n
      const from = await this.#kafka.offsets(output, partitions, { timestampMs: lastMs - backMs })
      await this.#readToEnd(from, (batch, i) => {
        const record = this.#decoded(batch.value(i), writes, () => undefined)
        if (record !== undefined) sentBefore(record as R)
      })
    }
    this.#resumed = true
  }

  /** The output from these offsets to its present end. */
  async #readToEnd(from: ReadonlyMap<number, number>, take: (batch: Batch, i: number) => void): Promise<void> {
    const { output_topic: topic } = this.options
    const ends = await this.#kafka.offsets(topic, [...from.keys()], 'latest')
    const assign = [...from].map(([partition, offset]) => ({ topic, partition, offset })).filter(({ partition, offset }) => offset < (ends.get(partition) ?? 0)) // prettier-ignore
    const left = new Set(assign.map(({ partition }) => partition))
    const reader = this.#kafka.reader({ assign, maxWaitMs: 100 })
    try {
      while (left.size > 0) {
        const batch = await reader.poll(LAST_MS)
        if (batch === null) return
        if (batch === undefined)
          return this.#warn(`the last messages of ${topic} (partitions ${[...left].join(', ')}) do not come; going on without them`) // prettier-ignore
        for (let i = 0; i < batch.count; i++) take(batch, i)
        if (batch.nextOffset >= (ends.get(batch.partition) ?? 0)) left.delete(batch.partition)
        batch.release()
      }
    } finally {
      await reader.close()
    }
  }

  #warn(message: string): void {
    if (!this.#closed) this.#say({ type: 'log', level: 'warn', message })
  }

  #progress(): MuonProgress {
    const { losses, ...counts } = this.hooks.progress()
    const all = Object.entries(losses).filter(([, n]) => n > 0)
    return { messages: this.#messages, sent: this.#sent, ...counts, losses: Object.fromEntries([...all, ...this.#losses]), missing: this.#topics.missing } // prettier-ignore
  }

  #say(message: FromMuons): void {
    this.context.port.postMessage(message)
  }
}
