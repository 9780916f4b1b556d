// One accepted job: its thread, its place in the daemon's list, and what is told about it.
import { CodedError, type Job, type JobEnd, type JobInfo, type Ready, type WriteJob } from '../../core/plugin.js'
import { isoOfNs } from './times.js'

export class FileJob {
  ready: Ready | null = null
  end: JobEnd | null = null
  ended: Promise<void> = Promise.resolve()

  constructor(
    readonly job: Job,
    readonly write: WriteJob,
    readonly controlTopic: string | undefined,
    readonly metadata: unknown
  ) {}

  get replyTopic(): { reply_topic?: string } {
    return this.controlTopic === undefined ? {} : { reply_topic: this.controlTopic }
  }

  /** Throws when the stop time has passed: what came after it is gone from the job's sight. */
  mayMove(): void {
    const { stopNs } = this.write
    if (stopNs !== null && Number(stopNs / 1_000_000n) <= Date.now())
      throw new CodedError(
        'COMMAND_FAILED',
        `the stop time ${isoOfNs(stopNs)} of job ${this.job.id} has passed already`,
        {
          path: '/stop_time',
          fields: { job_id: this.job.id }
        }
      )
  }

  /** For `nexstream jobs` and the status. */
  info(): JobInfo {
    const { spec, progress, stopNs } = this.write
    const report = this.end?.report ?? null
    return {
      file_name: this.end?.file ?? this.ready?.file ?? spec.fileName,
      start_time: isoOfNs(spec.startNs),
      stop_time: isoOfNs(stopNs),
      ...progress,
      ...(report !== null && { report })
    }
  }
}
