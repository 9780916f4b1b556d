// From one partition's part of a Fetch response to batches of records.
import { FetchedBatch, type Lease } from './batch.js'
import { CodecError } from './codecs.js'
import { type FetchedPart } from './protocol.js'
import {
  type BatchHeader,
  BATCH_HEADER,
  RecordIndex,
  attribute,
  batchEnd,
  batchFault,
  batchHeader,
  indexRecords,
  inflate,
  readI64
} from './record-batch.js'

interface DecodeOptions {
  readonly checkCrc: boolean
  /** Bytes that one compressed batch may become. */
  readonly maxDecompressed?: number
  /** Indexes of released batches, to be used again. */
  readonly spare: RecordIndex[]
}

/** A batch is damaged where it has not been seen damaged before: worth fetching once more from this offset. */
interface Suspect {
  readonly suspect: number
}

/** What of a part can be used. */
export interface Usable {
  /** Holds complete batches only. */
  readonly part: FetchedPart
  /** Where to fetch on. */
  readonly next: number
  /** Where the batch begins that was left out because of its place; -1 without one. */
  readonly clash: number
  /** Leader epoch of the last batch. */
  readonly epoch: number
  /** Where the first batch of a later epoch than a given one begins; -1 without one. */
  readonly turn: number
}

/**
 * By the batches' headers alone: those in ascending order before the end that the broker names; undefined when there is
 * none. The checksum does not cover the base offset; a wrong one must not lead far away. A batch that was written while
 * the broker answered is left out, too.
 */
export function usable(part: FetchedPart, buffer: Buffer, knownEpoch = Infinity): Usable | undefined {
  let last = -1
  let clash = -1
  let epoch = -1
  let turn = -1
  let at = part.recordsStart
  for (;;) {
    const end = batchEnd(buffer, at, part.recordsEnd)
    if (end === undefined) break
    const { baseOffset, lastOffset } = batchHeader(buffer, at, end)
    if (baseOffset <= last) clash = baseOffset
    if (baseOffset <= last || lastOffset < baseOffset || lastOffset >= part.end) break
    if (lastOffset > Number.MAX_SAFE_INTEGER) break // The end may be damaged, too
    last = lastOffset
    epoch = buffer.readInt32BE(at + 12)
    if (epoch > knownEpoch && turn < 0) turn = baseOffset
    at = end
  }
  if (at === part.recordsStart) return undefined
  return { part: { ...part, recordsEnd: at }, next: last + 1, clash, epoch, turn }
}

/** Decodes step by step: as many uncompressed record batches as follow each other, or one compressed, per `next`. */
export class PartDecoder {
  readonly part: FetchedPart
  #at: number
  #next: number
  #skipped: Record<string, number> | undefined
  #aborting = new Set<bigint>()
  #abortedAt = 0
  /** Some batch was damaged: where it ended is not known for sure. */
  damaged = false

  /**
   * `from`: offset wanted; what lies before is left out. `suspect`: a damaged batch at this offset has been fetched twice
   * and is skipped now, counted by reason.
   */
  constructor(
    readonly source: Usable,
    readonly lease: Lease,
    from: number,
    readonly suspect: number | undefined,
    readonly options: DecodeOptions
  ) {
    this.part = source.part
    this.#at = this.part.recordsStart
    this.#next = from
  }

  get done(): boolean {
    return this.#at === this.part.recordsEnd
  }

  /** Undefined when no complete batch is left. */
  next(): FetchedBatch | Suspect | undefined {
    const { buffer } = this.lease
    const first = this.#at
    let index: RecordIndex | undefined
    while (!this.done) {
      const end = this.#at + 12 + buffer.readInt32BE(this.#at + 8)
      const header = batchHeader(buffer, this.#at, end)
      const fault = batchFault(buffer, header, this.options.checkCrc)
      if (fault !== undefined) {
        if (this.#next !== this.suspect && index === undefined && this.#skipped === undefined)
          return { suspect: this.#next }
        if (this.#next !== this.suspect) break // Hand out what is good first
        this.#skip(header, fault)
        continue
      }
      const compressed = (header.attributes & attribute.codec) !== 0
      const isAppendTime = (header.attributes & attribute.logAppendTime) !== 0
      if (index !== undefined && (compressed || index.isAppendTime !== isAppendTime)) break
      this.#at = end
      if (this.#isWanted(header)) {
        index ??= this.#index(buffer)
        if (compressed) this.#compressed(index, header)
        else if (!indexRecords(index, header, header.at + BATCH_HEADER, end, this.#next)) this.#count('records')
        index.isAppendTime = isAppendTime
      }
      this.#next = Math.max(this.#next, header.lastOffset + 1)
      if (compressed && index !== undefined) break
    }
    return this.#at === first ? undefined : this.#batch(index)
  }

  #batch(index: RecordIndex | undefined): FetchedBatch {
    const skipped = this.#skipped
    this.#skipped = undefined
    const { topic, partition, end } = this.part
    index ??= this.#index(this.lease.buffer)
    const place = { topic, partition, highWatermark: end, nextOffset: this.#next, skipped }
    return new FetchedBatch(place, index, this.options.spare, this.lease)
  }

  #index(buffer: Buffer): RecordIndex {
    const index = this.options.spare.pop() ?? new RecordIndex()
    index.reset(buffer)
    return index
  }

  #compressed(index: RecordIndex, header: BatchHeader): void {
    try {
      const data = inflate(this.lease.buffer, header, this.options.maxDecompressed)
      index.reset(data)
      if (!indexRecords(index, header, 0, data.length, this.#next)) this.#count('records')
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      this.#count(error.reason)
    }
  }

  #count(reason: string): void {
    this.#skipped ??= {}
    this.#skipped[reason] = (this.#skipped[reason] ?? 0) + 1
  }

  /**
   * Any word of the header may be damaged. Where two of three agree on the end, the offsets, the count of records and
   * the batch that follows, that holds; else the nearest: too near costs another look, too far would cost good records.
   */
  #skip(header: BatchHeader, reason: string): void {
    this.#count(reason)
    this.damaged = true
    this.#at = header.end
    const { clash } = this.source
    const follower = this.done ? clash : readI64(this.lease.buffer, this.#at)
    const last = header.lastOffset + 1
    const counted = header.baseOffset + Math.max(1, header.count)
    const ends = [last, counted]
    if (follower > this.#next) ends.push(follower)
    ends.sort((a, b) => a - b)
    // Compaction leaves fewer records than offsets, and gaps behind batches: nothing lies between the last offset and what follows.
    const isCompacted = counted <= last && last <= follower
    const end = isCompacted ? last : ends[1] === ends[2] ? ends[1]! : ends[0]!
    this.#next = Math.max(this.#next + 1, end)
    if (end !== follower) this.#at = this.part.recordsEnd // Fetched again from there
  }

  /** Control records are for us; records of aborted transactions are for nobody. */
  #isWanted(header: BatchHeader): boolean {
    const { aborted } = this.part
    for (; this.#abortedAt < aborted.length; this.#abortedAt++) {
      const { firstOffset, producerId } = aborted[this.#abortedAt]!
      if (firstOffset > header.lastOffset) break
      this.#aborting.add(producerId)
    }
    if ((header.attributes & attribute.control) !== 0) {
      this.#aborting.delete(header.producerId)
      return false
    }
    return (header.attributes & attribute.transactional) === 0 || !this.#aborting.has(header.producerId)
  }
}
