// What a worker thread needs to load the same plugins and reach the same Kafka; survives structuredClone.
import { type LoadOptions } from '../../../core/loader.js'

export interface WorkerConfig extends LoadOptions {
  /** Options of `connectKafka`. */
  readonly kafka: Readonly<Record<string, unknown>>
}
