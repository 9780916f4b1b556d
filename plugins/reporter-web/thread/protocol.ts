// What the server of the page and its thread, which reads Kafka for it, say to each other.
import { type LogLevel } from '../../../core/api/plugin.js'
import { type GridView, type HistogramRow, type PeerRow, type Places, type PvRow } from '../wire.js'

export type ReadKind = 'histogram' | 'value' | 'peer'

/** What is asked of the messages of a topic. */
export type MessageQuestion =
  | { readonly type: 'topic'; readonly topic: string; readonly sinceMs?: number }
  | {
      readonly type: 'messages'
      readonly topic: string
      /** Undefined: the last ones. */
      readonly from: Places | undefined
      readonly to: Places | undefined
      readonly count: number
      /** Empty: any. */
      readonly schema: string
    }
  | { readonly type: 'message'; readonly topic: string; readonly partition: number; readonly offset: number }
/** How the pixels of a detector lie: x runs first, then y, then z. */
export interface Grid {
  readonly id: number
  readonly name: string
  readonly size: readonly [x: number, y: number, z: number]
  /** Least number of a pixel. */
  readonly first: number
  /** Place of each pixel from `first` on, -1 where there is none; null: one after the other. Shared memory. */
  readonly places: Int32Array | null
}
/** How a histogram becomes an image of a detector. */
export interface GridLayout {
  readonly grid: Grid
  readonly view: GridView
  /** Pixel of its first cell, where it has no axis of pixels. */
  readonly first: number
  /** Of an image, y runs first. */
  readonly isTurned: boolean
}
export interface HistogramQuestion {
  readonly type: 'histogram'
  readonly key: string
  readonly bin: number
  /** Undefined: as it came. */
  readonly layout: GridLayout | undefined
}
export type Question = HistogramQuestion | MessageQuestion

export type ToReading =
  /** Topics to read besides those that are read already. */
  | { readonly type: 'follow'; readonly topics: readonly { readonly topic: string; readonly kind: ReadKind }[] }
  | { readonly type: 'ask'; readonly ask: number; readonly question: Question }
  | { readonly type: 'end' }

export type FromReading =
  | { readonly type: 'histograms'; readonly rows: readonly HistogramRow[] }
  /** Those that have changed. */
  | { readonly type: 'values'; readonly rows: readonly PvRow[] }
  | { readonly type: 'peers'; readonly rows: readonly PeerRow[] }
  | { readonly type: 'answer'; readonly ask: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly ask: number; readonly status: number; readonly message: string }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string }
