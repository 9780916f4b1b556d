// What a job's thread and its fetch threads say to each other.
import {
  type Batch,
  type CodedError,
  type LogLevel,
  type Place,
  type ReaderOptions
} from '../../../../core/api/plugin.js'

export type ToFetcher =
  | { readonly type: 'open'; readonly reader: number; readonly options: Omit<ReaderOptions, 'signal'> }
  | ({ readonly type: 'add'; readonly reader: number } & Required<Place>)
  | { readonly type: 'pause'; readonly reader: number; readonly topic: string; readonly partition: number }
  | { readonly type: 'release'; readonly reader: number; readonly batch: number }
  | { readonly type: 'close'; readonly reader: number }

export type FromFetcher =
  | { readonly type: 'log'; readonly reader: number; readonly level: LogLevel; readonly message: string }
  | { readonly type: 'batch'; readonly reader: number; readonly batch: SentBatch }
  | { readonly type: 'failed'; readonly reader: number; readonly code: CodedError['code']; readonly message: string }
  | { readonly type: 'closed'; readonly reader: number }

type BatchHead = Pick<
  Batch,
  'topic' | 'partition' | 'count' | 'highWatermark' | 'nextOffset' | 'skipped' | 'madeAgain' | 'truncated'
>

export interface SentBatch extends BatchHead {
  readonly isAppendTime: boolean
  /** What the release names. */
  readonly id: number
  /** `start` and `length` of all values in `memory`. */
  readonly memory: SharedArrayBuffer
  readonly start: number
  readonly length: number
  /** Per record offset, time in ms, and where value and key begin and end: 2 float64 each, then 4 int32 each. */
  readonly index: ArrayBuffer
}

/** Bytes of the index of a record. */
export const INDEX_BYTES = 32

/** Views of an index of so many records. */
export function indexViews(
  index: ArrayBuffer,
  count: number
): { readonly words: Float64Array; readonly spans: Int32Array } {
  return { words: new Float64Array(index, 0, 2 * count), spans: new Int32Array(index, 16 * count, 4 * count) }
}
