// What the main thread and the thread of the aggregator say to each other.
import { type RunDiagnostics } from '../diagnostics.js'
import { type AggregatorOptions } from '../options.js'

export interface AggregatorProgress {
  readonly messages: number
  readonly frames: number
  readonly eventsIn: number
  readonly eventsOut: number
  readonly waiting: number
  readonly sent: number
  readonly diagnostics: RunDiagnostics
  /** Messages by schema: those that were understood, and those of whole frames. */
  readonly read: Readonly<Record<'ev44' | 'pu00', number>>
  readonly made: Readonly<Record<'ev44' | 'pu00', number>>
  /** Messages that were not understood. */
  readonly dropped: Readonly<Record<'no_payload' | 'failed_deserialize' | 'unknown_schema', number>>
  /** Events that are in no whole frame. */
  readonly eventsDropped: number
  readonly framesDropped: number
  readonly kafkaErrors: number
  /** Frames, events and messages that did not become whole frames, by reason. */
  readonly losses: Readonly<Record<string, number>>
  /** Topics that do not exist. */
  readonly missing: readonly string[]
}

export interface OpenAggregator {
  readonly type: 'open'
  readonly options: AggregatorOptions
}
