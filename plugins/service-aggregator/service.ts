// The aggregator as the main thread sees it: its thread and its state.
import { type Service, type ServiceContext, type Snapshot } from '../../core/api/plugin.js'
import { TopicsThread } from '../service-adara/topics-kit.js'
import { FrameDiagnostics } from './diagnostics.js'
import { isisMetricsOf, metricsOf } from './metrics.js'
import { type AggregatorOptions } from './options.js'
import { type AggregatorProgress, type OpenAggregator } from './thread/protocol.js'

const none = { ev44: 0, pu00: 0 }
const nothing: AggregatorProgress = {
  ...{ messages: 0, frames: 0, eventsIn: 0, eventsOut: 0, waiting: 0, sent: 0, losses: {}, missing: [] },
  ...{ read: none, made: none, eventsDropped: 0, framesDropped: 0, kafkaErrors: 0 },
  dropped: { no_payload: 0, failed_deserialize: 0, unknown_schema: 0 },
  diagnostics: new FrameDiagnostics(0).look(0)
}

export class Aggregator implements Service {
  readonly #options: AggregatorOptions
  readonly #thread: TopicsThread<AggregatorProgress>

  constructor(options: AggregatorOptions, context: ServiceContext) {
    this.#options = options
    this.#thread = new TopicsThread(context, 'the aggregator', nothing)
  }

  start(): Promise<void> {
    const first: OpenAggregator = { type: 'open', options: this.#options }
    this.#thread.open(new URL('./thread/main.js', import.meta.url), first)
    return Promise.resolve()
  }

  stop(): Promise<void> {
    return this.#thread.end()
  }

  snapshot(): Snapshot {
    const { progress, state, notReady } = this.#thread
    const { frames, eventsIn, eventsOut, waiting, losses, diagnostics } = progress
    return {
      state,
      frames,
      events_in: eventsIn,
      events: eventsOut,
      frames_waiting: waiting,
      losses,
      diagnostics: { ...diagnostics },
      metrics: [...metricsOf(progress), ...(this.#options.isis_metrics ? isisMetricsOf(progress) : [])],
      ...notReady
    }
  }
}
