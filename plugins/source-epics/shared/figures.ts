// What the clients count for all their channels, for the status and for metrics.
import { metricsFrom, type MetricTable, type Snapshot } from '../../../core/api/plugin.js'

export interface Figures {
  readonly channels: number
  readonly connected: number
  readonly searching: number
  readonly circuits: number
  readonly rxBytes: number
  readonly updates: number
  /** pvAccess only: updates in which the server had merged earlier ones that could not be sent in time. */
  readonly overruns?: number
}

const labels = ['protocol'] as const
export const metrics = {
  nexstream_epics_channels: { type: 'gauge', labels, help: 'Channels that are monitored.' },
  nexstream_epics_channels_connected: { type: 'gauge', labels, help: 'Channels that have a server.' },
  nexstream_epics_channels_searched: { type: 'gauge', labels, help: 'Channels that are looked for.' },
  nexstream_epics_connections: { type: 'gauge', labels, help: 'TCP connections to servers.' },
  nexstream_epics_received_bytes_total: { type: 'counter', labels, help: 'Bytes received from servers.' },
  nexstream_epics_updates_total: { type: 'counter', labels, help: 'Updates received from servers.' },
  nexstream_epics_overruns_total: {
    type: 'counter',
    labels,
    help: 'Updates in which a server says that it merged earlier ones (pvAccess; Channel Access and pvxs never say so).'
  }
} as const satisfies MetricTable
const metric = metricsFrom(metrics)

/** The part of the daemon's snapshot for one protocol. */
export function snapshotOf(protocol: string, figures: Figures): Snapshot {
  const { channels, connected, searching, circuits, rxBytes, updates, overruns = 0 } = figures
  return {
    state: 'running',
    channels,
    connected,
    searching,
    connections: circuits,
    received_bytes: rxBytes,
    updates,
    overruns,
    metrics: [
      metric('nexstream_epics_channels', channels, { protocol }),
      metric('nexstream_epics_channels_connected', connected, { protocol }),
      metric('nexstream_epics_channels_searched', searching, { protocol }),
      metric('nexstream_epics_connections', circuits, { protocol }),
      metric('nexstream_epics_received_bytes_total', rxBytes, { protocol }),
      metric('nexstream_epics_updates_total', updates, { protocol }),
      metric('nexstream_epics_overruns_total', overruns, { protocol })
    ]
  }
}
