// Entry of the thread of the aggregator: reads what boards say, sends whole frames.
import { BadMessage, type ThreadContext } from '../../../core/api/plugin.js'
import { element, type EventRecord, type PulseRecord, schemaId } from '../../../schemas/index.js'
import { serve, TopicsFlow } from '../../service-adara/flow-kit.js'
import { lastMessages } from '../../service-adara/topics-kit.js'
import { FrameAggregate, type WholeFrame } from '../aggregate.js'
import { FrameDiagnostics } from '../diagnostics.js'
import { FrameReading } from '../frames-kit.js'
import { frameMessages } from '../messages.js'
import { type AggregatorOptions } from '../options.js'
import { type AggregatorProgress, type OpenAggregator } from './protocol.js'
import { RunStarts } from './runs.js'

const TICK_MS = 20
/** Records of the output that are looked at, of each partition: the last may be no frame, e.g. the mark of a transaction. */
const RESUME_BACK = 100
/** Clocks of boards may be so far ahead of this machine's. */
const AHEAD_MS = 3_600_000
const NS_PER_MS = 1_000_000n

export default function main(context: ThreadContext): void {
  serve(context, ({ options }: OpenAggregator) => {
    const thread = new AggregatorThread(context, options)
    thread.begin()
    return thread
  })
}

class AggregatorThread {
  readonly #flow: TopicsFlow<AggregatorProgress>
  readonly #aggregate: FrameAggregate
  readonly #reading: FrameReading
  readonly #diagnostics: FrameDiagnostics
  readonly #runs: RunStarts | undefined
  readonly #understood = { ev44: 0, pu00: 0 }
  readonly #made = { ev44: 0, pu00: 0 }
  readonly #dropped = { no_payload: 0, failed_deserialize: 0, unknown_schema: 0 }
  #messages = 0
  #messageId = 0n
  #resumed = false
  /** Time of the last frame that went before this thread began; kept, as looking for the input may fail after it was found. */
  #lastNs: bigint | undefined

  constructor(
    context: ThreadContext,
    readonly options: AggregatorOptions
  ) {
    const flow: TopicsFlow<AggregatorProgress> = new TopicsFlow(context, {
      read: [options.input_topic],
      write: [options.output_topic],
      maxBytes: options.fetch_bytes,
      startsOf: (topic, partitions) => this.#startsOf(topic, partitions)
    })
    this.#flow = flow
    this.#reading = new FrameReading({
      flow,
      topic: options.input_topic,
      mostBytes: options.fetch_bytes,
      take: (value) => this.#take(value)
    })
    this.#diagnostics = new FrameDiagnostics(options.veto_mask)
    this.#runs = options.runs === undefined ? undefined : new RunStarts(flow.kafka, options.runs)
    this.#aggregate = new FrameAggregate({
      toleranceNs: BigInt(options.tolerance_ns),
      waitMs: options.wait_ms,
      mostFrames: options.max_waiting_frames,
      mostEvents: options.max_events,
      take: (frame) => this.#send(frame)
    })
  }

  begin(): void {
    const flow = this.#flow
    flow.every(TICK_MS, () => {
      if (this.#reading.tick()) this.#aggregate.tick(this.#reading.nowMs)
    })
    flow.begin(() => this.#progress(), this.#runs)
    void flow.run(() => this.#reading.run(), 'frames cannot be put together')
    void flow.run(async () => this.#runs?.run(() => this.#diagnostics.begin()), 'runs cannot be heard')
  }

  /** Frames that wait are not whole: the next one begins where this one has sent. */
  end(): Promise<void> {
    return this.#flow.end()
  }

  /** Where the last one has sent, with what had waited then. */
  async #startsOf(input: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    if (!this.#resumed) await this.#resume()
    const lastNs = this.#lastNs
    const at = lastNs === undefined ? 'latest' : { timestampMs: Number(lastNs / NS_PER_MS) - this.options.wait_ms }
    const starts = await this.#flow.kafka.offsets(input, partitions, at)
    await this.#reading.begin(starts)
    return starts
  }

  /** Running numbers and frames go on where the output ends. */
  async #resume(): Promise<void> {
    const { output_topic: output } = this.options
    const { kafka } = this.#flow
    const [{ partitions = [] } = {}] = await kafka.topics([output])
    const times = new Set<bigint>()
    await this.#flow.readToEnd(output, await lastMessages(kafka, output, partitions, RESUME_BACK), (batch, i) => {
      const record = this.#sentBefore(batch.value(i))
      if (record === undefined) return
      if (record.messageId >= this.#messageId) this.#messageId = record.messageId + 1n
      times.add('timestampNs' in record ? record.timestampNs : (element(record.referenceTime, 0) as bigint))
    })
    this.#resumed = true
    if (times.size === 0) return
    this.#lastNs = [...times].reduce((a, b) => (a > b ? a : b))
    this.#aggregate.resumeAfter([...times])
  }

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
      this.#flow.count('unknown_schema')
      return undefined
    }
    try {
      return this.#flow.converters.of(schema)?.decode?.(message)
    } catch (error) {
      this.#dropped.failed_deserialize++
      this.#flow.count(error instanceof BadMessage ? error.reason : 'decode_failed')
      return undefined
    }
  }

  /** Undefined for what is no part of a frame: it is no loss. */
  #sentBefore(message: Buffer | null): PulseRecord | EventRecord | undefined {
    const schema = message === null ? undefined : schemaId(message)
    if (message === null || (schema !== 'ev44' && schema !== 'pu00')) return undefined
    try {
      return this.#flow.converters.of(schema)?.decode?.(message) as PulseRecord | EventRecord | undefined
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
      this.#flow.send({ ...message, value })
  }

  #progress(): AggregatorProgress {
    const { sent, losses: lost, missing } = this.#flow
    const { frames, eventsIn, eventsOut, waiting, droppedFrames, droppedEvents, lateEvents, latePulses, eventsBefore } = this.#aggregate // prettier-ignore
    const counted = { frames_not_whole: droppedFrames, events_of_those: droppedEvents, events_late: lateEvents, pulses_late: latePulses, events_before_pulse: eventsBefore } // prettier-ignore
    const more = { read: this.#understood, made: this.#made, dropped: this.#dropped, kafkaErrors: lost.get('kafka') ?? 0, framesDropped: droppedFrames, eventsDropped: droppedEvents + lateEvents + eventsBefore } // prettier-ignore
    const losses = Object.fromEntries([...Object.entries(counted), ...lost].filter(([, n]) => n > 0))
    return { messages: this.#messages, frames, eventsIn, eventsOut, waiting, sent, losses, ...more, diagnostics: this.#diagnostics.look(performance.now()), missing: [...missing, ...(this.#runs?.missing ?? [])] } // prettier-ignore
  }
}
