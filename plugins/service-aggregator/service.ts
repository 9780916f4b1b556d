// The aggregator as the main thread sees it: its thread and its state.
import { type Worker } from 'node:worker_threads'
import { endThread, type Service, type ServiceContext, type Snapshot } from '../../core/api/plugin.js'
import { metricsOf } from './metrics.js'
import { type AggregatorOptions } from './options.js'
import { type AggregatorProgress, type FromAggregator, type ToAggregator } from './thread/protocol.js'

const STOP_MS = 15_000

const nothing: AggregatorProgress = { messages: 0, frames: 0, eventsIn: 0, eventsOut: 0, waiting: 0, sent: 0, losses: {}, missing: [] } // prettier-ignore

export class Aggregator implements Service {
  #worker: Worker | undefined
  #progress = nothing
  #failure: string | undefined

  readonly #options: AggregatorOptions
  readonly #context: ServiceContext

  constructor(options: AggregatorOptions, context: ServiceContext) {
    this.#options = options
    this.#context = context
  }

  start(): Promise<void> {
    const worker = this.#context.thread(new URL('./thread/main.js', import.meta.url))
    this.#worker = worker
    worker.on('message', (message: FromAggregator) => this.#hear(message))
    worker.on('error', (error) => this.#failed(error.message))
    worker.on('exit', () => {
      if (this.#worker !== undefined) this.#failed('the thread of the aggregator has ended')
    })
    worker.postMessage({ type: 'open', options: this.#options } satisfies ToAggregator)
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    if (worker !== undefined) await endThread(worker, { type: 'end' } satisfies ToAggregator, STOP_MS)
  }

  snapshot(): Snapshot {
    const { frames, eventsIn, eventsOut, waiting, losses, missing } = this.#progress
    const trouble = this.#failure ?? (missing.length > 0 ? `topics ${missing.join(', ')} do not exist` : undefined)
    return {
      state: this.#failure === undefined ? 'running' : 'faulty',
      frames,
      events_in: eventsIn,
      events: eventsOut,
      frames_waiting: waiting,
      losses,
      metrics: metricsOf(this.#progress),
      ...(trouble !== undefined && { not_ready: [trouble] })
    }
  }

  #hear(message: FromAggregator): void {
    if (message.type === 'progress') this.#progress = message.progress
    else if (message.type === 'log') this.#context.log(message.level, message.message)
    else this.#failed(message.message)
  }

  #failed(why: string): void {
    this.#failure = why
    this.#context.log('error', why)
  }
}
