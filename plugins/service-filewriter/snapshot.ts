// The state of the file writer: for the JSON status, for heartbeats in the words of the field's writer, for metrics.
import { metricsFrom, type Metric, type MetricTable, type Snapshot } from '../../core/api/plugin.js'
import { type FileJob } from './file-job.js'
import { type OutputFolder } from './space.js'
import { type JobEnd, type JobProgress } from './thread/protocol.js'

interface Counted {
  /** The last one of the job. */
  readonly progress: Pick<JobProgress, 'written' | 'bytes' | 'bad'> | null
  readonly lastMessageMs: number
}

/** Sums over the jobs that have ended. */
export class ServiceTotals {
  done = 0
  failed = 0
  written = 0
  bytes = 0
  bad = 0
  /** What was not written, or worth a warning, by reason. */
  readonly reasons = new Map<string, number>()
  /** Of the last message that any job had read, in ms. */
  lastMessageMs = 0

  add({ progress, lastMessageMs }: Counted, { error, report }: JobEnd): void {
    this.lastMessageMs = Math.max(this.lastMessageMs, lastMessageMs)
    this[error ? 'failed' : 'done']++
    for (const key of ['written', 'bytes', 'bad'] as const) this[key] += progress?.[key] ?? 0
    for (const [reason, n] of Object.entries({ ...report?.losses, ...report?.warnings }))
      this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + n)
  }
}

export function snapshotOf(
  jobs: readonly FileJob[],
  ended: ServiceTotals,
  maxJobs: number,
  { healthy, trouble, free }: OutputFolder,
  threads: { detailed: boolean }
): Snapshot {
  return {
    state: jobs.length === 0 ? 'idle' : 'writing',
    healthy,
    trouble,
    ...(healthy || trouble === null ? {} : { not_ready: [trouble] }),
    disk_free_bytes: free ?? null,
    jobs_running: jobs.length,
    max_jobs: maxJobs,
    jobs_done: ended.done,
    jobs_failed: ended.failed,
    heartbeats: heartbeatsOf(jobs, maxJobs),
    metrics: [...metricsOf(jobs, ended), ...folderMetrics(healthy, free)],
    details: () => {
      threads.detailed = true
      return jobs.flatMap(({ write }) => write.progress?.details ?? [])
    }
  }
}

const idle = { state: 'idle', job_id: '', file_being_written: '', start_time: 0, stop_time: 0 }

/** One for each job on its control topic; on the usual topic those without one, or that a place is free. */
function heartbeatsOf(jobs: readonly FileJob[], maxJobs: number): NonNullable<Snapshot['heartbeats']> {
  const beats = jobs
    .filter((job) => job.announced)
    .map((job) => ({
      ...(job.controlTopic !== undefined && { topic: job.controlTopic }),
      content: job.heartbeat()
    }))
  const usual = beats.some(({ topic }) => topic === undefined)
  return usual || jobs.length >= maxJobs ? beats : [{ content: idle }, ...beats]
}

/** What Prometheus gets of the file writer. */
export const metrics = {
  nexstream_filewriter_jobs: { type: 'gauge', help: 'Jobs that run.' },
  nexstream_filewriter_messages_written_total: { type: 'counter', help: 'Messages written, by all jobs.' },
  nexstream_filewriter_bytes_read_total: { type: 'counter', help: 'Bytes of messages read from Kafka, by all jobs.' },
  nexstream_filewriter_last_message_timestamp_seconds: {
    type: 'gauge',
    help: 'When a job last got messages from Kafka; absent before the first.'
  },
  nexstream_filewriter_messages_behind: {
    type: 'gauge',
    help: 'Messages in Kafka that the jobs that run have not read yet.'
  },
  nexstream_filewriter_messages_bad_total: { type: 'counter', help: 'Bad messages met, by all jobs.' },
  nexstream_filewriter_counted_total: {
    type: 'counter',
    help: 'What the reports of the jobs that have ended count as lost or warn of, by reason.',
    labels: ['reason']
  },
  nexstream_filewriter_healthy: {
    type: 'gauge',
    help: '1: jobs can begin; 0: the output folder cannot be written to or its disk is full.'
  },
  nexstream_filewriter_disk_free_bytes: { type: 'gauge', help: 'Room on the disk of the output folder.' },
  nexstream_filewriter_jobs_ended_total: {
    type: 'counter',
    help: 'Jobs that have ended, by result (done, failed).',
    labels: ['result']
  }
} as const satisfies MetricTable
const metric = metricsFrom(metrics)

function folderMetrics(healthy: boolean, free: number | undefined): Metric[] {
  const room = free === undefined ? [] : [metric('nexstream_filewriter_disk_free_bytes', free)]
  return [metric('nexstream_filewriter_healthy', healthy ? 1 : 0), ...room]
}

function metricsOf(jobs: readonly FileJob[], ended: ServiceTotals): Metric[] {
  const sum = (key: 'written' | 'bytes' | 'behind' | 'bad'): number =>
    jobs.reduce((total, { write }) => total + (write.progress?.[key] ?? 0), 0)
  const everMs = Math.max(ended.lastMessageMs, ...jobs.map(({ write }) => write.lastMessageMs))
  return [
    metric('nexstream_filewriter_jobs', jobs.length),
    metric('nexstream_filewriter_messages_written_total', ended.written + sum('written')),
    metric('nexstream_filewriter_bytes_read_total', ended.bytes + sum('bytes')),
    metric('nexstream_filewriter_messages_behind', sum('behind')),
    metric('nexstream_filewriter_messages_bad_total', ended.bad + sum('bad')),
    ...(everMs > 0 ? [metric('nexstream_filewriter_last_message_timestamp_seconds', everMs / 1000)] : []),
    ...[...ended.reasons].map(([reason, n]) => metric('nexstream_filewriter_counted_total', n, { reason })),
    metric('nexstream_filewriter_jobs_ended_total', ended.done, { result: 'done' }),
    metric('nexstream_filewriter_jobs_ended_total', ended.failed, { result: 'failed' })
  ]
}
