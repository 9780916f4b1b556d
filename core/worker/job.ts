// A write job as the main thread sees it: starts its thread, knows its state, passes on commands, reports its end once.
import { Worker } from 'node:worker_threads'
import { CodedError, errorCodes, type ErrorCode } from '../errors.js'
import { type Finding, type LogLevel } from '../plugin.js'
import { type WorkerConfig } from './config.js'
import { splitStructure } from '../nexus/shards.js'
import { templateFile } from '../nexus/template.js'
import { outputPath } from './output.js'
import { ShardedJob } from './sharded-job.js'
import { type FromWorker, type JobEnd, type Progress, type StopHow, type ToWorker, type WriteSpec } from './protocol.js'

export interface Ready {
  readonly file: string
  /** What a lenient job leaves out. */
  readonly findings: readonly Finding[]
  readonly streams: number
}

export interface WriteJobContext {
  readonly config: WorkerConfig
  readonly log: (level: LogLevel, message: string, fields?: Record<string, unknown>) => void
}

export interface WriteJob {
  readonly spec: WriteSpec
  /** The file is made and data are being read. Rejects with a CodedError (findings in its fields) when the job is refused. */
  readonly ready: Promise<Ready>
  /** Always resolves, once, after `ready` did. */
  readonly done: Promise<JobEnd>
  /** ns; null: none. */
  readonly stopNs: bigint | null
  readonly progress: Progress | null
  setStop(stopNs: bigint | null): void
  stopNow(reason: string, how?: StopHow): void
  /** Ends at once and leaves the unfinished file: another daemon writes it. */
  abandon(reason: string): void
}

const openEndNs = 2n ** 63n - 1n

/** Starts the job in a thread of its own, or several. Throws FILE_PATH or FILE_EXISTS at once. */
export function startWriteJob(spec: WriteSpec, context: WriteJobContext): WriteJob {
  // what a template and a structure make together is one file
  const templated = templateFile(spec.templates ?? null, spec.run.instrumentName) !== undefined
  const threads = templated ? 1 : (spec.options.threads ?? 1)
  const shards = threads > 1 ? splitStructure(spec.structure, spec.fileName, threads) : []
  for (const name of [spec.fileName, ...shards.map(({ fileName }) => fileName)])
    outputPath(spec.folder, name, spec.attempt)
  const start = (one: WriteSpec): WriteJob => new ThreadJob(one, context)
  return shards.length > 1 ? new ShardedJob(spec, shards, start) : start(spec)
}

class ThreadJob implements WriteJob {
  readonly ready: Promise<Ready>
  readonly done: Promise<JobEnd>
  progress: Progress | null = null
  stopNs: bigint | null
  private readonly worker: Worker
  private resolveReady!: (ready: Ready) => void
  private rejectReady!: (error: unknown) => void
  private resolveDone!: (end: JobEnd) => void
  private file: string
  private end: JobEnd | null = null

  constructor(
    readonly spec: WriteSpec,
    private readonly context: WriteJobContext
  ) {
    this.stopNs = spec.stopNs
    this.file = spec.fileName
    this.ready = new Promise((resolve, reject) => {
      this.resolveReady = resolve
      this.rejectReady = reject
    })
    this.done = new Promise((resolve) => {
      this.resolveDone = resolve
    })
    this.worker = new Worker(new URL('./main.js', import.meta.url), { workerData: { spec, config: context.config } })
    this.worker.on('message', (message: FromWorker) => this.hear(message))
    this.worker.on('error', (error) => this.died(String(error)))
    this.worker.on('exit', (code) => this.died(`the thread of the job ended with code ${code}`))
  }

  setStop(stopNs: bigint | null): void {
    this.stopNs = stopNs
    this.tell({ type: 'set_stop', stopNs: stopNs ?? openEndNs })
  }

  stopNow(reason: string, how: StopHow = 'now'): void {
    const nowNs = BigInt(Date.now()) * 1_000_000n
    if (this.stopNs === null || this.stopNs > nowNs) this.stopNs = nowNs
    this.tell({ type: 'stop_now', stopNs: this.stopNs, how, reason })
  }

  abandon(reason: string): void {
    this.tell({ type: 'abandon', reason })
  }

  private tell(message: ToWorker): void {
    this.worker.postMessage(message)
  }

  private hear(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.file = message.file
        return this.resolveReady(message)
      case 'refused':
        return this.refuse(message)
      case 'progress':
        this.progress = message.progress
        return
      case 'log':
        return this.context.log(message.level, message.message, { job_id: this.spec.jobId, ...message.fields })
      case 'done':
        this.end = message.end
        return
    }
  }

  private refuse({ code, message, path, findings }: Extract<FromWorker, { type: 'refused' }>): void {
    const known = Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'JOB_FAILED'
    const fields = { job_id: this.spec.jobId, ...(findings.length > 0 && { findings }) }
    this.rejectReady(new CodedError(known, message, { ...(path !== undefined && { path }), fields }))
    this.end ??= { file: this.file, report: null, error: true, message }
  }

  /** The thread is gone: with its end said, or without. */
  private died(why: string): void {
    this.rejectReady(new CodedError('JOB_FAILED', why, { fields: { job_id: this.spec.jobId } }))
    const message = `${why}; what was written until the last checkpoint is in ${this.file}.part`
    this.resolveDone(this.end ?? { file: `${this.file}.part`, report: null, error: true, message })
  }
}
