// A reader of a job whose partitions are read by several threads; to the job it is as one of its own.
import { type Batch, CodedError, type LogLevel, type Reader, type ReaderOptions } from '../../../../core/api/plugin.js'
import { HandedBatch } from './handed-batch.js'
import { type FromFetcher, type SentBatch } from './messages.js'
import { type FetchClient, type FetchThread } from './threads.js'

/** What a job does with a reader. */
export type JobReader = Pick<Reader, 'poll' | 'add' | 'pause' | 'close'>

type Taken = Batch | null | undefined

/** Smaller answers cost more requests than they bring. */
const LEAST_BYTES = 1 << 20
const keyOf = (topic: string, partition: number): string => `${partition}/${topic}`
let made = 0

interface Waiting {
  readonly sent: SentBatch
  readonly from: FetchThread
}

export class FetchingReader implements JobReader, FetchClient {
  readonly #id = made++
  readonly #threads: readonly FetchThread[]
  /** Those that have not said that they closed. */
  readonly #open: Set<FetchThread>
  /** Who reads a partition; what is added later is read by the first. */
  readonly #owners = new Map<string, FetchThread>()
  readonly #paused = new Set<string>()
  #ready: Waiting[] = []
  #settle: ((taken: Taken | Error) => void) | undefined
  #failure: Error | undefined
  #isClosed = false
  #allClosed: (() => void) | undefined
  readonly #stop = new AbortController()
  readonly #log: (level: LogLevel, message: string) => void

  /** @param threads - at least one; no more are used than there are partitions */
  constructor(
    threads: readonly FetchThread[],
    options: ReaderOptions,
    log: (level: LogLevel, message: string) => void
  ) {
    const { assign, follow = [], maxBytes = 8 << 20, signal } = options
    this.#threads = threads.slice(0, Math.max(1, assign.length))
    this.#open = new Set(this.#threads)
    this.#log = log
    const share = Math.max(LEAST_BYTES, Math.ceil(maxBytes / this.#threads.length))
    for (const [i, thread] of this.#threads.entries()) {
      const isMine = (_: unknown, n: number): boolean => n % this.#threads.length === i
      const mine = assign.filter(isMine)
      for (const { topic, partition } of mine) this.#owners.set(keyOf(topic, partition), thread)
      // The first one looks for partitions that are added
      const more = i === 0 ? { follow, elsewhere: assign.filter((place, n) => !isMine(place, n)) } : {}
      thread.attach(this.#id, this)
      thread.tell({ type: 'open', reader: this.#id, options: { assign: mine, maxBytes: share, ...more } })
    }
    if (signal?.aborted) void this.close()
    else signal?.addEventListener('abort', () => void this.close(), { once: true, signal: this.#stop.signal })
  }

  poll(timeoutMs: number): Promise<Taken> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#isClosed) return Promise.resolve(null)
    const next = this.#ready.shift()
    if (next) return Promise.resolve(this.#handed(next))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle?.(undefined), timeoutMs)
      this.#settle = (taken) => {
        clearTimeout(timer)
        this.#settle = undefined
        if (taken instanceof Error) reject(taken)
        else resolve(taken)
      }
    })
  }

  add(topic: string, partition: number, offset: number, topicId: string): void {
    this.#owner(topic, partition).tell({ type: 'add', reader: this.#id, topic, partition, offset, topicId })
  }

  pause(topic: string, partition: number): void {
    const key = keyOf(topic, partition)
    this.#paused.add(key)
    this.#owner(topic, partition).tell({ type: 'pause', reader: this.#id, topic, partition })
    for (const waiting of this.#ready) if (this.#isPaused(waiting)) this.#release(waiting)
    this.#ready = this.#ready.filter((waiting) => !this.#isPaused(waiting))
  }

  /** Resolves when no thread reads for it any more. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true
      this.#stop.abort()
      this.#ready = []
      for (const thread of this.#open) thread.tell({ type: 'close', reader: this.#id })
      this.#settle?.(null)
    }
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#allClosed = resolve))
  }

  hear(message: FromFetcher, from: FetchThread): void {
    if (message.type === 'log') this.#log(message.level, message.message)
    else if (message.type === 'batch') this.#take({ sent: message.batch, from })
    else if (message.type === 'failed') this.#fail(new CodedError(message.code, message.message))
    else this.#left(from)
  }

  died(error: Error, thread: FetchThread): void {
    this.#fail(error)
    this.#left(thread)
  }

  #owner(topic: string, partition: number): FetchThread {
    return this.#owners.get(keyOf(topic, partition)) ?? this.#threads[0]!
  }

  #isPaused({ sent: { topic, partition } }: Waiting): boolean {
    return this.#paused.has(keyOf(topic, partition))
  }

  #take(waiting: Waiting): void {
    if (this.#isClosed) return
    if (this.#isPaused(waiting)) this.#release(waiting)
    else if (this.#settle) this.#settle(this.#handed(waiting))
    else this.#ready.push(waiting)
  }

  #handed(waiting: Waiting): Batch {
    return new HandedBatch(waiting.sent, () => this.#release(waiting))
  }

  #release({ sent, from }: Waiting): void {
    from.tell({ type: 'release', reader: this.#id, batch: sent.id })
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#settle?.(this.#failure)
  }

  #left(thread: FetchThread): void {
    this.#open.delete(thread)
    thread.detach(this.#id)
    if (this.#open.size === 0) this.#allClosed?.()
  }
}
