// Writers as the core sees them: what one writes into is known to the service that opens it.
import { type Context, type JSONSchema, type Part } from './part.js'

/** Opened by a service for what one source sends. */
export interface OpenedByService extends Part<JSONSchema> {
  /** Schema ids whose decoded records it takes; [] for one that needs no topic and source. */
  readonly accepts: readonly string[]
  open(target: unknown, config: unknown, context: Context): object
}
