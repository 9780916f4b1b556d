// What was sent: values of PVs as Kafka acknowledged them, and the events of a detector that this program sends itself.
import { createHash } from 'node:crypto'
import { connectKafka } from '../../core/kafka/client.js'
import { type Kafka, type Producer, type Reader } from '../../core/api/plugin.js'
import { eventCodec } from '../../plugins/converter-events/codec.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { until } from '../../test/support/forwarder/live.js'
import { schemaId } from '../../schemas/index.js'

interface Put {
  readonly value: number
  readonly timeNs: bigint
}

/** Reads the PVs' topic as it grows, and holds each value against the one before: puts count 1, 2, 3 … */
export class ValueLedger {
  readonly #sources = new Map<string, Put[]>()
  readonly #reader: Reader
  readonly #kafka: Kafka
  readonly #done: Promise<void>
  #next = 0
  messages = 0
  /** Puts that are not on the topic, and values that are on it twice. */
  gaps = 0
  again = 0
  /** What this program itself did not read as it lies on the topic: offsets passed over, broken batches, unknown messages. */
  readonly misread: string[] = []

  constructor(
    brokers: readonly string[],
    readonly topic: string
  ) {
    this.#kafka = connectKafka({ brokers: [...brokers] })
    this.#reader = this.#kafka.reader({ assign: [{ topic, partition: 0, offset: 0 }], maxWaitMs: 100 })
    this.#done = this.#listen()
  }

  get sources(): number {
    return this.#sources.size
  }

  /** All that is on the topic now has been read here. */
  async caughtUp(mostMs: number): Promise<void> {
    const end = (await this.#kafka.offsets(this.topic, [0], 'latest')).get(0)!
    await until(() => this.#next >= end, mostMs)
  }

  /** The value before the window and all within it, of one PV. */
  window(source: string, startNs: bigint, stopNs: bigint): Put[] {
    const all = this.#sources.get(source) ?? []
    const before = all.findLast(({ timeNs }) => timeNs < startNs)
    const within = all.filter(({ timeNs }) => timeNs >= startNs && timeNs <= stopNs)
    return before === undefined ? within : [before, ...within]
  }

  /** Forgets what is older than the last value before this time. */
  forget(beforeNs: bigint): void {
    for (const list of this.#sources.values()) {
      const keep = list.findLastIndex(({ timeNs }) => timeNs < beforeNs)
      if (keep > 0) list.splice(0, keep)
    }
  }

  async close(): Promise<void> {
    await this.#reader.close()
    await this.#done
    await this.#kafka.close()
  }

  async #listen(): Promise<void> {
    for (let batch = await this.#reader.next(); batch !== null; batch = await this.#reader.next()) {
      if (batch.skipped !== undefined) this.misread.push(`before ${batch.nextOffset}: ${JSON.stringify(batch.skipped)}`)
      for (let i = 0; i < batch.count; i++) {
        const offset = batch.offset(i)
        if (offset !== this.#next)
          this.misread.push(`offset ${offset} where ${this.#next} comes next, ${i} of ${batch.count}`)
        this.#next = offset + 1
        const message = batch.value(i)
        const id = message === null ? 'nothing' : schemaId(message)
        if (id !== 'f144' && id !== 'al00' && id !== 'ep01') this.misread.push(`offset ${offset}: ${id ?? 'no schema'}`)
        if (message === null || id !== 'f144') continue
        const { source, value, timestampNs } = logF144.decode(message)
        this.#note(source, { value: Number(value), timeNs: timestampNs })
      }
      batch.release()
    }
  }

  #note(source: string, put: Put): void {
    this.messages++
    const list = this.#sources.get(source)
    if (list === undefined) return void this.#sources.set(source, [put])
    const step = put.value - list.at(-1)!.value
    if (step > 1) this.gaps += step - 1
    else if (step < 1) this.again++
    list.push(put)
  }
}

interface Pulse {
  readonly timeNs: bigint
  /** Which of the ready-made vectors it has. */
  readonly variant: number
  /** When Kafka had it, ms since 1970. */
  ackedMs: number
}

/** What a file must hold of the events of a window. */
export interface ExpectedEvents {
  readonly pulses: number
  readonly events: number
  /** SHA-1 of the pulse times, indices and ids as they must lie in the file. */
  readonly digest: string
}

const VARIANTS = 16
/** Pixel ids, which are the times of flight too, are less than this. */
export const ID_END = 1_000_000
/** The daemon waits so long for data behind a stop time: this program may be behind when the machine is busy. */
export const LATE_MS = 120_000
const codec = eventCodec('ev44')

/** Sends a detector's pulses at a steady rate, each with events of its own, until `close`. */
export class EventSender {
  readonly #ids = Array.from({ length: VARIANTS }, (_, k) => Int32Array.from({ length: 100 + 13 * k }, (_, i) => (i * 7919 + k) % ID_END)) // prettier-ignore
  readonly #kafka: Kafka
  readonly #producer: Producer
  readonly #timer: NodeJS.Timeout
  readonly #startMs = Date.now()
  #pulses: Pulse[] = []
  sent = 0
  lost = 0

