// A Kafka in memory for unit tests: topics, producers whose buffer can be held, readers. System tests use the real thing.
import {
  type Batch,
  type Kafka,
  type Membership,
  type MembershipOptions,
  type Producer,
  type ProducerMessage,
  type ProducerOptions,
  type Reader,
  type ReaderOptions,
  type TopicInfo
} from '../../core/api/plugin.js'

export interface Stored {
  readonly key: string | null
  readonly value: Buffer
  readonly timestampMs: number
}

type Delivered = (error: Error | null, offset: number) => void

const bytesOf = (value: Uint8Array | string | null | undefined): Buffer =>
  typeof value === 'string' ? Buffer.from(value) : Buffer.from(value ?? [])

class MemoryProducer implements Producer {
  bufferedBytes = 0
  #queue: (() => void)[] = []
  #waiters: (() => void)[] = []
  #closed = false

  constructor(
    readonly kafka: MemoryKafka,
    readonly limit: number
  ) {}

  send(message: ProducerMessage, onDelivered?: Delivered): boolean {
    if (this.#closed) throw new Error('the producer is closed')
    const size = bytesOf(message.value).length
    this.bufferedBytes += size
    this.#queue.push(() => {
      this.bufferedBytes -= size
      const failure = this.kafka.failures.get(message.topic)
      if (failure !== undefined) onDelivered?.(failure, -1)
      else onDelivered?.(null, this.kafka.append(message))
    })
    if (!this.kafka.held) this.release()
    return this.bufferedBytes < this.limit
  }

  release(): void {
    const queue = this.#queue
    this.#queue = []
    for (const deliver of queue) deliver()
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }

  drained(): Promise<void> {
    return this.bufferedBytes === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiters.push(resolve))
  }

  flush(): Promise<void> {
    return this.drained()
  }

  /** As the real one: what was sent is delivered first. */
  async close(): Promise<void> {
    this.#closed = true
    await this.drained()
    this.kafka.producers.delete(this)
  }
}

class MemoryReader implements Reader {
  readonly #offsets: Map<string, number>
  #closed = false

  constructor(
    readonly kafka: MemoryKafka,
    options: ReaderOptions
  ) {
    this.#offsets = new Map(options.assign.map(({ topic, offset }) => [topic, offset]))
    options.signal?.addEventListener('abort', () => void this.close(), { once: true })
  }

  add(topic: string, _partition: number, offset: number): void {
    if (!this.#offsets.has(topic)) this.#offsets.set(topic, offset)
  }

  async next(): Promise<Batch | null> {
    for (;;) {
      const batch = await this.poll(1000)
      if (batch !== undefined) return batch
    }
  }

  async poll(timeoutMs: number): Promise<Batch | null | undefined> {
    const until = Date.now() + timeoutMs
    while (!this.#closed) {
      for (const [topic, offset] of this.#offsets) {
        const batch = this.#read(topic, offset)
        if (batch !== undefined) return batch
      }
      if (Date.now() >= until) return undefined
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    return null
  }

  #read(topic: string, from: number): Batch | undefined {
    const messages = this.kafka.messages(topic).slice(from)
    if (messages.length === 0) return undefined
    this.#offsets.set(topic, from + messages.length)
    const next = from + messages.length
    const bytes = Buffer.concat(messages.map(({ value }) => value ?? Buffer.alloc(0)))
    const ends = messages.map(({ value }, i, all) => all.slice(0, i).reduce((sum, { value }) => sum + (value?.length ?? 0), 0) + (value?.length ?? 0)) // prettier-ignore
    return {
      topic,
      partition: 0,
      bytes: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      valueStart: (i) => (ends[i] ?? 0) - (messages[i]?.value?.length ?? 0),
      valueEnd: (i) => ends[i] ?? 0,
      count: messages.length,
      highWatermark: next,
      nextOffset: next,
      offset: (i) => from + i,
      timestampMs: (i) => messages[i]!.timestampMs,
      value: (i) => messages[i]!.value,
      key: (i) => (messages[i]!.key === null ? null : Buffer.from(messages[i]!.key)),
      release: () => undefined
    }
  }

  seek(topic: string, _partition: number, offset: number): void {
    this.#offsets.set(topic, offset)
  }
  pause(): void {}
  resume(): void {}
  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }
}

export class MemoryKafka implements Kafka {
  readonly connected = true
  readonly producers = new Set<MemoryProducer>()
  /** Topic → the error that every delivery to it ends with. */
  readonly failures = new Map<string, Error>()
  /** While true nothing is delivered. */
  held = false
  readonly #topics = new Map<string, Stored[]>()
  readonly #members = new Set<{ readonly options: MembershipOptions }>()
  #generation = 0

  constructor(...topics: string[]) {
    for (const topic of topics) this.#topics.set(topic, [])
  }

  addTopic(name: string): void {
    this.#topics.set(name, [])
  }

  /** Everything that was delivered to a topic. */
  messages(topic: string): readonly Stored[] {
    return this.#topics.get(topic) ?? []
  }

  /** Delivers what was held. */
  release(): void {
    this.held = false
    for (const producer of this.producers) producer.release()
  }

  append(message: ProducerMessage): number {
    const list = this.#topics.get(message.topic)
    if (list === undefined) throw new Error(`topic ${message.topic} does not exist in this test`)
    const key = message.key === undefined || message.key === null ? null : bytesOf(message.key).toString()
    return list.push({ key, value: bytesOf(message.value), timestampMs: message.timestampMs ?? Date.now() }) - 1
  }

  topics(names: readonly string[]): Promise<TopicInfo[]> {
    return Promise.resolve(names.map((name) => ({ name, partitions: this.#topics.has(name) ? [0] : [] })))
  }

  offsets(
    topic: string,
    partitions: readonly number[],
    at: 'earliest' | 'latest' | 'written' | { timestampMs: number }
  ) {
    const messages = this.messages(topic)
    const first = at === 'earliest' ? 0 : at === 'latest' || at === 'written' ? messages.length : -1
    const found = typeof at === 'object' ? messages.findIndex((one) => one.timestampMs >= at.timestampMs) : first
    const offset = found < 0 ? messages.length : found
    return Promise.resolve(new Map(partitions.map((partition) => [partition, offset])))
  }

  reader(options: ReaderOptions): Reader {
    return new MemoryReader(this, options)
  }

  producer(options: ProducerOptions = {}): Producer {
    const producer = new MemoryProducer(this, options.maxBufferedBytes ?? 32 * 1024 * 1024)
    this.producers.add(producer)
    return producer
  }

  /** One group: everyone is told as soon as someone comes or goes. */
  membership(options: MembershipOptions): Membership {
    const member = { options }
    this.#members.add(member)
    this.#tell()
    return {
      close: () => {
        if (this.#members.delete(member)) this.#tell()
        return Promise.resolve()
      }
    }
  }

  #tell(): void {
    this.#generation++
    const members = [...this.#members]
    const names = members.map(({ options }) => options.name).toSorted()
    members.forEach(({ options: { name, onChange } }, i) =>
      onChange({ names, self: name, isLeader: i === 0, generation: this.#generation })
    )
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
