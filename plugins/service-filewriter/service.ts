// The file writer: commands to jobs, exactly one end per accepted job, the state for heartbeats and status.
import { randomUUID } from 'node:crypto'
import {
  CodedError,
  type Command,
  type Options,
  type Origin,
  type Reply,
  type Service,
  type ServiceContext,
  type Snapshot,
  startWriteJob,
  type Subscription,
  type WorkerConfig
} from '../../core/plugin.js'
import { FileJob } from './file-job.js'
import { type optionSchema } from './options.js'
import { snapshotOf } from './snapshot.js'
import { specOf } from './spec.js'
import { isoOfNs, msOfNs, nsOfMs, timeNs } from './times.js'

/** A job that has not ended so long after the daemon asked for it ends without reading on. */
const stopPatienceMs = 15_000

export class FileWriter implements Service {
  readonly commands = {
    start: (command: Command, origin: Origin) => this.startJob(command, origin),
    stop: (command: Command) => settle(() => this.stopJobs(command)),
    config: (command: Command) => settle(() => this.configure(command)),
    status: (command: Command) => settle(() => this.status(command))
  }
  private readonly jobs = new Map<string, FileJob>()
  private readonly ended = { done: 0, failed: 0 }
  private closing = false

  constructor(
    private readonly options: Options<typeof optionSchema>,
    private readonly context: ServiceContext
  ) {}

  async start(): Promise<void> {}

  async stop(reason: string): Promise<void> {
    this.closing = true
    const running = [...this.jobs.values()]
    for (const job of running) job.write.stopNow(`the daemon stops: ${reason}`)
    const late = setTimeout(() => {
      for (const job of running) job.write.stopNow(`the daemon stops: ${reason}`, true)
    }, stopPatienceMs)
    await Promise.all(running.map((job) => job.ended))
    clearTimeout(late)
  }

  snapshot(): Snapshot {
    return snapshotOf([...this.jobs.values()], this.ended, this.options.max_jobs)
  }

  private async startJob(command: Command, origin: Origin): Promise<Reply> {
    const id = typeof command['job_id'] === 'string' ? command['job_id'] : randomUUID()
    if (this.closing) throw new CodedError('JOB_LIMIT', 'the daemon is stopping')
    if (this.jobs.size >= this.options.max_jobs)
      throw new CodedError('JOB_LIMIT', `${this.jobs.size} jobs run already (max_jobs)`, { fields: { job_id: id } })
    const spec = specOf(id, command, this.options, nsOfMs(origin.timestampMs))
    const file: { job?: FileJob } = {}
    const job = await this.context.jobs.open(id, 'filewriter', () => file.job?.info() ?? {})
    let control: Subscription | undefined
    try {
      control = await this.control(command, origin)
      job.to('starting')
      const config = this.context.workerConfig as WorkerConfig
      const write = startWriteJob(spec, {
        config,
        log: (level, message, fields) => this.context.log(level, message, fields)
      })
      const topic = typeof command['control_topic'] === 'string' ? command['control_topic'] : undefined
      const mine = new FileJob(job, write, topic, command['metadata'])
      file.job = mine
      this.jobs.set(id, mine)
      const ready = await write.ready
      job.to('running', `writing ${ready.file}`)
      mine.ready = ready
      this.follow(mine, topic === undefined ? origin : { ...origin, topic, replyTopic: topic }, control)
      return {
        response: 'ACK',
        status: 201,
        message: `writing ${ready.file}`,
        job_id: id,
        result: {
          file_name: ready.file,
          streams: ready.streams,
          start_time_ms: msOfNs(spec.startNs),
          stop_time_ms: msOfNs(spec.stopNs)
        },
        ...(ready.findings.length > 0 && { errors: ready.findings }),
        ...(topic !== undefined && { reply_topic: topic })
      }
    } catch (error) {
      this.jobs.delete(id)
      await control?.close()
      job.to('failed', error instanceof Error ? error.message : String(error))
      throw error
    }
  }

