// A batch that another thread has read, checked and decompressed.
import { type Batch } from '../../../../core/api/plugin.js'
import { indexViews, type SentBatch } from './messages.js'

export class HandedBatch implements Batch {
  readonly topic: string
  readonly partition: number
  readonly count: number
  readonly highWatermark: number
  readonly nextOffset: number
  readonly skipped: Batch['skipped']
  readonly madeAgain: Batch['madeAgain']
  readonly truncated: Batch['truncated']
  readonly isAppendTime: boolean
  readonly bytes: DataView
  readonly #words: Float64Array
  readonly #spans: Int32Array
  #giveBack: (() => void) | undefined

  /** @param giveBack - called once */
  constructor(sent: SentBatch, giveBack: () => void) {
    this.topic = sent.topic
    this.partition = sent.partition
    this.count = sent.count
    this.highWatermark = sent.highWatermark
    this.nextOffset = sent.nextOffset
    this.skipped = sent.skipped
    this.madeAgain = sent.madeAgain
    this.truncated = sent.truncated
    this.isAppendTime = sent.isAppendTime
    this.bytes = new DataView(sent.memory, sent.start, sent.length)
    const { words, spans } = indexViews(sent.index, sent.count)
    this.#words = words
    this.#spans = spans
    this.#giveBack = giveBack
  }

  offset(i: number): number {
    return this.#words[2 * i]!
  }
  timestampMs(i: number): number {
    return this.#words[2 * i + 1]!
  }
  valueStart(i: number): number {
    return this.#spans[4 * i]!
  }
  valueEnd(i: number): number {
    return this.#spans[4 * i + 1]!
  }
  value(i: number): Buffer | null {
    return this.#view(4 * i)
  }
  key(i: number): Buffer | null {
    return this.#view(4 * i + 2)
  }
  release(): void {
    const giveBack = this.#giveBack
    this.#giveBack = undefined
    giveBack?.()
  }

  /** Null ends before it begins. */
  #view(at: number): Buffer | null {
    const [start, end] = [this.#spans[at]!, this.#spans[at + 1]!]
    if (this.#giveBack === undefined) throw new Error('this batch has been released')
    return end < start ? null : Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, end - start)
  }
}
