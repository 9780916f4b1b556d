// The histogram service: commands to jobs, the thread that counts, exactly one end per accepted job.
import { randomUUID } from 'node:crypto'
import { type Worker } from 'node:worker_threads'
import {
  CodedError,
  endsWithin,
  endThread,
  type ErrorCode,
  type Origin,
  type Reply,
  type Service,
  type ServiceContext,
  type Snapshot,
  topicMissing
} from '../../core/api/plugin.js'
import { type ConfigureHistogramsCommand } from './commands/config.js'
import { type ResetHistogramsCommand } from './commands/reset.js'
import { type StartHistogramsCommand } from './commands/start.js'
import { type ShowHistogramsCommand } from './commands/status.js'
import { type StopHistogramsCommand } from './commands/stop.js'
import { eventSchemas, muonSchemas } from './histogram-schema.js'
import { MemoryLeft } from './memory.js'
import { HistogramTotals, metricsOf } from './metrics.js'
import { type HistogramOptions } from './options.js'
import { infoOf, reportOf, type RunningJob, runningJob, unknown } from './running-job.js'
import { type HistogramSpec, specOf } from './spec.js'
import { type FromThread, type CountingProgress, type JobSpec, type ToThread } from './thread/protocol.js'

/** A `stop` that waits does so for this long: clients wait 5 s for a sign. */
const STOP_WAIT_MS = 4000
/** A new `config` waits so long for the last messages of the jobs before. */
const ENDING_MS = 2000
/** A daemon that stops waits so long for them; while Kafka is away they can only end with what they have. */
const STOP_MS = 15_000

export class HistogramService implements Service {
  readonly #jobs = new Map<string, RunningJob>()
  readonly #totals = new HistogramTotals()
  #worker: Worker | undefined
  #closing = false

  constructor(
    readonly options: HistogramOptions,
    readonly context: ServiceContext
  ) {}

  start(): Promise<void> {
    // Loads its code now: a client that asks for histograms waits for an answer
    this.#thread()
    return Promise.resolve()
  }

  retire(): void {
    this.#closing = true
  }

