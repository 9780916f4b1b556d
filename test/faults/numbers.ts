// A producer in the background: numbered values (f144) and pulses (ev44), and the ledger of what was acknowledged with which time.
import { type Kafka, type Producer } from '../../core/api/plugin.js'
import { eventCodec } from '../../plugins/converter-events/codec.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'

/** Events of each pulse; all have the number of the pulse as their id. */
export const EVENTS = 3
const EVERY_MS = 20
const ev44 = eventCodec('ev44')
const ints = (list: readonly number[]) =>
  ({ dtype: 'int32', length: list.length, bytes: new Uint8Array(Int32Array.from(list).buffer) }) as const

export interface Numbered {
  readonly n: number
  /** The time in the message. */
  readonly ms: number
  /** The clock was wrong. */
  readonly isOff: boolean
}

interface Places {
  readonly values: string
  readonly events: string
}

export class Numbers {
  /** What a wrong clock adds to the times in the messages, and to those of Kafka. */
  clockMs = 0
  kafkaClockMs = 0
  readonly #producer: Producer
  readonly #timer: NodeJS.Timeout
  readonly #sent: Numbered[] = []
  readonly #refused = new Set<string>()
  #n = 0
  #lastMs = 0

  topics: Places

  constructor(kafka: Kafka, topics: Places) {
    this.topics = topics
    this.#producer = kafka.producer({ lingerMs: 5 })
    this.#timer = setInterval(() => this.#send(), EVERY_MS)
  }

  /** Resolves when all that was sent is acknowledged. */
  async flush(): Promise<void> {
    await this.#producer.flush().catch(() => undefined)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#producer.close()
  }

  /** Goes on to other topics: what is in those of now belongs to no job to come. */
  async moveTo(topics: Places): Promise<void> {
    this.topics = topics
    await this.flush()
    this.#sent.length = 0
  }

  /** Numbers with a time in the window, or ahead of it by a wrong clock; `values` begin with the last one before it. */
  expected(what: 'values' | 'events', startMs: number, stopMs: number): Numbered[] {
    const there = this.#sent.filter(({ n }) => !this.#refused.has(`${what} ${n}`))
    const within = there.filter(({ ms, isOff }) => ms >= startMs && (ms <= stopMs || isOff))
    if (what === 'events') return within
    let before: Numbered | undefined
    for (const one of there) if (one.ms < startMs && (before === undefined || one.ms > before.ms)) before = one
    return before === undefined ? within : [before, ...within]
  }

  /** Of no job any more. */
  forgetBefore(startMs: number): void {
    const first = this.#sent.findIndex(({ ms }) => ms >= startMs)
    if (first > 1) this.#sent.splice(0, first - 1)
  }

  #send(): void {
    // Even times, so that the bounds of windows, which are odd, meet none
    const ms = Math.max(this.#lastMs + 2, Date.now() - (Date.now() % 2))
    this.#lastMs = ms
    const n = this.#n++
    const atMs = ms + this.clockMs
    this.#sent.push({ n, ms: atMs, isOff: this.clockMs !== 0 })
    const timestampNs = BigInt(atMs) * 1_000_000n
    const timestampMs = atMs + this.kafkaClockMs
    const told = (what: string) => (error: Error | null) => {
      if (error !== null) this.#refused.add(`${what} ${n}`)
    }
    const { values, events } = this.topics
    const value = logF144.encode({ source: 'log', timestampNs, dtype: 'int64', value: BigInt(n) })
    this.#producer.send({ topic: values, partition: 0, value, timestampMs }, told('values'))
    const ids = ints(new Array<number>(EVENTS).fill(n))
    const zero = new Uint8Array(BigInt64Array.of(timestampNs).buffer)
    const pulse = ev44.encode({
      source: 'detector',
      messageId: BigInt(n),
      referenceTime: { dtype: 'int64', length: 1, bytes: zero },
      referenceTimeIndex: ints([0]),
      timeOfFlight: ids,
      pixelId: ids
    })
    this.#producer.send({ topic: events, partition: n % 2, value: pulse, timestampMs }, told('events'))
  }
}
