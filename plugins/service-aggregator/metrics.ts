// The state of the aggregator, for metrics.
import { metricsFrom, type Metric, type MetricTable } from '../../core/api/plugin.js'
import { type AggregatorProgress } from './thread/protocol.js'

/** As ISIS' own aggregator names them: with each label from the start, so that rates have a beginning. */
const isisMetrics = {
  aggregator_incoming_messages_processed: { type: 'counter', help: 'Messages that were understood (name of ISIS).', labels: ['schema'] }, // prettier-ignore
  aggregator_incoming_messages_dropped: { type: 'counter', help: 'Messages that were not (name of ISIS).', labels: ['reason'] }, // prettier-ignore
  aggregator_incoming_neutron_events: { type: 'counter', help: 'Events that boards have sent (name of ISIS).' },
  aggregator_outgoing_frames: { type: 'counter', help: 'Whole frames (name of ISIS).' },
  aggregator_outgoing_messages: { type: 'counter', help: 'Messages of whole frames (name of ISIS).', labels: ['schema'] }, // prettier-ignore
  aggregator_outgoing_neutron_events: { type: 'counter', help: 'Events of whole frames (name of ISIS).' },
  aggregator_outgoing_dropped_frames: { type: 'counter', help: 'Frames without period or charge (name of ISIS).', labels: ['reason'] }, // prettier-ignore
  aggregator_outgoing_dropped_neutron_events: { type: 'counter', help: 'Events that are in no whole frame (name of ISIS).' }, // prettier-ignore
  aggregator_outgoing_kafka_errors: { type: 'counter', help: 'Messages that Kafka did not take (name of ISIS).' },
  aggregator_queue_frames: { type: 'gauge', help: 'Frames that wait for more (name of ISIS).' }
} as const satisfies MetricTable
const isisMetric = metricsFrom(isisMetrics)

export const metrics = {
  ...isisMetrics,
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

export const isisMetricsOf = (progress: AggregatorProgress): Metric[] => [
  ...Object.entries(progress.read).map(([schema, n]) => isisMetric('aggregator_incoming_messages_processed', n, { schema })), // prettier-ignore
  ...Object.entries(progress.dropped).map(([reason, n]) => isisMetric('aggregator_incoming_messages_dropped', n, { reason })), // prettier-ignore
  isisMetric('aggregator_incoming_neutron_events', progress.eventsIn),
  isisMetric('aggregator_outgoing_frames', progress.frames),
  ...Object.entries(progress.made).map(([schema, n]) => isisMetric('aggregator_outgoing_messages', n, { schema })),
  isisMetric('aggregator_outgoing_neutron_events', progress.eventsOut),
  isisMetric('aggregator_outgoing_dropped_frames', progress.framesDropped, { reason: 'no_metadata' }),
  isisMetric('aggregator_outgoing_dropped_neutron_events', progress.eventsDropped),
  isisMetric('aggregator_outgoing_kafka_errors', progress.kafkaErrors),
  isisMetric('aggregator_queue_frames', progress.waiting)
]
