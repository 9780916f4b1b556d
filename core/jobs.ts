// Jobs: one accepted start command each, with a state machine and an end that is reported exactly once.
import { CodedError } from './api/errors.js'
import { type Job, type JobInfo, type JobState, type Jobs } from './api/plugin.js'

/** Which states may follow which. */
const next: Readonly<Record<JobState, readonly JobState[]>> = {
  accepted: ['starting', 'stopping', 'failed'],
  starting: ['running', 'stopping', 'failed'],
  running: ['stopping', 'done', 'failed'],
  stopping: ['done', 'failed'],
  done: [],
  failed: []
}

const ended = (state: JobState): boolean => state === 'done' || state === 'failed'

interface Listeners {
  starting(job: Job): Promise<void>
  stopped(job: Job): Promise<void>
}

class RegisteredJob implements Job {
  state: JobState = 'accepted'
  message = ''
  endedAt: string | null = null
  /** It has run: what ends before is a refusal. */
  ran = false
  readonly startedAt = new Date().toISOString()

  constructor(
    readonly id: string,
    readonly service: string,
    readonly describe: (detail: boolean) => JobInfo,
    readonly onEnd: (job: RegisteredJob) => void
  ) {}

  /** Moves on; staying in the same state only changes the message. Throws on a forbidden step. */
  to(state: JobState, message = ''): void {
    if (state !== this.state && !next[this.state].includes(state))
      throw new Error(`job ${this.id}: ${this.state} -> ${state} is not a step of a job`)
    this.message = message || this.message
    if (state === this.state) return
    this.state = state
    this.ran ||= state === 'running'
    if (!ended(state)) return
    this.endedAt = new Date().toISOString()
    this.onEnd(this)
  }

  info(detail = false): JobInfo {
    return {
      job_id: this.id,
      service: this.service,
      state: this.state,
      message: this.message,
      started: this.startedAt,
      ended: this.endedAt,
      ...this.describe(detail)
    }
  }
}

/** All jobs of the daemon: the running ones and the last ended ones. */
export class JobRegistry implements Jobs {
  readonly #running = new Map<string, RegisteredJob>()
  readonly #ended: { readonly short: JobInfo; readonly all: JobInfo }[] = []

  constructor(
    readonly listeners: Listeners,
    readonly keep = 20
  ) {}

  /** Asks the plugins (hook `jobStarting`) and registers the job. Throws JOB_EXISTS or the refusal of a plugin. */
  async open(id: string, service: string, describe: (detail: boolean) => JobInfo): Promise<Job> {
    if (this.#running.has(id))
      throw new CodedError('JOB_EXISTS', `job ${id} is running already; stop it or use another job_id`)
    const job = new RegisteredJob(id, service, describe, (job) => this.#end(job))
    this.#running.set(id, job)
    try {
      await this.listeners.starting(job)
    } catch (error) {
      this.#running.delete(id)
      throw error
    }
    return job
  }

  get(id: string): Job | undefined {
    return this.#running.get(id)
  }

  /** Running jobs first, then the last ended ones, newest first. */
  list(): JobInfo[] {
    return [...[...this.#running.values()].map((job) => job.info()), ...this.#ended.map(({ short }) => short)]
  }

  show(id: string): JobInfo | undefined {
    return this.#running.get(id)?.info(true) ?? this.#ended.find(({ all }) => all['job_id'] === id)?.all
  }

  #end(job: RegisteredJob): void {
    this.#running.delete(job.id)
    // A refused start is no job: it must not hide the one of that name that has ended
    if (job.ran) this.#keep(job)
    void this.listeners.stopped(job)
  }

  #keep(job: RegisteredJob): void {
    this.#ended.unshift({ short: job.info(), all: job.info(true) })
    this.#ended.length = Math.min(this.#ended.length, this.keep)
  }
}
