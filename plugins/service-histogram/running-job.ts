// A job as the service sees it, and what is said of it.
import { CodedError, type Job, type JobInfo, type Origin } from '../../core/api/plugin.js'
import { type HistogramSpec } from './spec.js'
import { type CountingProgress, type JobSpec } from './thread/protocol.js'

export interface RunningJob {
  readonly job: Job
  readonly spec: JobSpec
  readonly origin: Origin
  progress: CountingProgress
  readonly bytes: number
  /** Where it begins is known; rejects when it is refused. */
  readonly ready: Promise<void>
  accept: () => void
  refuse: (error: Error) => void
  readonly ended: Promise<void>
  end: () => void
}

const noop = (): void => undefined

export const unknown = (id: string): CodedError =>
  new CodedError('JOB_UNKNOWN', `no job ${id} runs here`, { path: '/job_id', fields: { job_id: id } })

export const reportOf = ({ jobId: _id, behind: _behind, behindMs: _ms, ...rest }: CountingProgress): JobInfo => ({
  ...rest
})

export function infoOf({ progress, spec }: RunningJob): JobInfo {
  const { startMs, stopMs } = spec
  const lag = { behind: progress.behind, behind_s: Math.round(progress.behindMs / 100) / 10 }
  const histograms = progress.histograms.map((one) => {
    const of = spec.histograms.find(({ id, topic }) => id === one.id && topic === one.topic)
    return of === undefined ? one : { ...one, ...inputOf(of) }
  })
  return { start_time_ms: startMs, stop_time_ms: stopMs, ...reportOf(progress), ...lag, histograms }
}

/** What it counts, and how its pixels lie. */
const inputOf = ({ kind, data_topic, source, firstPixel, turned, tofEdges }: HistogramSpec): object => {
  const input = { kind, data_topic, source, ...(tofEdges !== null && { tof_range: [tofEdges[0], tofEdges.at(-1)] }) }
  return kind === 'image' ? { ...input, first_pixel: firstPixel, order: turned ? 'xy' : 'yx' } : input
}

export function runningJob(job: Job, spec: JobSpec, origin: Origin): RunningJob {
  let [accept, end] = [noop, noop]
  let refuse: (error: Error) => void = noop
  const ready = new Promise<void>((resolve, reject) => ([accept, refuse] = [resolve, reject]))
  ready.catch(noop) // The thread may be gone before anybody waits
  const ended = new Promise<void>((resolve) => (end = resolve))
  const histograms = spec.histograms.map(({ id, topic }) => {
    return { id, topic, state: 'INITIALISED' as const, sum: 0, rate: 0, sent: 0, outside: 0 }
  })
  const progress = {
    jobId: job.id,
    messages: 0,
    bytes: 0,
    events: 0,
    losses: {},
    behind: 0,
    behindMs: 0,
    histograms,
    sources: []
  }
  const bytes = spec.histograms.reduce((sum, one) => sum + one.bytes, 0)
  return { job, spec, origin, progress, bytes, ready, accept, refuse, ended, end }
}