  constructor(
    brokers: readonly string[],
    readonly topic: string,
    readonly source: string,
    hz: number
  ) {
    this.#kafka = connectKafka({ brokers: [...brokers] })
    this.#producer = this.#kafka.producer({ lingerMs: 5 })
    this.#timer = setInterval(() => {
      const due = Math.floor(((Date.now() - this.#startMs) / 1000) * hz)
      while (this.sent < due)
        this.#send(BigInt(this.#startMs) * 1_000_000n + BigInt(Math.round((this.sent / hz) * 1e9)))
    }, 50)
  }

  /** Pulses of the window that Kafka had by then. */
  acked(startNs: bigint, stopNs: bigint, byMs: number): number {
    return this.#window(startNs, stopNs).filter(({ ackedMs }) => ackedMs <= byMs).length
  }

  /** Ms that the oldest pulse under way has waited for Kafka. */
  get waitsMs(): number {
    const oldest = this.#pulses.find(({ ackedMs }) => ackedMs === Infinity)
    return oldest === undefined ? 0 : Date.now() - Number(oldest.timeNs / 1_000_000n)
  }

  #window(startNs: bigint, stopNs: bigint): Pulse[] {
    return this.#pulses.filter(({ timeNs }) => timeNs >= startNs && timeNs <= stopNs)
  }

  /** The first so many of the window. */
  expected(startNs: bigint, stopNs: bigint, count: number): ExpectedEvents {
    const pulses = this.#window(startNs, stopNs).slice(0, count)
    const times = BigInt64Array.from(pulses, ({ timeNs }) => timeNs)
    let events = 0
    const index = BigInt64Array.from(pulses, ({ variant }) => {
      events += this.#ids[variant]!.length
      return BigInt(events - this.#ids[variant]!.length)
    })
    const hash = createHash('sha1').update(times).update(index)
    for (const { variant } of pulses) hash.update(this.#ids[variant]!)
    return { pulses: pulses.length, events, digest: hash.digest('hex') }
  }

  /** Events of pulses whose Kafka time, in ms, is in the window, after each of them: [time of its acknowledgement, sum so far]. */
  sumsWithin(startMs: number, stopMs: number): (readonly [ackedMs: number, sum: number])[] {
    let sum = 0
    return this.#window(BigInt(startMs) * 1_000_000n, BigInt(stopMs + 1) * 1_000_000n - 1n).map(
      ({ ackedMs, variant }) => {
        sum += this.#ids[variant]!.length
        return [ackedMs, sum] as const
      }
    )
  }

  /** All that was ever sent, in equal bins of the time of flight. */
  bins(count: number): number[] {
    const bins = Array.from({ length: count }, () => 0)
    for (const [variant, ids] of this.#ids.entries()) {
      const pulses = Math.floor(this.sent / VARIANTS) + (this.sent % VARIANTS > variant ? 1 : 0)
      for (const id of ids) bins[Math.floor((id * count) / ID_END)]! += pulses
    }
    return bins
  }

  /** Sends no more; what is sent is on the topic. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#producer.flush()
  }

  forget(beforeNs: bigint): void {
    this.#pulses = this.#pulses.filter(({ timeNs }) => timeNs >= beforeNs)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#producer.close()
    await this.#kafka.close()
  }

  #send(timeNs: bigint): void {
    const variant = this.sent % VARIANTS
    const ids = this.#ids[variant]!
    const vector = { dtype: 'int32', length: ids.length, bytes: new Uint8Array(ids.buffer) } as const
    const value = codec.encode({
      source: this.source,
      messageId: BigInt(this.sent),
      referenceTime: { dtype: 'int64', length: 1, bytes: new Uint8Array(BigInt64Array.of(timeNs).buffer) },
      referenceTimeIndex: { dtype: 'int32', length: 1, bytes: new Uint8Array(4) },
      timeOfFlight: vector,
      pixelId: vector
    })
    this.sent++
    const pulse: Pulse = { timeNs, variant, ackedMs: Infinity }
    this.#pulses.push(pulse)
    const timestampMs = Number(timeNs / 1_000_000n)
    this.#producer.send({ topic: this.topic, value, timestampMs }, (error) => {
      if (error === null) pulse.ackedMs = Date.now()
      else this.lost++
    })
  }
}
