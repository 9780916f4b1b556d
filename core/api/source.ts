// Sources: parts that yield updates.
import { type MetricTable } from './metrics.js'
import { type Context, erase, type JSONSchema, type Options, type Part } from './part.js'
import { type Update } from './records.js'

/** One open channel of a source. */
export interface Subscription {
  close(): void | Promise<void>
  /** Sources that make their own data as fast as asked: stop until `resume`. At most the update under way is still emitted. */
  pause?(): void
  resume?(): void
}

/** A part that yields updates, e.g. EPICS Channel Access (`ca`), one `open` per channel. Runs in the main thread. */
export interface SourcePart<C extends JSONSchema = JSONSchema> extends Part<C> {
  /** Metrics that its plugin adds to `sources` of the snapshot. */
  readonly metrics?: MetricTable
  /**
   * `emit` is called synchronously for every update, in order per channel. The receiver may keep updates:
   * a source never changes or reuses what it emitted, unless the receiver gives it back.
   */
  open(config: Options<C>, context: Context, emit: (update: Update) => void): Subscription
}

export const defineSource = <const C extends JSONSchema>(part: SourcePart<C>): SourcePart => erase(part)
