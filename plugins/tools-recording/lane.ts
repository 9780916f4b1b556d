// One partition on its way into the order of time: what of it has come and waits for earlier messages of others.
import { type Batch, headersOf } from '../../core/api/plugin.js'
import { type RecordedMessage } from './recorded.js'

/** What a partition did not give; each counts messages, but `skipped`, which counts batches by reason. */
export interface LaneReport {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly next: number
  readonly messages: number
  /** Deleted by retention before they were read. */
  readonly expired: number
  /** Offsets without a message: compaction, marks of transactions, aborted ones. */
  readonly empty: number
  /** Lost with a topic that was made again, or with a leader. */
  readonly gone: number
  /** Taken without their headers, which cannot be read. */
  readonly badHeaders: number
  /** Offsets before the end that were not read: it was stopped. */
  readonly left: number
  readonly skipped: Readonly<Record<string, number>>
}

/** Messages that came together, in memory of their own: a reader stops when too many of its buffers are kept. */
interface Held {
  readonly messages: readonly RecordedMessage[]
  readonly bytes: number
  readonly nextOffset: number
}

export class ReadLane {
  readonly counts = { messages: 0, expired: 0, empty: 0, gone: 0, badHeaders: 0 }
  readonly skipped: Record<string, number> = {}
  readonly #held: Held[] = []
  #bytes = 0
  /** In the first of those that are held. */
  #at = 0
  end = Infinity
  /** Offset up to which all was handed on. */
  taken: number
  isPaused = false

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly from: number,
    /** Offset of what comes next from the broker. */
    public next: number,
    public isCaughtUp: boolean
  ) {
    this.taken = from
  }

  get isDone(): boolean {
    return this.#held.length === 0 && this.next >= this.end
  }
  get heldBytes(): number {
    return this.#bytes
  }
  /** More is there and has not come yet: what is later in other partitions must wait. */
  get isBehind(): boolean {
    return this.#held.length === 0 && !this.isCaughtUp && this.next < this.end
  }
  /** Its next message; undefined without one. */
  get head(): RecordedMessage | undefined {
    return this.#held[0]?.messages[this.#at]
  }

  /** The next message has been handed on, or is none of those wanted. */
  step(): void {
    const [held] = this.#held
    if (held === undefined) return
    this.taken = held.messages[this.#at]!.offset + 1
    if (++this.#at < held.messages.length) return
    this.#held.shift()
    this.#at = 0
    this.#bytes -= held.bytes
    this.taken = held.nextOffset
  }

  /** Copies what is in the batch, and gives it back. */
  hold(batch: Batch): void {
    const { count, nextOffset, skipped, madeAgain, truncated } = batch
    if (madeAgain !== undefined) this.counts.gone += madeAgain.unread
    else if (truncated !== undefined) this.counts.gone += truncated.unread
    else if (skipped === undefined) this.counts.empty += Math.max(0, nextOffset - this.next - count)
    for (const [reason, n] of Object.entries(skipped ?? {}))
      if (reason === 'offset_out_of_range') this.counts.expired += n
      else this.skipped[reason] = (this.skipped[reason] ?? 0) + n
    this.next = nextOffset
    this.isCaughtUp = nextOffset >= batch.highWatermark
    if (count > 0) {
      const messages = Array.from({ length: count }, (_, i) => this.#messageOf(batch, i))
      const bytes = messages.reduce(
        (sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0) + OVERHEAD,
        0
      )
      this.#held.push({ messages, bytes, nextOffset })
      this.#bytes += bytes
    } else if (this.#held.length === 0) this.taken = nextOffset
    batch.release()
  }

  report(): LaneReport {
    const { topic, partition, from, taken, end, counts, skipped } = this
    const left = end === Infinity ? 0 : Math.max(0, end - taken)
    return { topic, partition, from, next: Math.min(taken, end), ...counts, left, skipped }
  }

  #messageOf(batch: Batch, i: number): RecordedMessage {
    const headers = headersOf(batch, i)
    if (headers === undefined) this.counts.badHeaders++
    return {
      topic: this.topic,
      partition: this.partition,
      offset: batch.offset(i),
      timestampMs: batch.timestampMs(i),
      isAppendTime: batch.isAppendTime === true,
      key: copy(batch.key(i)),
      headers: headers?.map(([name, value]) => [name, copy(value)] as const) ?? [],
      value: copy(batch.value(i))
    }
  }
}

/** What a message costs besides its content. */
const OVERHEAD = 300

const copy = (bytes: Uint8Array | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes))
