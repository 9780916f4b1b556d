// One accepted job: its thread, its place in the daemon's list, and what is told about it.
import { CodedError, type Job, type JobInfo, type Origin, type ServiceEvent } from '../../core/api/plugin.js'
import { type JobRun } from './journal.js'
import { shortened } from './short-report.js'
import { type Ready, type WriteJob } from './thread/job.js'
import { type JobEnd, type JobProgress } from './thread/protocol.js'
import { isoOfNs, msOfNs } from './times.js'

/** Without what is too much for a list. */
const plain = ({ details: _details, ...rest }: JobProgress): JobInfo => rest

export class FileJob {
  ready: Ready | null = null
  end: JobEnd | null = null
  ended: Promise<void> = Promise.resolve()
  /** Its start is answered: heartbeats may name it. */
  announced = false
  /** To be called when the answer to its start is sent. */
  answered: () => void = () => undefined
  /** Its place in the journal. */
  run: JobRun | undefined
  /** Another daemon has it: it is silent about its end. */
  handedOver = false

  constructor(
    readonly job: Job,
    readonly write: WriteJob,
    readonly controlTopic: string | undefined,
    readonly metadata: unknown
  ) {}

  get replyTopic(): { reply_topic?: string } {
    return this.controlTopic === undefined ? {} : { reply_topic: this.controlTopic }
  }

  /** For the answer to its start. */
  get files(): Readonly<Record<string, unknown>> {
    const { file, moreFiles } = this.ready ?? {}
    return { file_name: file, ...(moreFiles !== undefined && { more_files: moreFiles }) }
  }

  /** Where events of the job go. */
  origin(start: Origin): Origin {
    const { controlTopic } = this
    return controlTopic === undefined ? start : { ...start, topic: controlTopic, replyTopic: controlTopic }
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

  /** For `nexstream jobs` and the status; the whole report only in detail. */
  info(detail: boolean): JobInfo {
    const { spec, progress, stopNs } = this.write
    const report = this.end?.report ?? null
    const moreFiles = this.end?.moreFiles ?? this.ready?.moreFiles
    return {
      file_name: this.end?.file ?? this.ready?.file ?? spec.fileName,
      ...(moreFiles !== undefined && { more_files: [...moreFiles] }),
      start_time: isoOfNs(spec.startNs),
      stop_time: isoOfNs(stopNs),
      ...(spec.attempt !== 1 && { attempt: spec.attempt }),
      ...(progress !== null && plain(progress)),
      ...(report !== null && { verdict: report.verdict, lost: report.lost }),
      ...(report !== null && detail && { report })
    }
  }

  /** The one event that says how it ended. */
  endEvent(end: JobEnd): ServiceEvent {
    const { metadata } = this
    return {
      event: 'writing_done',
      job_id: this.job.id,
      file_name: end.file,
      ...(end.moreFiles !== undefined && { more_files: end.moreFiles }),
      error_encountered: end.error,
      message: end.message,
      verdict: end.report?.verdict ?? 'lost',
      report: end.report === null ? null : shortened(end.report),
      ...(metadata !== undefined && { metadata })
    }
  }

  /** In the words of the field's writer. */
  heartbeat(): Readonly<Record<string, unknown>> {
    const { spec, stopNs } = this.write
    return {
      state: 'writing',
      job_id: this.job.id,
      file_being_written: this.ready?.file ?? spec.fileName,
      start_time: msOfNs(spec.startNs) ?? 0,
      stop_time: msOfNs(stopNs) ?? 0
    }
  }
}

/** The end of a job that could not begin again. */
export const neverEvent = (id: string, name: unknown, message: string, metadata: unknown): ServiceEvent => ({
  ...{ event: 'writing_done', job_id: id, file_name: name, error_encountered: true, message },
  ...{ verdict: 'lost', report: null },
  ...(metadata !== undefined && { metadata })
})

/**
 * The control topic of a job; undefined for one that its start came by: there it is heard anyhow, and what is said of it goes where
 * answers of that topic go. Run control of ISIS names the topic of runs, on which listeners take nothing but starts and stops.
 */
export function ownTopic(named: unknown, { topic, take }: Origin): string | undefined {
  return typeof named !== 'string' || (named === topic && take === undefined) ? undefined : named
}
