// For threads of services that read topics as long as they live: topics that may come later, partitions that are added.
import { type Worker } from 'node:worker_threads'
import { endThread, type Kafka, type LogLevel, type Reader, type ServiceContext } from '../../core/api/plugin.js'

export interface FollowedTopicsOptions {
  readonly read: readonly string[]
  /** Nothing is read before these are there. */
  readonly write?: readonly string[]
  /** That is asked for, of all of them. */
  readonly right?: 'READ'
  /** Next offset of each partition of a topic that is begun; partitions that are added later are read from their beginning. */
  startsOf(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number>>
}

export class FollowedTopics {
  /** Topics that do not exist. */
  missing: readonly string[] = []
  /** Partitions that are read. */
  readonly #known = new Map<string, Set<number>>()
  #looking = false

  constructor(
    readonly kafka: Kafka,
    readonly reader: Reader,
    readonly options: FollowedTopicsOptions
  ) {}

  /** Adds to the reader what is there by now; to be called again and again. Rejects as Kafka does. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      await this.#find()
    } finally {
      this.#looking = false
    }
  }

  async #find(): Promise<void> {
    const { read, write = [], right } = this.options
    const found = await this.kafka.topics([...read, ...write], right)
    this.missing = found.filter(({ partitions }) => partitions.length === 0).map(({ name }) => name)
    if (write.some((topic) => this.missing.includes(topic))) return
    for (const { name, partitions, id = '' } of found) {
      const known = this.#known.get(name)
      const added = partitions.filter((partition) => known?.has(partition) !== true)
      if (added.length === 0 || !read.includes(name)) continue
      const starts = known === undefined ? await this.options.startsOf(name, added) : await this.kafka.offsets(name, added, 'earliest') // prettier-ignore
      this.#known.set(name, new Set([...(known ?? []), ...added]))
      for (const [partition, offset] of starts) this.reader.add(name, partition, offset, id)
    }
  }
}

/** Where the last `most` messages of each partition begin. */
export async function lastMessages(
  kafka: Kafka,
  topic: string,
  partitions: readonly number[],
  most: number
): Promise<Map<number, number>> {
  const ends = await kafka.offsets(topic, partitions, 'latest')
  const firsts = await kafka.offsets(topic, partitions, 'earliest')
  return new Map([...ends].map(([one, end]) => [one, Math.max(firsts.get(one) ?? 0, end - most)]))
}

/** What such a thread says. */
export type FromTopicsThread<P> =
  | { readonly type: 'progress'; readonly progress: P }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string }

/** Why a service is not ready; nothing when it is. */
export function notReady(failure: string | undefined, missing: readonly string[]): { readonly not_ready?: string[] } {
  const trouble = failure ?? (missing.length > 0 ? `topics ${missing.join(', ')} do not exist` : undefined)
  return trouble === undefined ? {} : { not_ready: [trouble] }
}

const STOP_MS = 15_000

/** Such a thread as the main thread sees it. It ends at a message of the type `end`. */
export class TopicsThread<P extends { readonly missing: readonly string[] }> {
  #worker: Worker | undefined
  #failure: string | undefined

  constructor(
    readonly context: ServiceContext,
    /** For `the thread of … has ended`. */
    readonly name: string,
    public progress: P
  ) {}

  get state(): 'running' | 'faulty' {
    return this.#failure === undefined ? 'running' : 'faulty'
  }

  get notReady(): { readonly not_ready?: string[] } {
    return notReady(this.#failure, this.progress.missing)
  }

  /** @param first - message to the thread */
  open(entry: URL, first: object): void {
    const worker = this.context.thread(entry)
    this.#worker = worker
    worker.on('message', (message: FromTopicsThread<P>) => this.#hear(message))
    worker.on('error', (error) => this.#failed(error.message))
    worker.on('exit', () => {
      if (this.#worker !== undefined) this.#failed(`the thread of ${this.name} has ended`)
    })
    worker.postMessage(first)
  }

  async end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    if (worker !== undefined) await endThread(worker, { type: 'end' }, STOP_MS)
  }

  #hear(message: FromTopicsThread<P>): void {
    if (message.type === 'progress') this.progress = message.progress
    else if (message.type === 'log') this.context.log(message.level, message.message)
    else this.#failed(message.message)
  }

  #failed(why: string): void {
    this.#failure = why
    this.context.log('error', why)
  }
}