  async stop(): Promise<void> {
    this.#closing = true
    const jobs = [...this.#jobs.values()]
    if (this.context.kafka.connected) {
      for (const { job } of jobs) this.#tell({ type: 'stop', jobId: job.id })
      await endsWithin(Promise.all(jobs.map(({ ended }) => ended)), STOP_MS)
    }
    const worker = this.#worker
    this.#worker = undefined
    if (worker !== undefined) await endThread(worker, { type: 'end' } satisfies ToThread, STOP_MS)
  }

  snapshot(): Snapshot {
    const running = [...this.#jobs.values()].map(({ progress }) => progress)
    return {
      state: running.length === 0 ? 'idle' : 'counting',
      jobs_running: running.length,
      histograms: running.reduce((sum, { histograms }) => sum + histograms.length, 0),
      memory_bytes: this.#memory(),
      jobs_done: this.#totals.done,
      jobs_failed: this.#totals.failed,
      metrics: metricsOf(running, this.#totals, this.#memory())
    }
  }

  // ---------------------------------------------------------------- commands

  async startJob(command: StartHistogramsCommand, origin: Origin): Promise<Reply> {
    const spec = this.#specOf(command, this.#memory())
    await this.#requireTopics(spec)
    return this.#begin(spec, origin)
  }

  /** What is wrong with the new one is known before the old ones end. */
  async replaceJobs(command: ConfigureHistogramsCommand, origin: Origin): Promise<Reply> {
    const made = command.histograms.length === 0 ? undefined : this.#specOf(command, 0)
    if (made !== undefined) await this.#requireTopics(made)
    const before = [...this.#jobs.values()]
    for (const { job } of before) this.#stopOne(job.id)
    await endsWithin(Promise.all(before.map(({ ended }) => ended)), ENDING_MS)
    if (made !== undefined) return this.#begin(made, origin)
    return { response: 'ACK', status: 200, message: `stopping ${before.length} jobs` }
  }

  async stopJobs({ job_id: id, histogram, all, wait }: StopHistogramsCommand): Promise<Reply> {
    const jobs = all === true ? [...this.#jobs.values()] : [this.#find(id, histogram)]
    for (const { job } of jobs) this.#stopOne(job.id)
    const only = all === true ? undefined : jobs[0]?.job.id
    const isOver = wait && (await endsWithin(Promise.all(jobs.map(({ ended }) => ended)), STOP_WAIT_MS))
    const what = isOver ? 'stopped' : 'stopping'
    const message = only === undefined ? `${what} ${jobs.length} jobs` : what
    return { response: 'ACK', status: isOver ? 200 : 201, message, ...(only !== undefined && { job_id: only }) }
  }

  resetJobs({ job_id: id }: ResetHistogramsCommand): Reply {
    if (id !== undefined) this.#find(id, undefined)
    this.#tell({ type: 'reset', ...(id !== undefined && { jobId: id }) })
    return { response: 'ACK', status: 200, message: 'counts begin anew', ...(id !== undefined && { job_id: id }) }
  }

  showJobs({ job_id: id }: ShowHistogramsCommand): Reply {
    if (id === undefined) {
      const jobs = [...this.#jobs.values()].map(({ job }) => job.info())
      return { response: 'ACK', status: 200, message: `${jobs.length} jobs run`, result: { jobs } }
    }
    const info = this.context.jobs.show(id)
    if (info === undefined) throw unknown(id)
    return { response: 'ACK', status: 200, message: String(info['state']), job_id: id, result: info }
  }

  // ---------------------------------------------------------------- jobs

  #memory(): number {
    return [...this.#jobs.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  #specOf(command: StartHistogramsCommand, used: number): JobSpec {
    const { interval_s: interval, start_time: start, stop_time: stop, sender } = command
    if (interval !== undefined && (start !== undefined || stop !== undefined))
      throw new CodedError('COMMAND_INVALID', 'not beside start_time and stop_time', { path: '/interval_s' })
    const { options } = this
    const memory = new MemoryLeft(options.memory_bytes, used)
    const histograms = command.histograms.map((one, index) =>
      specOf(one, { path: `/histograms/${index}`, index, sender }, memory)
    )
    this.#requireConverters(histograms)
    const nowMs = Date.now()
    const isTimed = interval !== undefined && interval > 0
    return {
      jobId: command.job_id ?? randomUUID(),
      histograms,
      startMs: isTimed ? nowMs : (start ?? null),
      stopMs: isTimed ? nowMs + Math.round(interval * 1000) : (stop ?? null),
      updateMs: options.update_ms,
      keepAliveMs: options.keep_alive_ms,
      keepAliveBytes: options.keep_alive_bytes,
      lateDataMs: options.late_data_ms,
      disorderMs: options.disorder_ms,
      fetchBytes: options.fetch_bytes,
      simulate: options.simulate
    }
  }

  #requireConverters(histograms: readonly HistogramSpec[]): void {
    for (const [i, { format, schemas, periods }] of histograms.entries()) {
      // ev42 of ISIS has the period itself
      const pulses = periods !== null && schemas.some((schema) => schema !== 'ev42') ? ['pu00'] : []
      for (const [key, ids] of Object.entries({ format: [format], schemas, periods: pulses })) {
        // Those of muons are meant by default, too: only facilities that have them have their converters
        const isDefault = key === 'schemas' && eventSchemas.every((id) => schemas.includes(id))
        const missing = ids.find(
          (id) => this.context.converter(id) === undefined && !(isDefault && muonSchemas.has(id))
        )
        if (missing === undefined) continue
        const text = `no converter '${missing}'; loaded: ${this.context.ids('converter').join(', ')}`
        throw new CodedError('CONVERTER_UNKNOWN', text, { path: `/histograms/${i}/${key}` })
      }
    }
  }

  async #begin(spec: JobSpec, origin: Origin): Promise<Reply> {
    if (this.#closing) throw new CodedError('JOB_LIMIT', 'the daemon is stopping')
    // Those before may take longer to end than a new `config` waits
    const bytes = spec.histograms.reduce((sum, one) => sum + one.bytes, 0)
    new MemoryLeft(this.options.memory_bytes, this.#memory()).allow(bytes, '/histograms')
    const box: { running?: RunningJob } = {}
    const job = await this.context.jobs.open(spec.jobId, 'histogram', () => (box.running ? infoOf(box.running) : {}))
    const running = runningJob(job, spec, origin)
    box.running = running
    this.#jobs.set(job.id, running)
    try {
      job.to('starting')
      this.#tell({ type: 'start', spec })
      await running.ready
    } catch (error) {
      this.#jobs.delete(job.id)
      job.to('failed', (error as Error).message)
      running.end()
      throw error
    }
    job.to('running', `counting ${spec.histograms.length} histograms`)
    this.context.emit({ event: 'histogram_started', job_id: job.id }, origin)
    const result = { histograms: spec.histograms.map(({ id, topic }) => ({ id, topic })) }
    const message = `counting ${spec.histograms.length} histograms`
    return { response: 'ACK', status: 201, message, job_id: job.id, result }
  }

  async #requireTopics({ histograms }: JobSpec): Promise<void> {
    const names = histograms.flatMap(({ data_topic: data, topic, monitor, periods }) => [
      data,
      topic,
      ...(monitor === undefined ? [] : [monitor.topic]),
      ...(periods === null ? [] : [periods.topic])
    ])
    const found = await this.context.kafka.topics([...new Set(names)])
    const missing = found.filter(({ partitions }) => partitions.length === 0).map(({ name }) => name)
    if (missing.length > 0) throw topicMissing(`topic ${missing.join(', ')}`, '/histograms')
    await this.context.kafka.topics([...new Set(histograms.map(({ topic }) => topic))], 'WRITE')
  }

  #stopOne(id: string): void {
    const running = this.#jobs.get(id)
    if (running?.job.state === 'running') running.job.to('stopping')
    this.#tell({ type: 'stop', jobId: id })
  }

  #find(id: string | undefined, histogram: string | undefined): RunningJob {
    if (id !== undefined) {
      const running = this.#jobs.get(id)
      if (running !== undefined) return running
      const message = this.context.jobs.show(id)?.['message']
      if (typeof message !== 'string') throw unknown(id)
      throw new CodedError('JOB_ENDED', `job ${id} has ended: ${message}`, { path: '/job_id', fields: { job_id: id } })
    }
    const jobs = [...this.#jobs.values()]
    if (histogram !== undefined) {
      const found = jobs.find(({ spec }) => spec.histograms.some((one) => one.id === histogram))
      if (found !== undefined) return found
      throw new CodedError('JOB_UNKNOWN', `no job has a histogram '${histogram}'`, { path: '/histogram' })
    }
    const [only, ...others] = jobs
    if (only !== undefined && others.length === 0) return only
    const text = only === undefined ? 'no job runs' : `${jobs.length} jobs run; say which by job_id`
    throw new CodedError('JOB_UNKNOWN', text, { path: '/job_id' })
  }

  // ---------------------------------------------------------------- the thread

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = this.context.thread(new URL('./thread/main.js', import.meta.url), ['converter'])
    this.#worker = worker
    const gone = (why: string): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const running of [...this.#jobs.values()]) {
        // Who waits for the answer to a start gets that and no end
        if (running.job.state === 'starting') running.refuse(new CodedError('JOB_FAILED', why))
        else this.#ended(running.progress, why)
      }
    }
    return worker
      .on('message', (message: FromThread) => this.#hear(message))
      .on('error', (error) => gone(`the thread that counts failed: ${error.message}`))
      .on('exit', (code) => gone(`the thread that counts ended with code ${code}`))
  }

  #tell(message: ToThread): void {
    this.#thread().postMessage(message)
  }

  #hear(message: FromThread): void {
    switch (message.type) {
      case 'ready':
        return this.#jobs.get(message.jobId)?.accept()
      case 'refused':
        return this.#jobs
          .get(message.jobId)
          ?.refuse(new CodedError(message.code as ErrorCode, message.message, { fields: { job_id: message.jobId } }))
      case 'progress':
        for (const progress of message.jobs) {
          const running = this.#jobs.get(progress.jobId)
          if (running !== undefined) running.progress = progress
        }
        return
      case 'log':
        return this.context.log(message.level, message.message)
      case 'done':
        return this.#ended(message.progress, message.error)
    }
  }

  #ended(progress: CountingProgress, error: string | null): void {
    const running = this.#jobs.get(progress.jobId)
    if (running === undefined) return
    const { job, origin } = running
    running.progress = progress
    this.#jobs.delete(job.id)
    this.#totals.add(progress, error !== null)
    const message = error ?? `${progress.events} events of ${progress.messages} messages`
    if (job.state === 'running') job.to('stopping')
    job.to(error === null ? 'done' : 'failed', message)
    this.context.log(error === null ? 'info' : 'error', `job ${job.id}: ${message}`)
    const report = reportOf(progress)
    this.context.emit(
      { event: 'histogram_done', job_id: job.id, error_encountered: error !== null, message, report },
      origin
    )
    running.end()
  }
}
