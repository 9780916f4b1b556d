// docs/reference/metrics.md: the metrics that sources, services and reporters declare.
import { type Host } from '../../core/host.js'
import { type MetricTable } from '../../core/api/plugin.js'
import { code, type Page, reference, table } from './markdown.js'

const intro = `Served by the reporter [prometheus](../../plugins/reporter-prometheus/README.md), on loopback port 9464 unless configured otherwise, and sent by the reporter [graphite](../../plugins/reporter-graphite/README.md). Numbers per PV or
per source are not metrics: they are in the status. Beside these stand the metrics of the Node process (\`process_…\`, \`nodejs_…\`).`

/** Declared tables by the part that declares them. */
export function metricTables(host: Host): ReadonlyMap<string, MetricTable> {
  const tables = (['reporter', 'service', 'source'] as const).flatMap((kind) =>
    host.ids(kind).map((id) => {
      const part = host.part(kind, id) as { readonly metrics?: MetricTable } | undefined
      return [`${kind} ${id}`, part?.metrics ?? {}] as const
    })
  )
  return new Map(tables.filter(([, metrics]) => Object.keys(metrics).length > 0))
}

export function metricsPage(host: Host): Page {
  const parts = [...metricTables(host)].map(([part, metrics]) => {
    const rows = Object.entries(metrics).map(([name, { type, labels = [], help }]) => [
      code(name),
      type,
      labels.map(code).join(', '),
      help
    ])
    return `## ${part}\n\n${table([['metric', 'type', 'labels', 'meaning'], ...rows])}`
  })
  return reference('metrics', 'Metrics', 'the `metrics` of sources, services and reporters', intro, ...parts)
}
