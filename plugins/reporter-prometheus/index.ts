// Reporter: metrics of the daemon and its services for Prometheus, over HTTP on loopback unless configured otherwise.
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import {
  API,
  CodedError,
  definePlugin,
  defineReporter,
  metricsFrom,
  type DaemonSnapshot,
  type Metric,
  type MetricTable
} from '../../core/api/plugin.js'

const ownMetrics = {
  nexstream_build_info: {
    type: 'gauge',
    help: 'Version of nexstream and Node; always 1.',
    labels: ['version', 'node']
  },
  nexstream_kafka_connected: { type: 'gauge', help: '1 while a Kafka broker answers, else 0.' },
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
  nexstream_jobs: { type: 'gauge', help: 'Running and lately ended jobs by state.', labels: ['state'] }
} as const satisfies MetricTable
const metric = metricsFrom(ownMetrics)

const reporter = defineReporter({
  id: 'prometheus',
  summary:
    'Serves metrics in the Prometheus text format at /metrics; /health answers 200 while the daemon runs and Kafka answers, else 503.',
  metrics: ownMetrics,
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      host: {
        type: 'string',
        default: '127.0.0.1',
        description: 'Address to bind to; loopback unless you say otherwise.'
      },
      port: {
        type: 'integer',
        minimum: 0,
        maximum: 65535,
        default: 9464,
        description: 'Port; 0 takes a free one, which the log names.'
      }
    }
  },
  open({ host, port }, context) {
    const metrics = new Metrics()
    const server = serve(metrics)
    const failure = new Promise<never>((_, reject) => {
      server.on('error', (cause) =>
        reject(
          new CodedError('CONFIG_INVALID', `metrics cannot be served on ${host}:${port}: ${cause.message}`, {
            path: '/reporters/prometheus',
            cause
          })
        )
      )
    })
    failure.catch((error: Error) => context.log('error', error.message))
    const up = new Promise<void>((resolve) => {
      server.listen(port, host, () => {
        context.log('info', `metrics at http://${host}:${(server.address() as AddressInfo).port}/metrics`)
        resolve()
      })
    })
    // Raced once: each further race would stay in the memory of the promise that never settles
    const served = Promise.race([up, failure])
    served.catch(() => undefined) // Told by every report
    return {
      async report(snapshot) {
        metrics.snapshot = snapshot
        await served
      },
      close: () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        })
    }
  }
})

/** The newest snapshot as a registry. */
export class Metrics {
  snapshot: DaemonSnapshot | undefined
  readonly #process = new Registry()

  constructor() {
    collectDefaultMetrics({ register: this.#process })
  }

  /** The Prometheus text of now. */
  async text(): Promise<string> {
    const registry = new Registry()
    for (const metric of this.#all()) add(registry, metric)
    return (await registry.metrics()) + (await this.#process.metrics())
  }

  #all(): Metric[] {
    const { snapshot } = this
    if (snapshot === undefined) return []
    const { version, services, sources, jobs } = snapshot
    return [
      metric('nexstream_build_info', 1, { version, node: process.version }),
      metric('nexstream_kafka_connected', snapshot.kafka.connected ? 1 : 0),
      metric('nexstream_uptime_seconds', snapshot.uptime_s),
      ...Object.entries(services).map(([service, { state }]) =>
        metric('nexstream_service_state', 1, { service, state })
      ),
      ...(snapshot.plugin_errors ?? []).map(({ plugin, part, method, count }) =>
        metric('nexstream_plugin_errors_total', count, { plugin, part, method })
      ),
      ...Object.entries(snapshot.not_understood ?? {}).map(([kind, count]) =>
        metric('nexstream_commands_not_understood_total', count, { kind })
      ),
      ...[...countBy(jobs.map((job) => String(job['state'] as string)))].map(([state, count]) =>
        metric('nexstream_jobs', count, { state })
      ),
      ...[...Object.values(services), ...Object.values(sources ?? {})].flatMap(({ metrics = [] }) => metrics)
    ]
  }
}

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

function add(registry: Registry, { name, help, type, value, labels = {} }: Metric): void {
  const labelNames = Object.keys(labels)
  const known = registry.getSingleMetric(name)
  if (type === 'counter') {
    const counter = (known as Counter | undefined) ?? new Counter({ name, help, labelNames, registers: [registry] })
    counter.inc(labels, value)
  } else {
    const gauge = (known as Gauge | undefined) ?? new Gauge({ name, help, labelNames, registers: [registry] })
    gauge.set(labels, value)
  }
}

function serve(metrics: Metrics): Server {
  return createServer((request, response) => {
    const path = request.method === 'GET' ? request.url?.split('?')[0] : undefined
    if (path === '/health') {
      const state = metrics.snapshot?.state ?? 'starting'
      response.writeHead(state === 'running' ? 200 : 503, { 'content-type': 'text/plain' }).end(`${state}\n`)
      return
    }
    if (path !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('metrics are at /metrics, health at /health\n')
      return
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      (error: Error) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error.message}\n`)
    )
  })
}

export default definePlugin({
  name: 'reporter-prometheus',
  version: '1.0.0',
  api: API,
  summary: 'Metrics for Prometheus.',
  apply: (registry) => registry.reporter(reporter)
})
