// The bridge as the main thread sees it: its thread and its state.
import { readFileSync } from 'node:fs'
import {
  CodedError,
  type Metric,
  metricsFrom,
  type MetricTable,
  type Service,
  type ServiceContext,
  type Snapshot
} from '../../core/api/plugin.js'
import { TopicsThread } from '../service-adara/topics-kit.js'
import { type BridgeOptions, outputsOf } from './options.js'
import { type BridgeProgress, type OpenBridge } from './thread/protocol.js'

const nothing: BridgeProgress = { messages: 0, sent: 0, runs: 0, losses: {}, missing: [] }

export const metrics = {
  nexstream_bridge_mantid_messages_total: { type: 'counter', help: 'Messages that the bridge to Mantid has read.' },
  nexstream_bridge_mantid_sent_total: { type: 'counter', help: 'Messages that Kafka has of it.' },
  nexstream_bridge_mantid_lost_total: {
    type: 'counter',
    help: 'Messages that did not go on, by reason.',
    labels: ['reason']
  }
} as const satisfies MetricTable
const metric = metricsFrom(metrics)

const metricsOf = ({ messages, sent, losses }: BridgeProgress): Metric[] => [
  metric('nexstream_bridge_mantid_messages_total', messages),
  metric('nexstream_bridge_mantid_sent_total', sent),
  ...Object.entries(losses).map(([reason, n]) => metric('nexstream_bridge_mantid_lost_total', n, { reason }))
]

export class MantidBridge implements Service {
  readonly #options: BridgeOptions
  readonly #thread: TopicsThread<BridgeProgress>

  constructor(options: BridgeOptions, context: ServiceContext) {
    this.#options = options
    this.#thread = new TopicsThread(context, 'the bridge', nothing)
  }

  /** Rejects with FILE_READ without its geometry, CONFIG_INVALID where it would read what it writes. */
  start(): Promise<void> {
    const { geometry: file, runs, events, monitors, values, histograms } = this.#options
    const outputs: readonly string[] = Object.values(outputsOf(this.#options))
    const read = [runs, ...[...events, ...monitors, ...values, ...histograms].map(({ topic }) => topic)]
    const both = read.find((topic) => outputs.includes(topic))
    if (both !== undefined)
      return Promise.reject(
        new CodedError('CONFIG_INVALID', `topic ${both} is read and written; give another prefix`, { path: '/prefix' })
      )
    let geometry: string | undefined
    try {
      geometry = file === undefined ? undefined : readFileSync(file, 'utf8')
    } catch (cause) {
      const text = `the geometry ${file} cannot be read: ${(cause as Error).message}`
      return Promise.reject(new CodedError('FILE_READ', text, { cause }))
    }
    const first: OpenBridge = { type: 'open', options: this.#options, geometry }
    this.#thread.open(new URL('./thread/main.js', import.meta.url), first)
    return Promise.resolve()
  }

  stop(): Promise<void> {
    return this.#thread.end()
  }

  snapshot(): Snapshot {
    const { progress, state, notReady } = this.#thread
    const { messages, sent, runs, losses } = progress
    return { state, messages, sent, runs, losses, metrics: metricsOf(progress), ...notReady }
  }
}
