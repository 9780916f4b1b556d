// Commands for jobs that run: stop, config and status.
import { CodedError, type Jobs, type Reply } from '../../core/api/plugin.js'
import { type ConfigureJobsCommand } from './commands/config.js'
import { type ShowJobsCommand } from './commands/status.js'
import { type StopJobCommand } from './commands/stop.js'
import { type FileJob } from './file-job.js'
import { isoOfNs, msOfNs, timeNs } from './times.js'

export class RunningJobs {
  readonly #jobs: ReadonlyMap<string, FileJob>
  readonly #all: Jobs
  readonly #remember: (job: FileJob, heardMs: number) => Promise<void>

  constructor(
    jobs: ReadonlyMap<string, FileJob>,
    all: Jobs,
    /** Keeps a stop time that moved, and the Kafka time of the command that moved it; before the answer. */
    remember: (job: FileJob, heardMs: number) => Promise<void>
  ) {
    this.#jobs = jobs
    this.#all = all
    this.#remember = remember
  }

  async stop(command: StopJobCommand, heardMs: number): Promise<Reply> {
    if (command.all === true) {
      const jobs = [...this.#jobs.values()]
      for (const job of jobs) await this.#stopOne(job, command, heardMs)
      return { response: 'ACK', status: 201, message: `stopping ${jobs.length} jobs` }
    }
    const job = this.#find(command.job_id)
    await this.#stopOne(job, command, heardMs)
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

  async #stopOne(job: FileJob, command: StopJobCommand, heardMs: number): Promise<void> {
    const stopNs = timeNs(command.stop_time, '/stop_time')
    if (stopNs === undefined) {
      job.write.stopNow('stopped by command', command.abort ? 'abort' : 'now')
      job.job.to('stopping')
    } else {
      job.mayMove()
      job.write.setStop(stopNs)
    }
    await this.#remember(job, heardMs)
  }

  async configure(command: ConfigureJobsCommand, heardMs: number): Promise<Reply> {
    const job = this.#find(command.job_id)
    job.mayMove()
    const stopNs = timeNs(command.stop_time, '/stop_time') ?? null
    job.write.setStop(stopNs)
    await this.#remember(job, heardMs)
    const until = stopNs === null ? 'until it is stopped' : `until ${isoOfNs(stopNs)}`
    const result = { stop_time_ms: msOfNs(stopNs) }
    return { response: 'ACK', status: 200, message: `runs ${until}`, job_id: job.job.id, result, ...job.replyTopic }
  }

  show({ job_id: id }: ShowJobsCommand): Reply {
    if (id === undefined) {
      const jobs = [...this.#jobs.values()].map((job) => job.job.info())
      return { response: 'ACK', status: 200, message: `${jobs.length} jobs run`, result: { jobs } }
    }
    const info = this.#all.show(id)
    if (info === undefined) throw unknown(id)
    return { response: 'ACK', status: 200, message: String(info['state']), job_id: id, result: info }
  }

  #find(id: string | undefined): FileJob {
    if (id !== undefined) {
      const job = this.#jobs.get(id)
      if (job !== undefined) return job
      const message = this.#all.show(id)?.['message']
      if (typeof message !== 'string') throw unknown(id)
      throw new CodedError('JOB_ENDED', `job ${id} has ended: ${message}`, { path: '/job_id', fields: { job_id: id } })
    }
    const [only, ...others] = this.#jobs.values()
    if (only !== undefined && others.length === 0) return only
    const text = only === undefined ? 'no job runs' : `${this.#jobs.size} jobs run; say which by job_id`
    throw new CodedError('JOB_UNKNOWN', text, { path: '/job_id' })
  }
}

const unknown = (id: string): CodedError =>
  new CodedError('JOB_UNKNOWN', `no job ${id} runs here`, { path: '/job_id', fields: { job_id: id } })
