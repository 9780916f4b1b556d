// The batch producer: gathers messages per partition by time and size; order and acknowledgement are the sender's.
import { CodedError, topicMissing } from '../api/errors.js'
import { BatchBuilder, type Delivered, notify } from './batch-builder.js'
import { UNKNOWN_TOPIC, isAuthError } from './broker-errors.js'
import { type Cluster, isPassing, denied } from './cluster.js'
import { type Codec } from './codecs.js'
import { partitionOf } from './partitioner.js'
import { BufferPool } from './pool.js'
import { type TopicMetadata } from './protocol.js'
import { type Lane, type Office, Sender } from './sender.js'
import { type Producer, type ProducerMessage, type ProducerOptions } from '../api/kafka.js'

interface Topic {
  readonly name: string
  /** By partition; with holes. */
  readonly lanes: Lane[]
  /** 0: not known yet. */
  partitions: number
  /** Messages that wait for the number of partitions, with the bytes charged. */
  waiting: { message: ProducerMessage; onDelivered: Delivered | undefined; bytes: number }[]
  missingSinceMs: number
}

const MAX_REQUEST_BYTES = 8 << 20
/** What a message takes beside its content, roughly. */
const OVERHEAD = 16
/** A new topic is not known to all brokers at once. */
const MISSING_PATIENCE_MS = 5000
const CLOSE_PATIENCE_MS = 10_000

const bytesOf = (data: Uint8Array | string | null | undefined): Uint8Array | null =>
  data === null || data === undefined ? null : typeof data === 'string' ? Buffer.from(data) : data

export class BatchProducer implements Producer, Office {
  readonly codec: Codec
  readonly requestTimeoutMs: number
  readonly answerMs: number
  bufferedBytes = 0
  readonly #lingerMs: number
  readonly #maxBatch: number
  readonly #maxBuffered: number
  readonly #deliveryMs: number
  readonly #pool: BufferPool
  readonly #sender = new Sender(this)
  readonly #topics = new Map<string, Topic>()
  #topic: Topic | undefined // Of the message before: mostly the same again
  /** Lanes with something queued. */
  readonly #active = new Set<Lane>()
  readonly #drainWaiters: (() => void)[] = []
  #immediate: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #timerMs = Infinity
  #refreshing: Promise<void> | undefined
  #flushing = 0
  #lost: { count: number; error: Error } | undefined
  #closed: Promise<void> | undefined
  #ended = false

