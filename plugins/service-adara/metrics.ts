// The state of the live stream: for the status and for metrics.
import { metricsFrom, type Metric, type MetricTable } from '../../core/api/plugin.js'
import { type LiveProgress } from './thread/protocol.js'

export const metrics = {
  nexstream_adara_clients: { type: 'gauge', help: 'Clients of the live stream (ADARA).' },
  nexstream_adara_clients_cut_total: {
    type: 'counter',
    help: 'Clients that were cut off, as they did not read or said no hello.'
  },
  nexstream_adara_sent_bytes_total: { type: 'counter', help: 'Bytes sent to all clients.' },
  nexstream_adara_waiting_bytes: { type: 'gauge', help: 'Bytes that wait for clients to read.' },
  nexstream_adara_messages_total: { type: 'counter', help: 'Messages read from Kafka for the live stream.' },
  nexstream_adara_pulses_total: { type: 'counter', help: 'Pulses of the live stream.' },
  nexstream_adara_events_total: { type: 'counter', help: 'Events of the live stream.' },
  nexstream_adara_values_total: { type: 'counter', help: 'Values of the live stream.' },
  nexstream_adara_lost_total: {
    type: 'counter',
    help: 'Messages and events that are not in the live stream, by reason; `late`: pulses sent in a packet of their own.',
    labels: ['reason']
  }
} as const satisfies MetricTable
const metric = metricsFrom(metrics)

export function metricsOf(live: LiveProgress): Metric[] {
  return [
    metric('nexstream_adara_clients', live.clients.length),
    metric('nexstream_adara_clients_cut_total', live.cutClients),
    metric('nexstream_adara_sent_bytes_total', live.sentBytes),
    metric('nexstream_adara_waiting_bytes', live.clients.reduce((sum, one) => sum + one.waiting_bytes, 0)), // prettier-ignore
    metric('nexstream_adara_messages_total', live.messages),
    metric('nexstream_adara_pulses_total', live.pulses),
    metric('nexstream_adara_events_total', live.events),
    metric('nexstream_adara_values_total', live.values),
    ...Object.entries(live.losses).map(([reason, n]) => metric('nexstream_adara_lost_total', n, { reason }))
  ]
}
