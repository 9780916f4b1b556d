// The state of the muon services, for metrics.
import { metricsFrom, type Metric, type MetricTable } from '../../core/api/plugin.js'
import { type MuonProgress } from './thread/protocol.js'

const lost = (what: string) =>
  ({ type: 'counter', help: `${what} that did not go on, by reason.`, labels: ['reason'] }) as const

export const eventMetrics = {
  nexstream_muon_events_messages_total: { type: 'counter', help: 'Messages with traces that were read.' },
  nexstream_muon_events_sent_total: { type: 'counter', help: 'Messages with events of a digitiser that Kafka has.' },
  nexstream_muon_events_total: { type: 'counter', help: 'Events found in traces.' },
  nexstream_muon_events_lost_total: lost('Messages')
} as const satisfies MetricTable
const eventMetric = metricsFrom(eventMetrics)

export const eventMetricsOf = ({ messages, sent, events, losses }: MuonProgress): Metric[] => [
  eventMetric('nexstream_muon_events_messages_total', messages),
  eventMetric('nexstream_muon_events_sent_total', sent),
  eventMetric('nexstream_muon_events_total', events),
  ...Object.entries(losses).map(([reason, n]) => eventMetric('nexstream_muon_events_lost_total', n, { reason }))
]

export const frameMetrics = {
  nexstream_muon_frames_messages_total: { type: 'counter', help: 'Messages of digitisers that were read.' },
  nexstream_muon_frames_sent_total: { type: 'counter', help: 'Messages with frames that Kafka has.' },
  nexstream_muon_frames_total: { type: 'counter', help: 'Frames of all digitisers.' },
  nexstream_muon_frames_incomplete_total: { type: 'counter', help: 'Frames among them without some digitiser.' },
  nexstream_muon_frames_waiting: { type: 'gauge', help: 'Frames that wait for digitisers.' },
  nexstream_muon_frames_events_total: { type: 'counter', help: 'Events of frames.' },
  nexstream_muon_frames_lost_total: lost('Messages, and events (`events_…`),')
} as const satisfies MetricTable
const frameMetric = metricsFrom(frameMetrics)

export const frameMetricsOf = ({
  messages,
  sent,
  frames,
  incomplete,
  waiting,
  events,
  losses
}: MuonProgress): Metric[] => [
  // prettier-ignore
  frameMetric('nexstream_muon_frames_messages_total', messages),
  frameMetric('nexstream_muon_frames_sent_total', sent),
  frameMetric('nexstream_muon_frames_total', frames),
  frameMetric('nexstream_muon_frames_incomplete_total', incomplete),
  frameMetric('nexstream_muon_frames_waiting', waiting),
  frameMetric('nexstream_muon_frames_events_total', events),
  ...Object.entries(losses).map(([reason, n]) => frameMetric('nexstream_muon_frames_lost_total', n, { reason }))
]
