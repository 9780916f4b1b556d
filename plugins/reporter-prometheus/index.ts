// Reporter: metrics of the daemon and its services for Prometheus, over HTTP on loopback unless configured otherwise.
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import {
  API,
  CodedError,
  definePlugin,
  defineReporter,
  type DaemonSnapshot,
  type Metric
} from '../../core/api/plugin.js'
import { daemonMetrics, metricsOf } from './daemon-metrics.js'

const reporter = defineReporter({
  id: 'prometheus',
  summary:
    'Serves metrics in the Prometheus text format at /metrics; for probes /healthz, /readyz and /health answer 200 or 503.',
  metrics: daemonMetrics,
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
  #snapshot: DaemonSnapshot | undefined
  #sinceMs = performance.now()
  readonly #process = new Registry()

  constructor() {
    // The default of 10 ms wakes the daemon 100 times a second, which is most of what it costs when it is idle
    collectDefaultMetrics({ register: this.#process, eventLoopMonitoringPrecision: 100 })
  }

  get snapshot(): DaemonSnapshot | undefined {
    return this.#snapshot
  }
  set snapshot(snapshot) {
    this.#snapshot = snapshot
    this.#sinceMs = performance.now()
  }

  /** Since the last snapshot; before the first one nothing is late. */
  get silentMs(): number {
    return this.#snapshot === undefined ? 0 : performance.now() - this.#sinceMs
  }

  /** The Prometheus text of now. */
  async text(): Promise<string> {
    const registry = new Registry()
    for (const metric of this.#snapshot === undefined ? [] : metricsOf(this.#snapshot)) add(registry, metric)
    return (await registry.metrics()) + (await this.#process.metrics())
  }
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

interface ProbeAnswer {
  readonly good: boolean
  readonly words: readonly string[]
}

/** Why it is not ready; one that starts has told nothing yet. */
function reasonsOf(snapshot: DaemonSnapshot | undefined): readonly string[] {
  return snapshot === undefined ? ['starting'] : (snapshot.not_ready ?? [])
}

/** So many intervals without a status, at least `LEAST_SILENT_MS`: it hangs, and only a new start helps. */
const SILENT_INTERVALS = 10
const LEAST_SILENT_MS = 60_000

/** `/healthz`: whether to restart it. `/readyz`: whether it does its work. `/health`: its state in one word. */
export const probes: Readonly<Record<string, (metrics: Pick<Metrics, 'snapshot' | 'silentMs'>) => ProbeAnswer>> = {
  '/healthz': ({ silentMs, snapshot }) => {
    const longestMs = Math.max(LEAST_SILENT_MS, SILENT_INTERVALS * (snapshot?.update_interval_ms ?? 0))
    const good = silentMs <= longestMs
    return { good, words: [good ? 'alive' : `no status since ${Math.round(silentMs / 1000)} s`] }
  },
  '/readyz': ({ snapshot }) => {
    const reasons = reasonsOf(snapshot)
    return reasons.length === 0 ? { good: true, words: ['ready'] } : { good: false, words: reasons }
  },
  '/health': ({ snapshot }) => {
    const state = snapshot?.state ?? 'starting'
    return { good: state === 'running', words: [state] }
  }
}

function serve(metrics: Metrics): Server {
  return createServer((request, response) => {
    const path = request.method === 'GET' || request.method === 'HEAD' ? request.url?.split('?')[0] : undefined
    const trouble = probes[path ?? '']?.(metrics)
    if (trouble !== undefined) {
      const said = trouble.words.map((line) => `${line}\n`).join('')
      response.writeHead(trouble.good ? 200 : 503, { 'content-type': 'text/plain; charset=utf-8' }).end(said)
      return
    }
    if (path !== '/metrics') {
      const where = 'metrics are at /metrics, probes at /healthz, /readyz and /health\n'
      response.writeHead(404, { 'content-type': 'text/plain' }).end(where)
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
