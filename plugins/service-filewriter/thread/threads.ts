// The threads of write jobs. One that is ready waits: its code is loaded, and warm when a job has run in it before.
import { type Worker } from 'node:worker_threads'
import { shareWriters } from '../file/behind.js'
import { splitFiles } from '../structure/more-files.js'
import { splitStructure } from '../structure/shards.js'
import { templateFile } from '../structure/template.js'
import { ThreadJob, type WriteJob } from './job.js'
import { outputPath, requireFree } from './output.js'
import { type FromWorker, type JobLog, type ToWorker, type WriteSpec } from './protocol.js'
import { ShardedJob } from './sharded-job.js'

/** A daemon that has just begun has better things to do. */
const WARM_UP_MS = 2000

/** A daemon without a job for so long has time for a rehearsal. */
const REHEARSE_AFTER_MS = 10_000
/** Most time of its thread; it needs about half of it. */
const REHEARSAL_MS = 1000

export class WriteThreads {
  #spare: Worker | undefined
  #loading: { readonly worker: Worker; readonly done: Promise<void> } | undefined
  #warmUp: NodeJS.Timeout | undefined
  #closed = false
  #rehearsal: NodeJS.Timeout | undefined
  /** Threads that have done a job, or rehearsed one. */
  readonly #warm = new WeakSet<Worker>()
  /** Someone has asked for figures of partitions and streams: jobs that begin count them. */
  detailed = false

  readonly #thread: (entry: URL) => Worker
  readonly #rehearses: boolean

  /**
   * @param thread - starts a thread with plugins and Kafka, e.g. `context.thread`
   * @param rehearses - by itself, when the daemon has nothing to do
   */
  constructor(thread: (entry: URL) => Worker, rehearses = false) {
    this.#thread = thread
    this.#rehearses = rehearses
    shareWriters()
  }

  /** Starts the job in a thread of its own, or several. Throws FILE_PATH or FILE_EXISTS at once. */
  start(spec: WriteSpec, log: JobLog): WriteJob {
    const { own, files } = splitFiles(spec.structure, spec.fileName)
    // What a template and a structure make together is one file
    const templated = templateFile(spec.templates ?? null, spec.run.instrumentName) !== undefined
    // Links of a flavour lead all over the file
    const whole = templated || (spec.flavour ?? 'usual') !== 'usual'
    const first = { structure: {}, fileName: spec.fileName, topics: [] }
    const threads = whole || files.length > 0 ? 1 : (spec.options.threads ?? 1)
    const shards = threads > 1 ? splitStructure(spec.structure, spec.fileName, threads) : []
    for (const { fileName: name } of [spec, ...shards, ...files]) {
      const path = outputPath(spec.folder, name, spec.attempt)
      // Of a later attempt the thread sees whether the file is the job's own
      if ((spec.attempt ?? 1) === 1) requireFree(path)
    }
    const start = (one: WriteSpec): WriteJob => this.#startOne(one, log)
    if (files.length > 0) return new ShardedJob({ ...spec, structure: own }, [first, ...files], start, spec.structure)
    return shards.length > 1 ? new ShardedJob(spec, shards, start) : start(spec)
  }

  /** Has a thread ready for the next job, soon. */
  prepareSoon(): void {
    this.#warmUp = setTimeout(() => void this.prepare(), WARM_UP_MS)
  }

  /** Has a thread ready for the next job; resolves when its code is loaded, or could not be. */
  prepare(): Promise<void> {
    if (this.#spare !== undefined || this.#closed) return Promise.resolve()
    if (this.#loading === undefined) {
      const worker = this.#newWorker()
      this.#loading = { worker, done: this.#load(worker) }
    }
    return this.#loading.done
  }

  /**
   * A made-up job in the thread that waits, unless it has done one: its code is compiled then. Resolves with the number of
   * messages written; 0 when it was not needed, failed, or a job came.
   */
  async rehearse(mostBusyMs = REHEARSAL_MS): Promise<number> {
    const worker = this.#spare
    if (worker === undefined || this.#warm.has(worker)) return 0
    this.#warm.add(worker)
    worker.postMessage({ type: 'rehearse', mostBusyMs } satisfies ToWorker)
    return new Promise((resolve) => {
      worker.on('message', function hear(message: FromWorker) {
        if (message.type !== 'rehearsed') return
        worker.off('message', hear)
        resolve(message.written)
      })
      worker.once('exit', () => resolve(0))
    })
  }

  /** Ends the thread that waits. Jobs go on to their own ends. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#warmUp)
    clearTimeout(this.#rehearsal)
    await Promise.all([this.#loading?.worker.terminate(), this.#spare?.terminate()])
    this.#spare = undefined
  }

  async #load(worker: Worker): Promise<void> {
    const sound = await new Promise<boolean>((resolve) => {
      worker.once('message', ({ type }: FromWorker) => resolve(type === 'idle'))
      // A job that needs a thread will tell what is wrong
      worker.once('error', () => resolve(false))
      worker.once('exit', () => resolve(false))
    })
    this.#loading = undefined
    if (sound) this.#keep(worker)
  }

  #newWorker(): Worker {
    const worker = this.#thread(new URL('./main.js', import.meta.url))
    const gone = (): void => {
      if (this.#spare === worker) this.#spare = undefined
    }
    return worker.on('error', gone).on('exit', gone)
  }

  #startOne(spec: WriteSpec, log: JobLog): WriteJob {
    const waiting = this.#spare
    this.#spare = undefined
    waiting?.ref()
    const worker = waiting ?? this.#newWorker()
    clearTimeout(this.#rehearsal)
    this.#warm.add(worker)
    return new ThreadJob({ ...spec, detailed: this.detailed }, worker, log, (kept) => this.#after(worker, kept))
  }

  /** A job has ended; `kept` when its thread can be used again. */
  #after(worker: Worker, kept: boolean): void {
    if (kept) this.#keep(worker)
    else void this.prepare()
  }

  #keep(worker: Worker): void {
    if (this.#closed || this.#spare !== undefined) {
      worker.postMessage({ type: 'end' })
      return
    }
    this.#spare = worker
    worker.unref()
    if (!this.#rehearses || this.#warm.has(worker)) return
    this.#rehearsal = setTimeout(() => void this.rehearse(), REHEARSE_AFTER_MS).unref()
  }
}
