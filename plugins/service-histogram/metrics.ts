// The state of the histogram service: for the status and for metrics.
import { metricsFrom, type Metric, type MetricTable } from '../../core/api/plugin.js'
import { type CountingProgress } from './thread/protocol.js'

export const metrics = {
  nexstream_histogram_jobs: { type: 'gauge', help: 'Jobs that run.' },
  nexstream_histogram_histograms: { type: 'gauge', help: 'Histograms that count.' },
  nexstream_histogram_memory_bytes: { type: 'gauge', help: 'Memory that the histograms are allowed for.' },
  nexstream_histogram_messages_total: { type: 'counter', help: 'Messages in the windows of all jobs.' },
  nexstream_histogram_bytes_total: { type: 'counter', help: 'Bytes of these messages.' },
  nexstream_histogram_events_total: { type: 'counter', help: 'Events decoded, of each topic once per job.' },
  nexstream_histogram_lost_total: {
    type: 'counter',
    help: 'Messages that were not counted, by reason (outside of the window, of another source or schema, broken).',
    labels: ['reason']
  },
  nexstream_histogram_sent_total: { type: 'counter', help: 'Histogram messages sent.' },
  nexstream_histogram_messages_behind: { type: 'gauge', help: 'Messages in Kafka that are not read yet.' },
  nexstream_histogram_jobs_ended_total: {
    type: 'counter',
    help: 'Jobs that have ended, by result (done, failed).',
    labels: ['result']
  }
} as const satisfies MetricTable
const metric = metricsFrom(metrics)

/** What a job adds to the counters. */
interface Counted {
  readonly messages: number
  readonly bytes: number
  readonly events: number
  readonly sent: number
  readonly losses: Readonly<Record<string, number>>
}

const nothing: Counted = { messages: 0, bytes: 0, events: 0, sent: 0, losses: {} }

function plus(total: Counted, { messages, bytes, events, histograms, losses: more }: CountingProgress): Counted {
  const losses: Record<string, number> = { ...total.losses }
  for (const [reason, n] of Object.entries(more)) losses[reason] = (losses[reason] ?? 0) + n
  return {
    messages: total.messages + messages,
    bytes: total.bytes + bytes,
    events: total.events + events,
    sent: histograms.reduce((sum, one) => sum + one.sent, total.sent),
    losses
  }
}

/** Of the jobs that have ended. */
export class HistogramTotals {
  done = 0
  failed = 0
  counted = nothing

  add(progress: CountingProgress, isError: boolean): void {
    this[isError ? 'failed' : 'done']++
    this.counted = plus(this.counted, progress)
  }
}

export function metricsOf(running: readonly CountingProgress[], totals: HistogramTotals, memory: number): Metric[] {
  const all = running.reduce(plus, totals.counted)
  const behind = running.reduce((total, one) => total + one.behind, 0)
  const histograms = running.reduce((total, one) => total + one.histograms.length, 0)
  return [
    metric('nexstream_histogram_jobs', running.length),
    metric('nexstream_histogram_histograms', histograms),
    metric('nexstream_histogram_memory_bytes', memory),
    metric('nexstream_histogram_messages_total', all.messages),
    metric('nexstream_histogram_bytes_total', all.bytes),
    metric('nexstream_histogram_events_total', all.events),
    metric('nexstream_histogram_sent_total', all.sent),
    metric('nexstream_histogram_messages_behind', behind),
    ...Object.entries(all.losses).map(([reason, n]) => metric('nexstream_histogram_lost_total', n, { reason })),
    metric('nexstream_histogram_jobs_ended_total', totals.done, { result: 'done' }),
    metric('nexstream_histogram_jobs_ended_total', totals.failed, { result: 'failed' })
  ]
}
