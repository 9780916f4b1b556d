// The metrics of the daemon itself, for every reporter that hands metrics on.
import { type DaemonSnapshot, type Metric, metricsFrom, type MetricTable } from '../../core/api/plugin.js'

export const daemonMetrics = {
  nexstream_build_info: {
    type: 'gauge',
    help: 'Version of nexstream and Node; always 1.',
    labels: ['version', 'node']
  },
  nexstream_kafka_connected: { type: 'gauge', help: '1 while a Kafka broker answers, else 0.' },
  nexstream_ready: { type: 'gauge', help: '1 while the daemon can do its work as it should, else 0.' },
  nexstream_uptime_seconds: { type: 'gauge', help: 'Time since the start of the daemon.' },
  nexstream_service_state: {
    type: 'gauge',
    help: 'State of each service: 1 for the one it is in.',
    labels: ['service', 'state']
  },
  nexstream_plugin_errors_total: {
    type: 'counter',
    help: 'What methods of plugins threw, or gave in place of what they must give.',
    labels: ['plugin', 'part', 'method']
  },
  nexstream_commands_not_understood_total: {
    type: 'counter',
    help: 'Messages on command topics that were in none of their dialects, by kind.',
    labels: ['kind']
  },
  nexstream_outlet_sent_total: {
    type: 'counter',
    help: 'Lines and messages that other servers took (graphite: metrics, gelf: log).',
    labels: ['outlet']
  },
  nexstream_outlet_dropped_total: {
    type: 'counter',
    help: 'Lines and messages given up, as their server was away or too slow.',
    labels: ['outlet']
  },
  nexstream_jobs: { type: 'gauge', help: 'Running and lately ended jobs by state.', labels: ['state'] }
} as const satisfies MetricTable
const metric = metricsFrom(daemonMetrics)

/** Of the daemon, its services, its sources, and what else puts metrics into the snapshot. */
export function metricsOf(snapshot: DaemonSnapshot): Metric[] {
  const { version, services, sources, outlets, jobs } = snapshot
  return [
    metric('nexstream_build_info', 1, { version, node: process.version }),
    metric('nexstream_kafka_connected', snapshot.kafka.connected ? 1 : 0),
    metric('nexstream_ready', snapshot.not_ready === undefined ? 1 : 0),
    metric('nexstream_uptime_seconds', snapshot.uptime_s),
    ...Object.entries(services).map(([service, { state }]) => metric('nexstream_service_state', 1, { service, state })),
    ...(snapshot.plugin_errors ?? []).map(({ plugin, part, method, count }) =>
      metric('nexstream_plugin_errors_total', count, { plugin, part, method })
    ),
    ...Object.entries(snapshot.not_understood ?? {}).map(([kind, count]) =>
      metric('nexstream_commands_not_understood_total', count, { kind })
    ),
    ...[...countBy(jobs.map((job) => String(job['state'] as string)))].map(([state, count]) =>
      metric('nexstream_jobs', count, { state })
    ),
    ...Object.entries(outlets ?? {}).flatMap(([outlet, { sent, dropped }]) => [
      metric('nexstream_outlet_sent_total', sent, { outlet }),
      metric('nexstream_outlet_dropped_total', dropped, { outlet })
    ]),
    ...[...Object.values(services), ...Object.values(sources ?? {})].flatMap(({ metrics = [] }) => metrics)
  ]
}

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
