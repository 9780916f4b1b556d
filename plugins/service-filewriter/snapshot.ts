// The state of the file writer: for the JSON status, for heartbeats in the words of the field's writer, for metrics.
import { type Metric, type Snapshot } from '../../core/plugin.js'
import { type FileJob } from './file-job.js'
import { msOfNs } from './times.js'

export function snapshotOf(
  jobs: readonly FileJob[],
  ended: { done: number; failed: number },
  maxJobs: number
): Snapshot {
  const [first] = jobs
  const state = first === undefined ? 'idle' : 'writing'
  const heartbeat =
    first === undefined
      ? { state, job_id: '', file_being_written: '', start_time: 0, stop_time: 0 }
      : {
          state,
          job_id: first.job.id,
          file_being_written: first.ready?.file ?? first.write.spec.fileName,
          start_time: msOfNs(first.write.spec.startNs) ?? 0,
          stop_time: msOfNs(first.write.stopNs) ?? 0
        }
  return {
    state,
    jobs_running: jobs.length,
    max_jobs: maxJobs,
    jobs_done: ended.done,
    jobs_failed: ended.failed,
    heartbeat,
    ...(first?.controlTopic !== undefined && { heartbeat_topic: first.controlTopic }),
    metrics: metricsOf(jobs, ended)
  }
}

function metricsOf(jobs: readonly FileJob[], ended: { done: number; failed: number }): Metric[] {
  const sum = (key: 'written' | 'bytes' | 'behind' | 'bad'): number =>
    jobs.reduce((total, { write }) => total + (write.progress?.[key] ?? 0), 0)
  const gauge = (name: string, help: string, value: number): Metric => ({
    name: `nexstream_filewriter_${name}`,
    help,
    type: 'gauge',
    value
  })
  const jobsEnded = (result: 'done' | 'failed'): Metric => ({
    name: 'nexstream_filewriter_jobs_ended_total',
    help: 'Jobs that have ended.',
    type: 'counter',
    value: ended[result],
    labels: { result }
  })
  return [
    gauge('jobs', 'Jobs that run.', jobs.length),
    gauge('messages_written', 'Messages written by the jobs that run.', sum('written')),
    gauge('bytes_read', 'Bytes read from Kafka by the jobs that run.', sum('bytes')),
    gauge('messages_behind', 'Messages in Kafka that the jobs have not read yet.', sum('behind')),
    gauge('messages_bad', 'Bad messages met by the jobs that run.', sum('bad')),
    jobsEnded('done'),
    jobsEnded('failed')
  ]
}
