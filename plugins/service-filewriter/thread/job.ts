// A write job as the main thread sees it: starts its thread, knows its state, passes on commands, reports its end once.
import { type Worker } from 'node:worker_threads'
import { CodedError, type ErrorCode, errorCodes, type Finding } from '../../../core/api/plugin.js'
import { errors } from '../errors.js'
import {
  type FromWorker,
  type JobEnd,
  type JobLog,
  type JobProgress,
  type StopHow,
  type ToWorker,
  type WriteSpec
} from './protocol.js'

export interface Ready {
  readonly file: string
  /** What a lenient job leaves out. */
  readonly findings: readonly Finding[]
  readonly streams: number
  /** Further files of the job. */
  readonly moreFiles?: readonly string[]
}

export interface WriteJob {
  readonly spec: WriteSpec
  /** The file is made and data are being read. Rejects with a CodedError (findings in its fields) when the job is refused. */
  readonly ready: Promise<Ready>
  /** Always resolves, once, after `ready` did. */
  readonly done: Promise<JobEnd>
  /** Ns; null: none. */
  readonly stopNs: bigint | null
  readonly progress: JobProgress | null
  /** When it last got messages from Kafka; 0: none yet. */
  readonly lastMessageMs: number
  setStop(stopNs: bigint | null): void
  stopNow(reason: string, how?: StopHow): void
  /** Ends at once and leaves the unfinished file: another daemon writes it. */
  abandon(reason: string): void
}

const OPEN_END_NS = 2n ** 63n - 1n

/** One job in one thread. */
export class ThreadJob implements WriteJob {
  readonly ready: Promise<Ready>
  readonly done: Promise<JobEnd>
  progress: JobProgress | null = null
  lastMessageMs = 0
  stopNs: bigint | null
  #resolveReady!: (ready: Ready) => void
  #rejectReady!: (error: unknown) => void
  #resolveDone!: (end: JobEnd) => void
  #file: string
  #end: JobEnd | null = null
  #left = false

  readonly #worker: Worker
  readonly #log: JobLog
  readonly #over: (kept: boolean) => void

  /** @param over - called once; `kept` when the thread can do another job */
  constructor(
    readonly spec: WriteSpec,
    worker: Worker,
    log: JobLog,
    over: (kept: boolean) => void
  ) {
    this.#worker = worker
    this.#log = log
    this.#over = over

    this.stopNs = spec.stopNs
    this.#file = spec.fileName
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
    // A refusal may come before anybody waits for it, and must not end the process
    this.ready.catch(() => undefined)
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve
    })
    worker.on('message', this.#hear).on('error', this.#failed).on('exit', this.#gone)
    this.#tell({ type: 'start', spec })
  }

  setStop(stopNs: bigint | null): void {
    this.stopNs = stopNs
    this.#tell({ type: 'set_stop', stopNs: stopNs ?? OPEN_END_NS })
  }

  stopNow(reason: string, how: StopHow = 'now'): void {
    const nowNs = BigInt(Date.now()) * 1_000_000n
    if (this.stopNs === null || this.stopNs > nowNs) this.stopNs = nowNs
    this.#tell({ type: 'stop_now', stopNs: this.stopNs, how, reason })
  }

  abandon(reason: string): void {
    this.#tell({ type: 'abandon', reason })
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  readonly #hear = (message: FromWorker): void => {
    switch (message.type) {
      case 'ready':
        this.#file = message.file
        return this.#resolveReady(message)
      case 'refused':
        return this.#refuse(message)
      case 'progress':
        if (message.progress.messages > (this.progress?.messages ?? 0)) this.lastMessageMs = Date.now()
        this.progress = message.progress
        return
      case 'log':
        return this.#log(message.level, message.message, { job_id: this.spec.jobId, ...message.fields }, message.fault)
      case 'done':
        this.#end = message.end
        return
      case 'idle':
        // A new thread says so, too, when it is about to begin
        if (this.#end !== null) this.#leave(this.#end, true)
        return
    }
  }

  #refuse({ code, message, path, findings }: Extract<FromWorker, { type: 'refused' }>): void {
    const known = Object.hasOwn({ ...errorCodes, ...errors }, code) ? (code as ErrorCode) : 'JOB_FAILED'
    const fields = { job_id: this.spec.jobId, ...(findings.length > 0 && { findings }) }
    this.#rejectReady(new CodedError(known, message, { ...(path !== undefined && { path }), fields }))
    this.#end ??= { file: this.#file, report: null, error: true, message }
  }

  /** The thread is gone: with its end said, or without. */
  #died(why: string): void {
    this.#rejectReady(new CodedError('JOB_FAILED', why, { fields: { job_id: this.spec.jobId } }))
    const message = `${why}; what was written until the last checkpoint is in ${this.#file}.part`
    this.#leave(this.#end ?? { file: `${this.#file}.part`, report: null, error: true, message }, false)
  }

  readonly #failed = (error: unknown): void => this.#died(String(error))
  readonly #gone = (code: number): void => this.#died(`the thread of the job ended with code ${code}`)

  #leave(end: JobEnd, kept: boolean): void {
    if (this.#left) return
    this.#left = true
    this.#worker.off('message', this.#hear).off('error', this.#failed).off('exit', this.#gone)
    this.#resolveDone(end)
    this.#over(kept)
  }
}
