// The fetch threads of a job's thread: started when a job wants them, kept for its later ones.
import { type Worker } from 'node:worker_threads'
import { CodedError } from '../../../../core/api/plugin.js'
import { type FromFetcher, type ToFetcher } from './messages.js'

/** What hears of a thread. */
export interface FetchClient {
  hear(message: FromFetcher, from: FetchThread): void
  /** It has ended; nothing more comes from it. */
  died(error: Error, thread: FetchThread): void
}

export class FetchThread {
  readonly #clients = new Map<number, FetchClient>()
  readonly #worker: Worker

  /** @param gone - the thread has ended */
  constructor(worker: Worker, gone: () => void) {
    this.#worker = worker
    worker.on('message', (message: FromFetcher) => this.#clients.get(message.reader)?.hear(message, this))
    worker.on('error', (error) => this.#ended(gone, String(error)))
    worker.on('exit', (code) => this.#ended(gone, `it ended with code ${code}`))
  }

  attach(reader: number, client: FetchClient): void {
    this.#clients.set(reader, client)
  }

  detach(reader: number): void {
    this.#clients.delete(reader)
  }

  tell(message: ToFetcher): void {
    this.#worker.postMessage(message)
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #ended(gone: () => void, why: string): void {
    gone()
    const clients = [...this.#clients.values()]
    this.#clients.clear()
    for (const client of clients) client.died(new CodedError('JOB_FAILED', `a fetch thread of the job: ${why}`), this)
  }
}

export class FetchThreads {
  readonly #threads = new Set<FetchThread>()
  readonly #start: (entry: URL) => Worker

  constructor(start: (entry: URL) => Worker) {
    this.#start = start
  }

  /** So many, started where they are not there yet. */
  take(count: number): FetchThread[] {
    while (this.#threads.size < count) {
      const worker = this.#start(new URL('./main.js', import.meta.url))
      const thread: FetchThread = new FetchThread(worker, () => this.#threads.delete(thread))
      this.#threads.add(thread)
    }
    return [...this.#threads].slice(0, count)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.close()))
  }
}
