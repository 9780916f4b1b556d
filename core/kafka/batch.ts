// What a reader hands out: an index of records over a network buffer that is given back by `release`.
import { type RecordIndex } from './record-batch.js'
import { type Batch } from '../api/kafka.js'

/** A network buffer shared by the batches made from it; `done` is called when the last has been released. */
export class Lease {
  #users = 0

  constructor(
    readonly buffer: Buffer,
    readonly done: () => void
  ) {}

  hold(): void {
    this.#users++
  }
  drop(): void {
    if (--this.#users === 0) this.done()
  }
}

type BatchPlace = Pick<Batch, 'topic' | 'partition' | 'highWatermark' | 'nextOffset' | 'skipped'>

export class FetchedBatch implements Batch {
  readonly topic: string
  readonly partition: number
  readonly highWatermark: number
  readonly nextOffset: number
  readonly skipped: Batch['skipped']
  readonly count: number
  madeAgain?: Batch['madeAgain']
  truncated?: Batch['truncated']
  #lease: Lease | undefined
  #index: RecordIndex
  readonly #spare: RecordIndex[]

  constructor(
    { topic, partition, highWatermark, nextOffset, skipped }: BatchPlace,
    index: RecordIndex,
    spare: RecordIndex[],
    lease: Lease | undefined
  ) {
    this.topic = topic
    this.partition = partition
    this.highWatermark = highWatermark
    this.nextOffset = nextOffset
    this.skipped = skipped
    this.count = index.count
    this.#index = index
    this.#spare = spare
    this.#lease = lease
    lease?.hold()
  }

  offset(i: number): number {
    return this.#index.offsets[i]!
  }
  timestampMs(i: number): number {
    return this.#index.timesMs[i]!
  }
  get isAppendTime(): boolean {
    return this.#index.isAppendTime
  }
  value(i: number): Buffer | null {
    return this.#index.view(2 * i + 1)
  }
  get bytes(): DataView {
    return this.#index.bytes
  }
  valueStart(i: number): number {
    return this.#index.spans[4 * i + 2]!
  }
  valueEnd(i: number): number {
    const { spans } = this.#index
    return spans[4 * i + 2]! + spans[4 * i + 3]!
  }
  key(i: number): Buffer | null {
    return this.#index.view(2 * i)
  }
  release(): void {
    const index = this.#index
    if (index === released) return
    this.#index = released
    this.#lease?.drop()
    this.#lease = undefined
    index.reset(EMPTY)
    if (this.#spare.length < 16) this.#spare.push(index)
  }
}

const EMPTY = Buffer.alloc(0)

/** Stands in after release: every access throws instead of reading a buffer that is used again. */
const released = new Proxy({} as RecordIndex, {
  get: () => {
    throw new Error('this batch has been released')
  }
})
