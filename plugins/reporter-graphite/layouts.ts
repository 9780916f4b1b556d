// What a snapshot is as Graphite paths: in the names of the field's programs (`ess`), or all metrics in ours (`nexstream`).
import { type DaemonSnapshot, type Detail, type Metric, type Snapshot } from '../../core/api/plugin.js'
import { metricsOf } from '../reporter-prometheus/daemon-metrics.js'

export type GraphiteLine = readonly [path: string, value: number]
export type GraphiteLayout = (snapshot: DaemonSnapshot, host: string) => GraphiteLine[]

/** Lower case, nothing that Graphite or a dashboard would trip over. */
const clean = (segment: string): string => segment.toLowerCase().replace(/[^a-z0-9_-]+/g, '_') || '_'
/** As it is, but for what would end the path or the line. */
const raw = (name: string): string => name.replace(/[\s\0-\x1f\x7f]+/g, '_')

export const nexstream: GraphiteLayout = (snapshot, host) => {
  const root = `nexstream.${clean(host)}.${clean(snapshot.service_id)}`
  return metricsOf(snapshot).map(({ name, value, labels = {} }) => {
    const segments = [name.replace(/^nexstream_/, ''), ...Object.values(labels)]
    return [`${root}.${segments.map(clean).join('.')}`, value]
  })
}

/** One root per role that the daemon has. */
export const ess: GraphiteLayout = (snapshot, host) => {
  const { filewriter, forwarder, event_formation: formation } = snapshot.services
  return [
    ...(filewriter === undefined ? [] : writerLines(snapshot, filewriter, host)),
    ...(forwarder === undefined ? [] : forwarderLines(snapshot, forwarder, host)),
    ...(formation === undefined ? [] : formationLines(formation))
  ]
}

/** All counters of each detector, below the path that it names. */
const formationLines = (formation: Snapshot): GraphiteLine[] =>
  (formation.details?.() ?? []).flatMap(({ of: { path = '' }, counts }) =>
    Object.entries(counts).map(([name, value]): GraphiteLine => [`${raw(path)}.${raw(name)}`, value])
  )

const dotless = (host: string): string => raw(host).replaceAll('.', '_')

/** Values of the metrics without labels by name; sums of those with labels. */
function totals(metrics: readonly Metric[] = []): (name: string) => number {
  const sums = new Map<string, number>()
  for (const { name, value } of metrics) sums.set(name, (sums.get(name) ?? 0) + value)
  return (name) => sums.get(`nexstream_${name}`) ?? 0
}

/** Integers, as kafka-to-nexus sends them. */
function writerLines(snapshot: DaemonSnapshot, writer: Snapshot, host: string): GraphiteLine[] {
  const root = `kafka-to-nexus.${dotless(host)}.${raw(snapshot.service_id)}`
  const of = totals(writer.metrics)
  const jobs = snapshot.jobs.filter(({ service, ended }) => service === 'filewriter' && ended === null)
  const bytes = jobs.reduce((sum, { file_bytes: size }) => sum + (typeof size === 'number' ? size : 0), 0)
  const own: Record<string, number> = {
    worker_state: of('filewriter_jobs') > 0 ? 1 : 0,
    filewriter_uptime: snapshot.uptime_s,
    total_writes_finished: of('filewriter_jobs_ended_total'),
    ...(jobs.length > 0 && { approx_file_size_mb: Math.round(bytes / 1e6) }),
    'stream.writer.writes_done': of('filewriter_messages_written_total'),
    'stream.writer.write_errors': of('filewriter_messages_bad_total'),
    'stream.writer.approx_queued_writes': of('filewriter_messages_behind')
  }
  // Of several jobs that read the same: the sums
  const sums = new Map<string, number>()
  for (const { of: what, counts } of writer.details?.() ?? [])
    for (const [name, value] of Object.entries(counts)) {
      const path = `${root}.${partitionPath(what)}.${name}`
      sums.set(path, (sums.get(path) ?? 0) + value)
    }
  return [...Object.entries(own).map(([name, value]): GraphiteLine => [`${root}.${name}`, value]), ...sums]
}

function partitionPath({ topic = '', partition = '', source, module }: Detail['of']): string {
  const path = `${raw(topic)}.partition_${partition}`
  return source === undefined ? path : `${path}.${raw(source)}_${raw(module ?? '')}`
}

/** The whole root is in lower case and without blanks, PV names are as they are. */
function forwarderLines(snapshot: DaemonSnapshot, forwarder: Snapshot, host: string): GraphiteLine[] {
  const root = `forwarder.${dotless(host)}.${snapshot.service_id.replace(/\s+/g, '')}`.toLowerCase()
  const of = totals(forwarder.metrics)
  const own: Record<string, number> = {
    pvs_subscribed: of('forwarder_channels'),
    processing_errors: of('forwarder_convert_errors_total'),
    successful_sends: of('forwarder_acknowledged_total'),
    send_buffer_errors: of('forwarder_superseded_total'),
    send_delivery_errors: of('forwarder_lost_total')
  }
  const latencies = (forwarder.details?.() ?? []).flatMap(
    ({ of: { latency = '', channel }, counts }): GraphiteLine[] => {
      const { sum = 0, count = 0 } = counts
      const path = [root, `${latency}_latency_seconds`, ...(channel === undefined ? [] : [raw(channel)])].join('.')
      return [[`${path}.sum`, sum], [`${path}.count`, count], [`${path}.average`, count === 0 ? 0 : sum / count]] // prettier-ignore
    }
  )
  return [...Object.entries(own).map(([name, value]): GraphiteLine => [`${root}.${name}`, value]), ...latencies]
}
