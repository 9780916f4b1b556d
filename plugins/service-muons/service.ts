// A muon service as the main thread sees it: its thread and its state.
import { CodedError, type Metric, type Service, type ServiceContext, type Snapshot } from '../../core/api/plugin.js'
import { TopicsThread } from '../service-adara/topics-kit.js'
import { type MuonProgress, type OpenMuons } from './thread/protocol.js'

const nothing: MuonProgress = { messages: 0, sent: 0, frames: 0, incomplete: 0, waiting: 0, eventsIn: 0, events: 0, losses: {}, missing: [] } // prettier-ignore

export interface MuonServiceSetup<O> {
  readonly options: O
  readonly context: ServiceContext
  /** For `the thread of … has ended`. */
  readonly name: string
  readonly entry: URL
  /** What its status shows. */
  readonly shows: (progress: MuonProgress) => Readonly<Record<string, number>>
  readonly metricsOf: (progress: MuonProgress) => Metric[]
}

export class MuonService<O extends { readonly input_topic: string; readonly output_topic: string }> implements Service {
  readonly #setup: MuonServiceSetup<O>
  readonly #thread: TopicsThread<MuonProgress>

  constructor(setup: MuonServiceSetup<O>) {
    this.#setup = setup
    this.#thread = new TopicsThread(setup.context, setup.name, nothing)
  }

  /** Rejects with CONFIG_INVALID where it would read what it writes. */
  start(): Promise<void> {
    const { options, entry } = this.#setup
    if (options.input_topic === options.output_topic)
      return Promise.reject(
        new CodedError('CONFIG_INVALID', `topic ${options.input_topic} is read and written`, { path: '/output_topic' })
      )
    this.#thread.open(entry, { type: 'open', options } satisfies OpenMuons<O>)
    return Promise.resolve()
  }

  stop(): Promise<void> {
    return this.#thread.end()
  }

  snapshot(): Snapshot {
    const { progress, state, notReady } = this.#thread
    const { shows, metricsOf } = this.#setup
    return { state, ...shows(progress), losses: progress.losses, metrics: metricsOf(progress), ...notReady }
  }
}
