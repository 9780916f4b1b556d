// One run of a virtual instrument: its channels, its producer, and counts that are exact.
import {
  type Context,
  type Kafka,
  type Producer,
  type ServiceContext,
  type Subscription
} from '../../core/api/plugin.js'
import { type Converter, type EventRecord, type SourcePart, type Update } from '../../schemas/index.js'

/** A converter of this run that encodes events. */
export interface EventEncoder {
  readonly schema: string
  readonly encode: (record: EventRecord) => Uint8Array
}

export interface RunPlan {
  readonly source: SourcePart
  /** Channel of the source → topic and checked options. */
  readonly channels: readonly { channel: string; topic: string; options: Readonly<Record<string, unknown>> }[]
  readonly encoders: readonly EventEncoder[]
  /** For what instruments make beside events, by schema. Throws CONVERTER_UNKNOWN. */
  readonly encode: (schema: string, record: unknown) => Uint8Array
}

interface Counts {
  pulses: number
  events: number
}
interface TopicCounts {
  messages: number
  events: number
  bytes: number
  acknowledged: number
  failed: number
}

/** The counts of a run in wire form. */
export interface RunCounts {
  readonly pulses: number
  readonly events: number
  readonly messages: number
  readonly acknowledged: number
  readonly failed: number
  readonly channels: Readonly<Record<string, Counts>>
  readonly topics: Readonly<Record<string, TopicCounts>>
}

/** `encode` of a converter, or undefined when it cannot encode. */
export function encoderOf(schema: string, converter: Converter): EventEncoder | undefined {
  const encode = converter.encode?.bind(converter)
  return encode === undefined ? undefined : { schema, encode }
}

export class SimulatorRun {
  readonly #producer: Producer
  readonly #subscriptions: Subscription[] = []
  readonly #channels = new Map<string, Counts>()
  readonly #topics = new Map<string, TopicCounts>()
  readonly #abort = new AbortController()
  #open = 0
  #waiting = false
  #failure: Error | undefined
  #resolveEnd: () => void = () => undefined
  /** Resolves when every channel has come to its end by itself. */
  readonly ended = new Promise<void>((resolve) => (this.#resolveEnd = resolve))

  constructor(
    readonly id: string,
    readonly plan: RunPlan,
    kafka: Kafka,
    readonly context: Pick<ServiceContext, 'log' | 'fault'>
  ) {
    this.#producer = kafka.producer({ lingerMs: 5, maxBufferedBytes: 64 * 1024 * 1024 })
    for (const { channel, topic } of plan.channels) {
      this.#channels.set(channel, { pulses: 0, events: 0 })
      this.#topics.set(topic, { messages: 0, events: 0, bytes: 0, acknowledged: 0, failed: 0 })
    }
  }

  /** Opens the channels; events flow from the next turn of the event loop on. */
  start(): void {
    const context: Context = {
      jobId: this.id,
      signal: this.#abort.signal,
      log: (level, message, fields) => this.context.log(level, message, fields),
      count: () => undefined
    }
    this.#open = this.plan.channels.length
    for (const { channel, topic, options } of this.plan.channels) {
      this.#subscriptions.push(
        this.plan.source.open(options, context, (update) => {
          try {
            this.#take(update, channel, topic)
          } catch (error) {
            this.context.fault('source', this.plan.source.id, 'update', error)
          }
        })
      )
    }
  }

  /** Ends the run: no event after this call; resolves when Kafka has everything, rejects when some of it was lost. */
  async close(): Promise<void> {
    for (const subscription of this.#subscriptions) await subscription.close()
    this.#abort.abort()
    try {
      await this.#producer.flush()
    } finally {
      await this.#producer.close()
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Beside `close`: what Kafka does not take within the time of a producer that closes is lost. */
  async cut(): Promise<void> {
    for (const subscription of this.#subscriptions) await subscription.close()
    await this.#producer.close()
  }

  counts(): RunCounts {
    const topics = [...this.#topics.values()]
    const sum = (key: keyof TopicCounts): number => topics.reduce((total, counts) => total + counts[key], 0)
    const channels = [...this.#channels.values()]
    return {
      pulses: Math.max(0, ...channels.map((counts) => counts.pulses)),
      events: channels.reduce((total, counts) => total + counts.events, 0),
      messages: sum('messages'),
      acknowledged: sum('acknowledged'),
      failed: sum('failed'),
      channels: Object.fromEntries([...this.#channels].map(([name, counts]) => [name, { ...counts }])),
      topics: Object.fromEntries([...this.#topics].map(([name, counts]) => [name, { ...counts }]))
    }
  }

  #take(update: Update, channel: string, topic: string): void {
    if (update.kind === 'connection') {
      if (update.connection === 6 && --this.#open === 0) this.#resolveEnd()
      return
    }
    const { events, records } = update
    const counts = this.#channels.get(channel)!
    if (records !== undefined) {
      counts.pulses++
      for (const { schema, record, events: n } of records) {
        counts.events += n
        this.#send(topic, this.plan.encode(schema, record), update, n)
      }
    }
    if (events === undefined) return
    counts.pulses += events.referenceTime.length
    counts.events += events.timeOfFlight.length
    for (const { encode } of this.plan.encoders) this.#send(topic, encode(events), update, events.timeOfFlight.length)
  }

  #send(topic: string, value: Uint8Array, update: Update, events: number): void {
    const counts = this.#topics.get(topic)!
    counts.messages++
    counts.events += events
    counts.bytes += value.byteLength
    const timestampMs = Number(update.timestampNs / 1_000_000n)
    const room = this.#producer.send({ topic, key: update.source, value, timestampMs }, (error) => {
      if (error === null) counts.acknowledged++
      else this.#fail(error, counts)
    })
    if (!room && !this.#waiting) this.#wait()
  }

  #fail(error: Error, counts: TopicCounts): void {
    counts.failed++
    if (this.#failure === undefined)
      this.context.log('error', `run ${this.id}: a message was not delivered: ${error.message}`, { job_id: this.id })
    this.#failure ??= error
  }

  /** Kafka is slower than the instrument: hold it until the buffer is empty again. */
  #wait(): void {
    this.#waiting = true
    for (const subscription of this.#subscriptions) subscription.pause?.()
    const go = (): void => {
      this.#waiting = false
      for (const subscription of this.#subscriptions) subscription.resume?.()
    }
    this.#producer.drained().then(go, (error: Error) => {
      this.#failure ??= error
      go()
    })
  }
}
