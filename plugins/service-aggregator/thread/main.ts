// Entry of the thread of the aggregator: reads what boards say, sends whole frames.
import {
  BadMessage,
  errorText,
  type Kafka,
  type Producer,
  type Reader,
  type ThreadContext
} from '../../../core/api/plugin.js'
import { element, type EventRecord, OpenConverters, type PulseRecord, schemaId } from '../../../schemas/index.js'
import { FollowedTopics, lastMessages } from '../../service-adara/topics-kit.js'
import { FrameAggregate, type WholeFrame } from '../aggregate.js'
import { FrameDiagnostics } from '../diagnostics.js'
import { FrameReading } from '../frames-kit.js'
import { frameMessages } from '../messages.js'
import { type AggregatorOptions } from '../options.js'
import { type AggregatorProgress, type FromAggregator, type ToAggregator } from './protocol.js'
import { RunStarts } from './runs.js'

const TICK_MS = 20
const PROGRESS_MS = 500
/** How often topics that do not exist are looked for. */
const TOPICS_MS = 2000
/** Longest wait for the last message of a partition. */
const LAST_MS = 5000
/** Records of the output that are looked at, of each partition: the last may be no frame, e.g. the mark of a transaction. */
const RESUME_BACK = 100
/** Clocks of boards may be so far ahead of this machine's. */
const AHEAD_MS = 3_600_000
const NS_PER_MS = 1_000_000n

export default function main(context: ThreadContext): void {
  let thread: AggregatorThread | undefined
  context.port.on('message', (message: ToAggregator) => {
    if (message.type === 'end') void thread?.end()
    else {
      thread = new AggregatorThread(context, message.options)
      thread.begin()
    }
  })
}

class AggregatorThread {
  readonly #kafka: Kafka
  readonly #reader: Reader
  readonly #producer: Producer
  readonly #aggregate: FrameAggregate
  readonly #converters: OpenConverters
  readonly #topics: FollowedTopics
  readonly #reading: FrameReading
  readonly #diagnostics: FrameDiagnostics
  readonly #runs: RunStarts | undefined
  readonly #losses = new Map<string, number>()
  readonly #timers: NodeJS.Timeout[] = []
  readonly #understood = { ev44: 0, pu00: 0 }
  readonly #made = { ev44: 0, pu00: 0 }
  readonly #dropped = { no_payload: 0, failed_deserialize: 0, unknown_schema: 0 }
  #kafkaErrors = 0
  #messages = 0
  #sent = 0
  #messageId = 0n
  #resumed = false
  /** Time of the last frame that went before this thread began; kept, as looking for the input may fail after it was found. */
  #lastNs: bigint | undefined
  #closed = false