  constructor(
    readonly cluster: Cluster,
    options: ProducerOptions,
    readonly onClose: () => void
  ) {
    this.codec = options.compression ?? 'none'
    this.#lingerMs = options.lingerMs ?? 5
    this.#maxBatch = options.maxBatchBytes ?? 900_000
    this.#maxBuffered = options.maxBufferedBytes ?? 32 << 20
    this.#deliveryMs = options.deliveryTimeoutMs ?? Infinity
    this.requestTimeoutMs = Math.min(10_000, cluster.settings.requestTimeoutMs)
    // The broker gives up first and says so: a batch whose fate is unknown is rarer. Not beyond what messages may take: a broker
    // that is frozen says nothing at all
    const answerMs = this.requestTimeoutMs + cluster.settings.requestTimeoutMs
    this.answerMs = Math.min(answerMs, Math.max(1000, this.#deliveryMs))
    this.#pool = new BufferPool(16 << 20)
  }

  send(message: ProducerMessage, onDelivered?: Delivered): boolean {
    if (this.#closed) return this.#refuse(message.topic, onDelivered)
    let topic = this.#topic
    if (topic?.name !== message.topic)
      topic = this.#topic = this.#topics.get(message.topic) ?? this.#addTopic(message.topic)
    const bytes = (message.value?.length ?? 0) + (message.key?.length ?? 0) + OVERHEAD
    this.bufferedBytes += bytes
    // As soon as one message waits for the number of partitions, those after it do, too: order per partition.
    const keyed = message.partition === undefined && message.key !== undefined && message.key !== null
    if (topic.partitions === 0 && (keyed || topic.waiting.length > 0)) this.#hold(topic, message, onDelivered, bytes)
    else this.#append(topic, message, onDelivered, bytes)
    return this.bufferedBytes < this.#maxBuffered
  }

  /** Told, not thrown: it may come out of the callback of a source or a timer, where nobody catches it. */
  #refuse(topic: string, onDelivered: Delivered | undefined): boolean {
    const error = new CodedError('KAFKA_LOST', `the producer is closed: a message to ${topic} came too late`)
    const call = onDelivered ?? ((lost) => this.cluster.log('warn', lost!.message))
    queueMicrotask(() => notify([{ index: 0, call }], error, -1, this.#threw))
    return true
  }

  drained(): Promise<void> {
    if (this.bufferedBytes <= this.#maxBuffered / 2) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  flush(): Promise<void> {
    return this.#settled().then(() => this.#throwLost())
  }

  /** Until everything that was sent so far is delivered or lost. */
  async #settled(): Promise<void> {
    this.#flushing++
    try {
      while ([...this.#topics.values()].some((topic) => topic.waiting.length > 0)) await this.#refresh()
      this.wake()
      await Promise.all([...this.#active].map((lane) => lane.queue.at(-1)!.settled))
    } finally {
      this.#flushing--
    }
  }

  #throwLost(): void {
    const lost = this.#lost
    this.#lost = undefined
    if (lost)
      throw lost.error instanceof CodedError && lost.count === 1
        ? lost.error
        : new CodedError('KAFKA_LOST', `${lost.count} messages were lost: ${lost.error.message}`, { cause: lost.error })
  }

  /**
   * Delivers what it can within 10 s (which all that close share while Kafka is away); what is left then is lost, told to its
   * callbacks and by rejection.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#end())
  }

  async #end(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const patienceMs = this.cluster.patienceMs(CLOSE_PATIENCE_MS)
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs))).then(() => this.#giveUp())
    try {
      // A broker that takes requests and does not answer holds it up. Not by flush, which would take the word of what is lost
      await Promise.race([this.#settled(), late])
      this.#throwLost()
    } finally {
      clearTimeout(timer)
      this.#ended = true
      clearTimeout(this.#timer)
      clearImmediate(this.#immediate)
      await this.#sender.close()
      this.#pool.clear()
      this.onClose()
    }
  }

  #giveUp(): void {
    this.#ended = true
    const error = new CodedError('KAFKA_LOST', 'the producer was closed before Kafka acknowledged')
    for (const topic of this.#topics.values()) this.#failTopic(topic, error)
  }

  // ---------------------------------------------------------------- gathering

  #addTopic(name: string): Topic {
    const topic: Topic = { name, lanes: [], partitions: 0, waiting: [], missingSinceMs: 0 }
    this.#topics.set(name, topic)
    return topic
  }

  #lane(topic: Topic, partition: number): Lane {
    return (topic.lanes[partition] = {
      ...{ topic: topic.name, partition, queue: [], leader: -1, busy: false },
      ...{ failures: 0, notBeforeMs: 0, next: undefined }
    })
  }

  /** The caller may use its buffers again when `send` returns: copied. */
  #hold(topic: Topic, message: ProducerMessage, onDelivered: Delivered | undefined, bytes: number): void {
    const own = (data: Uint8Array | string | null): Uint8Array | null =>
      data === null ? null : Buffer.from(bytesOf(data)!)
    const copy = { ...message, value: own(message.value), key: own(message.key ?? null) }
    topic.waiting.push({ message: { timestampMs: Date.now(), ...copy }, onDelivered, bytes })
    void this.#refresh()
  }

  #append(topic: Topic, message: ProducerMessage, onDelivered: Delivered | undefined, bytes: number): void {
    const key = bytesOf(message.key)
    const value = bytesOf(message.value)
    const partition = message.partition ?? (key === null ? 0 : partitionOf(key, topic.partitions))
    const lane = topic.lanes[partition] ?? this.#lane(topic, partition)
    const now = Date.now()
    const time = message.timestampMs ?? now
    let batch = lane.queue.at(-1)
    if (batch === undefined || batch.closed || !batch.append(key, value, time, message.headers, this.#maxBatch)) {
      if (batch) batch.closed = true
      const size = batch ? Math.min(batch.size, this.#maxBatch) : 0
      batch = new BatchBuilder(this.#pool, now, size)
      batch.append(key, value, time, message.headers, this.#maxBatch)
      lane.queue.push(batch)
      this.#active.add(lane)
      if (lane.queue.length > 1 || this.#lingerMs === 0) this.wake()
      else this.#wakeAt(now + this.#lingerMs)
    }
    if (onDelivered) batch.callbacks.push({ index: batch.count - 1, call: onDelivered })
    batch.charged += bytes
  }

  // ---------------------------------------------------------------- sending

  wake(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined
      this.#drain()
    })
  }

  #wakeAt(timeMs: number): void {
    if (timeMs >= this.#timerMs) return
    clearTimeout(this.#timer)
    this.#timerMs = timeMs
    this.#timer = setTimeout(() => {
      this.#timerMs = Infinity
      this.#drain()
    }, timeMs - Date.now())
  }

  #drain(): void {
    if (this.#ended) return
    const now = Date.now()
    const byLeader = new Map<number, Lane[]>()
    for (const lane of this.#active) {
      if (lane.busy) continue
      const head = this.#liveHead(lane, now)
      if (head === undefined) continue
      const gathered = head.closed || this.#flushing > 0 ? 0 : head.openedMs + this.#lingerMs
      const due = Math.max(gathered, lane.notBeforeMs)
      if (this.#deliveryMs < Infinity) this.#wakeAt(head.openedMs + this.#deliveryMs + 1)
      if (due > now) this.#wakeAt(due)
      else if (lane.leader < 0) void this.#refresh()
      else byLeader.set(lane.leader, [...(byLeader.get(lane.leader) ?? []), lane])
    }
    for (const [leader, lanes] of byLeader) {
      let group: Lane[] = []
      let bytes = 0
      for (const lane of lanes) {
        if (group.length > 0 && bytes + lane.queue[0]!.size > MAX_REQUEST_BYTES) {
          void this.#sender.send(leader, group)
          group = []
          bytes = 0
        }
        group.push(lane)
        bytes += lane.queue[0]!.size
      }
      void this.#sender.send(leader, group)
    }
  }

  /** First batch of a lane that has not waited too long. */
  #liveHead(lane: Lane, now: number): BatchBuilder | undefined {
    for (;;) {
      const head = lane.queue[0]
      if (head === undefined || now - head.openedMs <= this.#deliveryMs) return head
      this.lost(
        lane,
        new CodedError('KAFKA_LOST', `${lane.topic}/${lane.partition}: no acknowledgement in ${this.#deliveryMs} ms`)
      )
    }
  }

  // ---------------------------------------------------------------- results

  delivered(lane: Lane, offset: number): void {
    this.#finish(lane, null, offset)
  }

  lost(lane: Lane, error: Error): void {
    this.#countLost(lane.queue[0]?.count ?? 0, error)
    this.#finish(lane, error, -1)
  }

  split(lane: Lane): void {
    lane.queue.splice(0, 1, ...lane.queue[0]!.split())
  }

  refused(lane: Lane, records: ReadonlySet<number>, error: Error): void {
    lane.queue.splice(0, 1, ...lane.queue[0]!.without(records))
    this.lost(lane, error)
  }

  #countLost(count: number, error: Error): void {
    this.#lost = { count: (this.#lost?.count ?? 0) + count, error: this.#lost?.error ?? error }
  }

  #finish(lane: Lane, error: Error | null, offset: number): void {
    const batch = lane.queue.shift()
    if (!batch) return // Given up by close while the answer was under way
    if (lane.queue.length === 0) this.#active.delete(lane)
    notify(batch.callbacks, error, offset, this.#threw)
    this.#uncharge(batch.charged)
    // Given up while under way: the socket may still be reading the buffer.
    if (error === null || !lane.busy) batch.free()
    batch.settle()
  }

  #uncharge(bytes: number): void {
    this.bufferedBytes -= bytes
    if (this.bufferedBytes <= this.#maxBuffered / 2) for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }

  // ---------------------------------------------------------------- metadata

  /** Learns partitions and leaders until nothing waits for them. */
  #refresh(): Promise<void> {
    return (this.#refreshing ??= this.#learn().finally(() => {
      this.#refreshing = undefined
      if (!this.#ended) this.wake()
    }))
  }

  #needed(): Topic[] {
    const wanting = (topic: Topic): boolean =>
      topic.waiting.length > 0 || topic.lanes.some((lane) => lane.leader < 0 && lane.queue.length > 0 && !lane.busy)
    return [...this.#topics.values()].filter(wanting)
  }

  async #learn(): Promise<void> {
    for (let n = 0; !this.#ended; n++) {
      const needed = this.#needed()
      if (needed.length === 0) return
      try {
        const { topics } = await this.cluster.metadata(needed.map(({ name }) => name))
        for (const found of topics) this.#apply(found)
        this.wake()
      } catch (error) {
        if (!isPassing(error)) for (const topic of needed) this.#failTopic(topic, error as Error)
      }
      if (this.#needed().length === 0) return
      await this.#sender.pause(n)
      this.wake() // For what has waited too long
    }
  }

  #apply({ name, error, partitions }: TopicMetadata): void {
    const topic = this.#topics.get(name)
    if (!topic) return
    if (isAuthError(error)) return this.#failTopic(topic, denied(`writing to ${name}`, error, `WRITE on topic ${name}`))
    if (error === UNKNOWN_TOPIC || error === 17) {
      topic.missingSinceMs ||= Date.now()
      if (Date.now() - topic.missingSinceMs < MISSING_PATIENCE_MS) return
      topic.missingSinceMs = 0
      return this.#failTopic(topic, topicMissing(`topic ${name}`))
    }
    topic.missingSinceMs = 0
    topic.partitions = partitions.length
    for (const { partition, leader } of partitions) {
      const lane = topic.lanes[partition]
      if (lane && lane.leader < 0) lane.leader = leader
      else if (!lane) this.#lane(topic, partition).leader = leader
    }
    topic.lanes.forEach((lane, partition) => {
      const error = new CodedError('KAFKA_LOST', `${name} has no partition ${partition}`)
      if (partitions.length > 0 && partition >= partitions.length) while (lane.queue.length > 0) this.lost(lane, error)
    })
    for (const { message, onDelivered, bytes } of topic.waiting.splice(0))
      this.#append(topic, message, onDelivered, bytes)
  }

  #failTopic(topic: Topic, error: Error): void {
    for (const { onDelivered, bytes } of topic.waiting.splice(0)) {
      this.#countLost(1, error)
      if (onDelivered) notify([{ index: 0, call: onDelivered }], error, -1, this.#threw)
      this.#uncharge(bytes)
    }
    topic.lanes.forEach((lane) => {
      while (lane.queue.length > 0) this.lost(lane, error)
    })
  }
  readonly #threw = (thrown: unknown): void => {
    this.cluster.log('error', `what was called at a delivery threw: ${String(thrown)}`, {
      stack: (thrown as Error).stack
    })
  }
}
