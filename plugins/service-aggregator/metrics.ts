// The state of the aggregator, for metrics.
import { metricsFrom, type Metric, type MetricTable } from '../../core/api/plugin.js'
import { type AggregatorProgress } from './thread/protocol.js'

export const metrics = {
  nexstream_aggregator_messages_total: { type: 'counter', help: 'Messages of boards that were read.' },
  nexstream_aggregator_frames_total: { type: 'counter', help: 'Whole frames.' },
  nexstream_aggregator_events_in_total: { type: 'counter', help: 'Events that boards have sent.' },
  nexstream_aggregator_events_total: { type: 'counter', help: 'Events of whole frames.' },
  nexstream_aggregator_frames_waiting: { type: 'gauge', help: 'Frames that wait for more.' },
  nexstream_aggregator_sent_total: { type: 'counter', help: 'Messages that Kafka has.' },
  nexstream_aggregator_run: {
    type: 'gauge',
    help: "The run so far, by the names of ISIS' diagnostics: frames, events, charge (µAh), rate (millions of events an hour); _PD: of the period.",
    labels: ['name']
  },
  nexstream_aggregator_lost_total: {
    type: 'counter',
    help: 'Frames without period or charge, their events, events and pulses that came late, and messages that are none, by reason.',
    labels: ['reason']
  }
} as const satisfies MetricTable
const metric = metricsFrom(metrics)

export const metricsOf = (progress: AggregatorProgress): Metric[] => [
  metric('nexstream_aggregator_messages_total', progress.messages),
  metric('nexstream_aggregator_frames_total', progress.frames),
  metric('nexstream_aggregator_events_in_total', progress.eventsIn),
  metric('nexstream_aggregator_events_total', progress.eventsOut),
  metric('nexstream_aggregator_frames_waiting', progress.waiting),
  metric('nexstream_aggregator_sent_total', progress.sent),
  ...Object.entries<number>({ ...progress.diagnostics }).map(([name, value]) =>
    metric('nexstream_aggregator_run', value, { name })
  ),
  ...Object.entries(progress.losses).map(([reason, n]) => metric('nexstream_aggregator_lost_total', n, { reason }))
]
