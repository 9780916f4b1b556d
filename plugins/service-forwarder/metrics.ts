// What Prometheus gets of the forwarder: sums only, never one number per PV.
import { metricsFrom, type Metric, type MetricTable, type Snapshot } from '../../core/api/plugin.js'

export const metrics = {
  nexstream_forwarder_streams: { type: 'gauge', help: 'Streams on the list.' },
  nexstream_forwarder_channels: { type: 'gauge', help: 'Channels opened here.' },
  nexstream_forwarder_channels_connected: { type: 'gauge', help: 'Channels that are connected.' },
  nexstream_forwarder_group_members: {
    type: 'gauge',
    help: 'Daemons that share the list, this one too; 1 without a group.'
  },
  nexstream_forwarder_updates_total: { type: 'counter', help: 'Updates received from channels.' },
  nexstream_forwarder_disconnects_total: { type: 'counter', help: 'Times a connected channel was lost.' },
  nexstream_forwarder_refused_total: {
    type: 'counter',
    help: 'Updates refused for their time, by reason (older than the one before, ahead of our clock).',
    labels: ['reason']
  },
  nexstream_forwarder_went_back_total: { type: 'counter', help: 'Updates sent although older than the one before.' },
  nexstream_forwarder_never_processed_total: { type: 'counter', help: 'Updates of records that were never processed.' },
  nexstream_forwarder_messages_total: { type: 'counter', help: 'Messages made for Kafka.' },
  nexstream_forwarder_acknowledged_total: { type: 'counter', help: 'Messages that Kafka acknowledged.' },
  nexstream_forwarder_superseded_total: {
    type: 'counter',
    help: 'Updates replaced by a newer one of their stream while Kafka was away or too slow.'
  },
  nexstream_forwarder_lost_total: { type: 'counter', help: 'Messages that were given up.' },
  nexstream_forwarder_repeated_total: { type: 'counter', help: 'Values sent again by the periodic repeat.' },
  nexstream_forwarder_convert_errors_total: { type: 'counter', help: 'Updates that no message could be made of.' },
  nexstream_forwarder_sent_bytes_total: { type: 'counter', help: 'Bytes of messages handed to Kafka.' },
  nexstream_forwarder_buffered_bytes: { type: 'gauge', help: 'Bytes that wait for an acknowledgement of Kafka.' },
  nexstream_forwarder_kept_bytes: { type: 'gauge', help: 'Bytes of lossless messages that wait beside them.' },
  nexstream_forwarder_overloads_total: { type: 'counter', help: 'Times the buffer was full.' }
} as const satisfies MetricTable
const metric = metricsFrom(metrics)

type Name = keyof typeof metrics
type Short<N> = N extends `nexstream_forwarder_${infer S}_total`
  ? S
  : N extends `nexstream_forwarder_${infer S}`
    ? S
    : never

/** Metrics that are a figure of the summary of the same name. */
const figures: readonly Short<Name>[] = [
  'streams', 'channels', 'updates', 'disconnects', 'went_back', 'never_processed', 'messages', 'acknowledged', 'superseded', 'lost',
  'repeated', 'convert_errors', 'sent_bytes', 'buffered_bytes', 'kept_bytes', 'overloads'
] // prettier-ignore

/** Metrics of a summary (status.ts). */
export function metricsOf(summary: Snapshot): Metric[] {
  const figure = (key: string): number => summary[key] as number
  const plain = figures.map((short) => {
    const name = `nexstream_forwarder_${short}`
    return metric((Object.hasOwn(metrics, name) ? name : `${name}_total`) as Name, figure(short))
  })
  const group = summary['group'] as { readonly members: readonly string[] } | undefined
  return [
    ...plain,
    metric('nexstream_forwarder_channels_connected', figure('connected')),
    metric('nexstream_forwarder_group_members', group?.members.length ?? 1),
    ...['older', 'ahead'].map((reason) => metric('nexstream_forwarder_refused_total', figure(reason), { reason }))
  ]
}
