// The state of event formation: for metrics.
import { metricsFrom, type Metric, type MetricTable } from '../../core/api/plugin.js'
import { withoutZeros } from './form/counters.js'
import { type DetectorProgress } from './thread/protocol.js'

export const metrics = {
  nexstream_event_formation_detectors: { type: 'gauge', help: 'Detectors that are received.' },
  nexstream_event_formation_packets_total: { type: 'counter', help: 'Packets received.', labels: ['detector'] },
  nexstream_event_formation_bytes_total: { type: 'counter', help: 'Bytes of these packets.', labels: ['detector'] },
  nexstream_event_formation_events_total: { type: 'counter', help: 'Events formed.', labels: ['detector'] },
  nexstream_event_formation_delivered_total: {
    type: 'counter',
    help: 'Events in messages that Kafka has acknowledged.',
    labels: ['detector']
  },
  nexstream_event_formation_messages_total: { type: 'counter', help: 'Messages made.', labels: ['detector'] },
  nexstream_event_formation_late_total: {
    type: 'counter',
    help: 'Events before their pulse, and packets that came behind later ones.',
    labels: ['detector']
  },
  nexstream_event_formation_lost_total: {
    type: 'counter',
    help: 'What is lost, by reason: packets (kernel, queue, missing, faults), events (buffer, kafka) and raw copies (raw).',
    labels: ['detector', 'reason']
  },
  nexstream_event_formation_count_total: {
    type: 'counter',
    help: "Counters by the names of the field's program, those that are not 0.",
    labels: ['detector', 'counter']
  },
  nexstream_event_formation_send_buffered_bytes: {
    type: 'gauge',
    help: 'Bytes that wait for Kafka.',
    labels: ['detector']
  },
  nexstream_event_formation_receive_buffer_bytes: {
    type: 'gauge',
    help: 'What the kernel gave for packets that wait.',
    labels: ['detector']
  }
} as const satisfies MetricTable
const metric = metricsFrom(metrics)

/** @param all - by name of the detector; those that have ended stay, so that no counter goes back */
export function metricsOf(all: ReadonlyMap<string, DetectorProgress>, running: number): Metric[] {
  const made = [metric('nexstream_event_formation_detectors', running)]
  for (const [detector, progress] of all) {
    const of = { detector }
    made.push(
      metric('nexstream_event_formation_packets_total', progress.packets, of),
      metric('nexstream_event_formation_bytes_total', progress.bytes, of),
      metric('nexstream_event_formation_events_total', progress.events, of),
      metric('nexstream_event_formation_delivered_total', progress.deliveredEvents, of),
      metric('nexstream_event_formation_messages_total', progress.messages, of),
      metric('nexstream_event_formation_late_total', progress.late, of),
      metric('nexstream_event_formation_send_buffered_bytes', progress.sendBufferedBytes, of),
      metric('nexstream_event_formation_receive_buffer_bytes', progress.receiveBufferBytes, of)
    )
    for (const [reason, n] of Object.entries(progress.losses))
      made.push(metric('nexstream_event_formation_lost_total', n, { detector, reason }))
    for (const [counter, n] of Object.entries(withoutZeros(progress.counters)))
      made.push(metric('nexstream_event_formation_count_total', n, { detector, counter }))
  }
  return made
}
