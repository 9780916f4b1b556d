// What both threads have in common: one topic in, one out, going on where the output ends.
import { BadMessage, type ThreadContext } from '../../../core/api/plugin.js'
import { type MuonFrame, msOf, schemaId } from '../../../schemas/index.js'
import { TopicsFlow } from '../../service-adara/flow-kit.js'
import { lastMessages } from '../../service-adara/topics-kit.js'
import { FrameReading } from '../../service-aggregator/frames-kit.js'
import { type MuonProgress } from './protocol.js'

const TICK_MS = 20
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
  readonly #flow: TopicsFlow<MuonProgress>
  readonly #reading: FrameReading
  #messages = 0
  #lastMs: number | undefined
  /** Frames before this time, ns, had gone when this thread began. */
  #goneNs = -1n
  #resumed = false

  constructor(
    readonly context: ThreadContext,
    readonly options: FlowOptions,
    readonly hooks: FlowHooks<R>
  ) {
    const { input_topic: topic, output_topic: output, fetch_bytes: maxBytes } = options
    const flow: TopicsFlow<MuonProgress> = new TopicsFlow(context, {
      read: [topic],
      write: [output],
      maxBytes,
      startsOf: (_topic, partitions) => this.#startsOf(partitions)
    })
    this.#flow = flow
    this.#reading = new FrameReading({ flow, topic, mostBytes: maxBytes, take: (value) => this.#take(value) })
  }

  begin(): void {
    const { tick } = this.hooks
    this.#flow.every(TICK_MS, () => {
      if (this.#reading.tick()) tick?.(this.#reading.nowMs)
    })
    this.#flow.begin(() => this.#progress())
    void this.#flow.run(() => this.#reading.run(), `${this.options.input_topic} cannot be read`)
  }

  /** What waits is not sent: the next one begins where this one has sent. */
  end(): Promise<void> {
    return this.#flow.end()
  }

  /** With Kafka's time that of the frame. */
  send(record: R, key: string): void {
    const value = this.#flow.converters.of(this.hooks.writes)?.encode?.(record)
    if (value === undefined) return this.#flow.count('no_converter')
    // A time of the future would keep Kafka from deleting what is old
    const timestampMs = Math.min(msOf(record.frame.timestampNs), Date.now() + AHEAD_MS)
    this.#flow.send({ topic: this.options.output_topic, key, value, timestampMs })
  }

  #take(message: Buffer | null): void {
    this.#messages++
    const { reads, take } = this.hooks
    const record = this.#decoded(message, reads, (reason) => this.#flow.count(reason)) as R | undefined
    if (record === undefined) return
    if (record.frame.timestampNs < this.#goneNs) return this.#flow.count('earlier_than_output')
    try {
      take(record as never, this.#reading.nowMs)
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.#flow.count(error.reason)
    }
  }

  #decoded(message: Buffer | null, schema: string, bad: (reason: string) => void): unknown {
    if (message === null || schemaId(message) !== schema) return void bad('unknown_schema')
    try {
      return this.#flow.converters.of(schema)?.decode?.(message)
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      return void bad(error.reason)
    }
  }

  /** Where the last one has sent; with an empty output what comes from now on. */
  async #startsOf(partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    if (!this.#resumed) await this.#resume()
    const at = this.#lastMs === undefined ? 'latest' : { timestampMs: this.#lastMs - this.hooks.backMs }
    const starts = await this.#flow.kafka.offsets(this.options.input_topic, partitions, at)
    await this.#reading.begin(starts)
    return starts
  }

  async #resume(): Promise<void> {
    const { output_topic: output } = this.options
    const { writes, backMs, sentBefore } = this.hooks
    const [{ partitions = [] } = {}] = await this.#flow.kafka.topics([output])
    // A frame of the future does not say how far the output goes
    let lastMs = -1
    const now = Date.now()
    await this.#flow.readToEnd(output, await lastMessages(this.#flow.kafka, output, partitions, LAST), (batch, i) => {
      lastMs = Math.max(lastMs, batch.timestampMs(i) <= now ? batch.timestampMs(i) : -1)
    })
    if (lastMs >= 0) {
      this.#lastMs = lastMs
      this.#goneNs = BigInt(Math.max(0, lastMs - backMs)) * 1_000_000n
      const from = await this.#flow.kafka.offsets(output, partitions, { timestampMs: lastMs - backMs })
      await this.#flow.readToEnd(output, from, (batch, i) => {
        const record = this.#decoded(batch.value(i), writes, () => undefined)
        if (record !== undefined) sentBefore(record as R)
      })
    }
    this.#resumed = true
  }

  #progress(): MuonProgress {
    const { losses, ...counts } = this.hooks.progress()
    const { sent, losses: lost, missing } = this.#flow
    const all = Object.entries(losses).filter(([, n]) => n > 0)
    return { messages: this.#messages, sent, ...counts, losses: Object.fromEntries([...all, ...lost]), missing } // prettier-ignore
  }
}