  constructor(
    readonly context: ThreadContext,
    readonly options: AggregatorOptions
  ) {
    this.#kafka = context.kafka((level, message) => this.#say({ type: 'log', level, message }))
    this.#reader = this.#kafka.reader({ assign: [], maxBytes: options.fetch_bytes, maxWaitMs: 100 })
    this.#producer = this.#kafka.producer({ lingerMs: 5 })
    this.#converters = new OpenConverters(context.parts, { log: (level, message) => this.#say({ type: 'log', level, message }) }) // prettier-ignore
    this.#topics = new FollowedTopics(this.#kafka, this.#reader, {
      read: [options.input_topic],
      write: [options.output_topic],
      startsOf: (topic, partitions) => this.#startsOf(topic, partitions)
    })
    this.#reading = new FrameReading({
      kafka: this.#kafka,
      reader: this.#reader,
      topic: options.input_topic,
      mostBytes: options.fetch_bytes,
      take: (value) => this.#take(value),
      count: (reason, n) => this.#count(reason, n),
      wait: () => (this.#isFull ? this.#producer.drained() : undefined),
      warn: (message) => this.#warn(message)
    })
    this.#diagnostics = new FrameDiagnostics(options.veto_mask)
    this.#runs = options.runs === undefined ? undefined : new RunStarts(this.#kafka, options.runs)
    this.#aggregate = new FrameAggregate({
      toleranceNs: BigInt(options.tolerance_ns),
      waitMs: options.wait_ms,
      mostFrames: options.max_waiting_frames,
      mostEvents: options.max_events,
      take: (frame) => this.#send(frame)
    })
  }

  begin(): void {
    this.#timers.push(
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => this.#say({ type: 'progress', progress: this.#progress() }), PROGRESS_MS),
      setInterval(() => void this.#look(), TOPICS_MS)
    )
    void this.#look()
    void this.#read(() => this.#reading.run(), 'frames cannot be put together')
    void this.#read(async () => this.#runs?.run(() => this.#diagnostics.begin()), 'runs cannot be heard')
  }

  #tick(): void {
    if (this.#reading.tick()) this.#aggregate.tick(this.#reading.nowMs)
  }

  async end(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all([this.#reader.close(), this.#runs?.close()])
    // Frames that wait are not whole: the next one begins where this one has sent
    try {
      await this.#producer.close()
    } catch (error) {
      this.#say({ type: 'log', level: 'error', message: errorText(error) })
    }
    await this.#kafka.close()
    await this.context.close()
  }

  /** Topics that there are by now, and partitions that are new. Never rejects. */
  async #look(): Promise<void> {
    try {
      await Promise.all([this.#topics.look(), this.#runs?.look()])
    } catch (error) {
      this.#warn(`${errorText(error)}; trying again`)
    }
  }

  /** Where the last one has sent, with what had waited then. */
  async #startsOf(input: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    if (!this.#resumed) await this.#resume()
    const lastNs = this.#lastNs
    const at = lastNs === undefined ? 'latest' : { timestampMs: Number(lastNs / NS_PER_MS) - this.options.wait_ms }
    const starts = await this.#kafka.offsets(input, partitions, at)
    await this.#reading.begin(starts)
    return starts
  }

  /** Running numbers and frames go on where the output ends. */
  async #resume(): Promise<void> {
    const { output_topic: output } = this.options
    const [{ partitions = [] } = {}] = await this.#kafka.topics([output])
    const ends = await this.#kafka.offsets(output, partitions, 'latest')
    const starts = await lastMessages(this.#kafka, output, partitions, RESUME_BACK)
    const assign = [...starts].map(([partition, offset]) => ({ topic: output, partition, offset })).filter(({ partition, offset }) => offset < (ends.get(partition) ?? 0)) // prettier-ignore
    const times = new Set<bigint>()
    const reader = this.#kafka.reader({ assign, maxWaitMs: 100 })
    const left = new Set(assign.map(({ partition }) => partition))
    try {
      while (left.size > 0) {
        const batch = await reader.poll(LAST_MS)
        if (batch === null) return // It ends
        if (batch === undefined) {
          this.#warn(`the last messages of ${output} (partitions ${[...left].join(', ')}) do not come; going on from those of the others`) // prettier-ignore
          break
        }
        for (let i = 0; i < batch.count; i++) {
          const record = this.#sentBefore(batch.value(i))
          if (record === undefined) continue
          if (record.messageId >= this.#messageId) this.#messageId = record.messageId + 1n
          times.add('timestampNs' in record ? record.timestampNs : (element(record.referenceTime, 0) as bigint))
        }
        if (batch.nextOffset >= (ends.get(batch.partition) ?? 0)) left.delete(batch.partition)
        batch.release()
      }
    } finally {
      await reader.close()
    }
    this.#resumed = true
    if (times.size === 0) return
    this.#lastNs = [...times].reduce((a, b) => (a > b ? a : b))
    this.#aggregate.resumeAfter([...times])
  }

  async #read(run: () => Promise<void>, what: string): Promise<void> {
    try {
      await run()
    } catch (error) {
      if (!this.#closed) this.#say({ type: 'failed', message: `${what}: ${errorText(error)}` })
    }
  }
  #isFull = false

  #take(message: Buffer | null): void {
    this.#messages++
    const record = this.#decode(message)
    if (record === undefined || message === null) return
    const schema = schemaId(message) === 'pu00' ? 'pu00' : 'ev44'
    this.#understood[schema]++
    if (schema === 'pu00') this.#aggregate.pulse(record as PulseRecord, this.#reading.nowMs)
    else this.#aggregate.events(record as EventRecord, this.#reading.nowMs)
  }

  /** Undefined, and counted, for what is neither. */
  #decode(message: Buffer | null): unknown {
    const schema = message === null ? undefined : schemaId(message)
    if (message === null || (schema !== 'ev44' && schema !== 'pu00')) {
      this.#dropped[message === null ? 'no_payload' : 'unknown_schema']++
      this.#count('unknown_schema', 1)
      return undefined
    }
    try {
      return this.#converters.of(schema)?.decode?.(message)
    } catch (error) {
      this.#dropped.failed_deserialize++
      this.#count(error instanceof BadMessage ? error.reason : 'decode_failed', 1)
      return undefined
    }
  }

  /** Undefined for what is no part of a frame: it is no loss. */
  #sentBefore(message: Buffer | null): PulseRecord | EventRecord | undefined {
    const schema = message === null ? undefined : schemaId(message)
    if (message === null || (schema !== 'ev44' && schema !== 'pu00')) return undefined
    try {
      return this.#converters.of(schema)?.decode?.(message) as PulseRecord | EventRecord | undefined
    } catch (error) {
      if (error instanceof BadMessage) return undefined
      throw error
    }
  }

  /** All with one key, so in one partition and in this order. */
  #send(frame: WholeFrame): void {
    const { timeNs } = frame
    this.#diagnostics.add(frame)
    this.#made.pu00++
    this.#made.ev44 += frame.events.length
    // A time of the future would keep Kafka from deleting what is old
    const timestampMs = Math.min(Number(timeNs / NS_PER_MS), Date.now() + AHEAD_MS)
    const message = { topic: this.options.output_topic, key: String(timeNs), timestampMs }
    for (const value of frameMessages(frame, this.options.source, () => this.#messageId++))
      this.#isFull = !this.#producer.send({ ...message, value }, (error) => {
        if (error === null) this.#sent++
        else {
          this.#kafkaErrors++
          this.#count('kafka', 1)
        }
      })
  }

  /** Not while it ends: what it asked for then is gone. */
  #warn(message: string): void {
    if (!this.#closed) this.#say({ type: 'log', level: 'warn', message })
  }

  #count(reason: string, n: number): void {
    this.#losses.set(reason, (this.#losses.get(reason) ?? 0) + n)
  }

  #progress(): AggregatorProgress {
    const { frames, eventsIn, eventsOut, waiting, droppedFrames, droppedEvents, lateEvents, latePulses, eventsBefore } = this.#aggregate // prettier-ignore
    const counted = { frames_not_whole: droppedFrames, events_of_those: droppedEvents, events_late: lateEvents, pulses_late: latePulses, events_before_pulse: eventsBefore } // prettier-ignore
    const more = { read: this.#understood, made: this.#made, dropped: this.#dropped, kafkaErrors: this.#kafkaErrors, framesDropped: droppedFrames, eventsDropped: droppedEvents + lateEvents + eventsBefore } // prettier-ignore
    const losses = Object.fromEntries([...Object.entries(counted), ...this.#losses].filter(([, n]) => n > 0))
    return { messages: this.#messages, frames, eventsIn, eventsOut, waiting, sent: this.#sent, losses, ...more, diagnostics: this.#diagnostics.look(performance.now()), missing: [...this.#topics.missing, ...(this.#runs?.missing ?? [])] } // prettier-ignore
  }

  #say(message: FromAggregator): void {
    this.context.port.postMessage(message)
  }
}
