// What the server of the page and its thread, which reads Kafka for it, say to each other.
import { type LogLevel } from '../../../core/api/plugin.js'
import { type HistogramRow, type PvRow } from '../wire.js'

export type ReadKind = 'histogram' | 'value'

export type ToReading =
  /** Topics to read besides those that are read already. */
  | { readonly type: 'follow'; readonly topics: readonly { readonly topic: string; readonly kind: ReadKind }[] }
  | { readonly type: 'histogram'; readonly ask: number; readonly key: string; readonly bin: number }
  | { readonly type: 'end' }

export type FromReading =
  | { readonly type: 'histograms'; readonly rows: readonly HistogramRow[] }
  /** Those that have changed. */
  | { readonly type: 'values'; readonly rows: readonly PvRow[] }
  | { readonly type: 'answer'; readonly ask: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly ask: number; readonly status: number; readonly message: string }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string }
