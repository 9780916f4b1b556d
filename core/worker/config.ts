// What a worker thread needs to be like the daemon: the same plugins and the same Kafka. Plain data, cloned into the thread.
import { type LoadOptions } from '../loader.js'

export interface WorkerConfig {
  readonly load: LoadOptions
  /** Options of `connectKafka`. */
  readonly kafka: Readonly<Record<string, unknown>>
}
