// The bridge as the main thread sees it: its thread and its state.
import { readFileSync } from 'node:fs'
import { type Worker } from 'node:worker_threads'
import {
  CodedError,
  endThread,
  type Metric,
  metricsFrom,
  type MetricTable,
  type Service,
  type ServiceContext,
  type Snapshot
} from '../../core/api/plugin.js'
import { type BridgeOptions, outputsOf } from './options.js'
import { type BridgeProgress, type FromBridge, type ToBridge } from './thread/protocol.js'

const STOP_MS = 15_000
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
  #worker: Worker | undefined
  #progress = nothing
  #failure: string | undefined

  readonly #options: BridgeOptions
  readonly #context: ServiceContext

  constructor(options: BridgeOptions, context: ServiceContext) {
    this.#options = options
    this.#context = context
  }

  /** Rejects with FILE_READ without its geometry, CONFIG_INVALID where it would read what it writes. */
  start(): Promise<void> {
    const { geometry: file, runs, events, monitors, values } = this.#options
    const outputs: readonly string[] = Object.values(outputsOf(this.#options))
    const read = [runs, ...[...events, ...monitors, ...values].map(({ topic }) => topic)]
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
    const worker = this.#context.thread(new URL('./thread/main.js', import.meta.url))
    this.#worker = worker
    worker.on('message', (message: FromBridge) => this.#hear(message))
    worker.on('error', (error) => this.#failed(error.message))
    worker.on('exit', () => {
      if (this.#worker !== undefined) this.#failed('the thread of the bridge has ended')
    })
    worker.postMessage({ type: 'open', options: this.#options, geometry } satisfies ToBridge)
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    if (worker !== undefined) await endThread(worker, { type: 'end' } satisfies ToBridge, STOP_MS)
  }

  snapshot(): Snapshot {
    const { messages, sent, runs, losses, missing } = this.#progress
    const trouble = this.#failure ?? (missing.length > 0 ? `topics ${missing.join(', ')} do not exist` : undefined)
    return {
      state: this.#failure === undefined ? 'running' : 'faulty',
      messages,
      sent,
      runs,
      losses,
      metrics: metricsOf(this.#progress),
      ...(trouble !== undefined && { not_ready: [trouble] })
    }
  }

  #hear(message: FromBridge): void {
    if (message.type === 'progress') this.#progress = message.progress
    else if (message.type === 'log') this.#context.log(message.level, message.message)
    else this.#failed(message.message)
  }

  #failed(why: string): void {
    this.#failure = why
    this.#context.log('error', why)
  }
}