  private async control(command: Command, origin: Origin): Promise<Subscription | undefined> {
    const topic = command['control_topic']
    if (typeof topic !== 'string' || topic === origin.topic) return undefined
    const fromMs = Math.min(
      origin.timestampMs,
      msOfNs(timeNs(command['start_time'], '/start_time') ?? null) ?? Infinity
    )
    return this.context.listen(topic, { dialect: origin.dialect, fromMs })
  }

  /** Says that the job runs, and once how it ended. */
  private follow(mine: FileJob, origin: Origin, control: Subscription | undefined): void {
    const { job, write } = mine
    const started = { event: 'writing_started', job_id: job.id, file_name: mine.ready?.file ?? '' }
    // after the answer
    setImmediate(() => this.context.emit(started, origin))
    mine.ended = write.done.then(async (end) => {
      this.jobs.delete(job.id)
      mine.end = end
      const failed = end.report === null
      this.ended[end.error ? 'failed' : 'done']++
      if (failed) job.to('failed', end.message)
      else {
        job.to('stopping')
        job.to(end.error ? 'failed' : 'done', end.message)
      }
      this.context.log(end.error ? 'error' : 'info', `job ${job.id}: ${end.file}: ${end.message}`)
      this.context.emit(
        {
          event: 'writing_done',
          job_id: job.id,
          file_name: end.file,
          error_encountered: end.error,
          message: end.message,
          report: end.report,
          ...(mine.metadata !== undefined && { metadata: mine.metadata })
        },
        origin
      )
      await control?.close()
    })
  }

  private stopJobs(command: Command): Reply {
    if (command['all'] === true) {
      for (const job of this.jobs.values()) this.stopOne(job, command)
      return { response: 'ACK', status: 201, message: `stopping ${this.jobs.size} jobs` }
    }
    const job = this.find(command)
    this.stopOne(job, command)
    const { stopNs } = job.write
    return {
      response: 'ACK',
      status: 201,
      message: `stopping at ${isoOfNs(stopNs)}`,
      job_id: job.job.id,
      result: { stop_time_ms: msOfNs(stopNs) },
      ...job.replyTopic
    }
  }

  private stopOne(job: FileJob, command: Command): void {
    const stopNs = timeNs(command['stop_time'], '/stop_time')
    if (stopNs === undefined) {
      job.write.stopNow('stopped by command', command['abort'] === true)
      job.job.to('stopping')
      return
    }
    job.mayMove()
    job.write.setStop(stopNs)
  }

  private configure(command: Command): Reply {
    const job = this.find(command)
    job.mayMove()
    const stopNs = timeNs(command['stop_time'], '/stop_time') ?? null
    job.write.setStop(stopNs)
    const until = stopNs === null ? 'until it is stopped' : `until ${isoOfNs(stopNs)}`
    const result = { stop_time_ms: msOfNs(stopNs) }
    return { response: 'ACK', status: 200, message: `runs ${until}`, job_id: job.job.id, result, ...job.replyTopic }
  }

  private status(command: Command): Reply {
    if (command['job_id'] === undefined) {
      const jobs = [...this.jobs.values()].map((job) => job.job.info())
      return { response: 'ACK', status: 200, message: `${jobs.length} jobs run`, result: { jobs } }
    }
    const info = this.context.jobs.list().find((job) => job['job_id'] === command['job_id'])
    if (info === undefined) throw unknown(textOf(command['job_id']))
    return {
      response: 'ACK',
      status: 200,
      message: String(info['state']),
      job_id: textOf(command['job_id']),
      result: info
    }
  }

  private find(command: Command): FileJob {
    const id = command['job_id']
    if (typeof id === 'string') {
      const job = this.jobs.get(id)
      if (job === undefined) throw unknown(id)
      return job
    }
    const [only, ...others] = this.jobs.values()
    if (only !== undefined && others.length === 0) return only
    const text = only === undefined ? 'no job runs' : `${this.jobs.size} jobs run; say which by job_id`
    throw new CodedError('JOB_UNKNOWN', text, { path: '/job_id' })
  }
}

/** Runs at once; what it throws becomes a rejection. */
const settle = (run: () => Reply): Promise<Reply> => new Promise((resolve) => resolve(run()))
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const unknown = (id: string): CodedError =>
  new CodedError('JOB_UNKNOWN', `no job ${id} runs here`, { path: '/job_id', fields: { job_id: id } })
