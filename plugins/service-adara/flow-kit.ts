// For threads that read topics and send on what they make of them: connections, look-ups, counts, progress, and a good end.
import {
  type Batch,
  errorText,
  type Kafka,
  type Producer,
  type ProducerMessage,
  type Reader,
  type ThreadContext
} from '../../core/api/plugin.js'
import { OpenConverters } from '../../schemas/index.js'
import { FollowedTopics, type FollowedTopicsOptions, type FromTopicsThread } from './topics-kit.js'

const PROGRESS_MS = 500
/** How often topics that do not exist are looked for. */
const TOPICS_MS = 2000
/** Longest wait for the last messages of a topic. */
const LAST_MS = 5000

export interface TopicsFlowOptions extends FollowedTopicsOptions {
  readonly maxBytes?: number
}

/** What a thread follows beside its flow. */
export interface Beside {
  look(): Promise<void>
  close(): Promise<void>
}

export class TopicsFlow<P> {
  readonly kafka: Kafka
  readonly reader: Reader
  readonly converters: OpenConverters
  /** What did not go on, by reason. */
  readonly losses = new Map<string, number>()
  /** Messages that Kafka has. */
  sent = 0
  readonly #producer: Producer
  readonly #topics: FollowedTopics
  readonly #timers: NodeJS.Timeout[] = []
  #beside: Beside | undefined
  #isFull = false
  #closed = false

  constructor(
    readonly context: ThreadContext,
    { maxBytes, ...follow }: TopicsFlowOptions
  ) {
    this.kafka = context.kafka((level, message) => this.#say({ type: 'log', level, message }))
    this.reader = this.kafka.reader({ assign: [], maxWaitMs: 100, ...(maxBytes !== undefined && { maxBytes }) })
    this.#producer = this.kafka.producer({ lingerMs: 5 })
    this.converters = new OpenConverters(context.parts, {
      log: (level, message) => this.#say({ type: 'log', level, message })
    })
    this.#topics = new FollowedTopics(this.kafka, this.reader, follow)
  }

  /** Topics that do not exist. */
  get missing(): readonly string[] {
    return this.#topics.missing
  }

  /** Tells of its progress, and looks for topics, from now on. */
  begin(progress: () => P, beside?: Beside): void {
    this.#beside = beside
    this.every(PROGRESS_MS, () => this.#say({ type: 'progress', progress: progress() }))
    this.every(TOPICS_MS, () => void this.#look())
    void this.#look()
  }

  /** Until the end. */
  every(ms: number, action: () => void): void {
    this.#timers.push(setInterval(action, ms))
  }

  /** Never rejects: work that fails before the end is the end of the service. */
  async run(work: () => Promise<void>, what: string): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#closed) this.#say({ type: 'failed', message: `${what}: ${errorText(error)}` })
    }
  }

  send(message: ProducerMessage): void {
    this.#isFull = !this.#producer.send(message, (error) => {
      if (error === null) this.sent++
      else this.count('kafka')
    })
  }

  /** While the producer has no room: until it has. */
  drained(): Promise<void> | undefined {
    return this.#isFull ? this.#producer.drained() : undefined
  }

  count(reason: string, n = 1): void {
    this.losses.set(reason, (this.losses.get(reason) ?? 0) + n)
  }

  /** Not while it ends: what was asked for then is gone. */
  warn(message: string): void {
    if (!this.#closed) this.#say({ type: 'log', level: 'warn', message })
  }

  /** Messages of a topic from these offsets to its present end. What does not come is told, and left out. */
  async readToEnd(
    topic: string,
    from: ReadonlyMap<number, number>,
    take: (batch: Batch, i: number) => void
  ): Promise<void> {
    const ends = await this.kafka.offsets(topic, [...from.keys()], 'latest')
    const endOf = (partition: number): number => ends.get(partition) ?? 0
    const assign = [...from]
      .map(([partition, offset]) => ({ topic, partition, offset }))
      .filter(({ partition, offset }) => offset < endOf(partition))
    const left = new Set(assign.map(({ partition }) => partition))
    const reader = this.kafka.reader({ assign, maxWaitMs: 100 })
    try {
      while (left.size > 0) {
        const batch = await reader.poll(LAST_MS)
        if (batch === null) return // It ends
        if (batch === undefined)
          return this.warn(`the last messages of ${topic} (partitions ${[...left].join(', ')}) do not come; going on without them`) // prettier-ignore
        for (let i = 0; i < batch.count; i++) take(batch, i)
        if (batch.nextOffset >= endOf(batch.partition)) left.delete(batch.partition)
        batch.release()
      }
    } finally {
      await reader.close()
    }
  }

  /** What was sent is in Kafka, or told as lost. */
  async end(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all([this.reader.close(), this.#beside?.close()])
    try {
      await this.#producer.close()
    } catch (error) {
      this.#say({ type: 'log', level: 'error', message: errorText(error) })
    }
    await this.kafka.close()
    await this.context.close()
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    try {
      await Promise.all([this.#topics.look(), this.#beside?.look()])
    } catch (error) {
      this.warn(`${errorText(error)}; trying again`)
    }
  }

  #say(message: FromTopicsThread<P>): void {
    this.context.port.postMessage(message)
  }
}

/** The entry of such a thread: the first message opens it, one of the type `end` ends it. */
export function serve<M extends { readonly type: 'open' }>(
  context: ThreadContext,
  open: (message: M) => { end(): Promise<void> }
): void {
  let opened: { end(): Promise<void> } | undefined
  context.port.on('message', (message: M | { readonly type: 'end' }) => {
    if (message.type === 'end') void opened?.end()
    else opened = open(message)
  })
}
