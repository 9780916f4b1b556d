// Decoding of record batches (format v2) into an index of where each record's key and value lie; nothing is copied.
import { crc32c } from '@node-rs/crc32'
import { CodecError, codecs, decompress } from './codecs.js'

/** Bytes before the records. */
export const BATCH_HEADER = 61

export const attribute = { codec: 7, logAppendTime: 8, transactional: 16, control: 32 } as const

/** Reads an int64 that fits a double. */
export const readI64 = (buffer: Buffer, at: number): number =>
  buffer.readInt32BE(at) * 4294967296 + buffer.readUInt32BE(at + 4)

const EMPTY = Buffer.alloc(0)

/** A Buffer in all but its constructor: made in half the time of `subarray`, the largest single cost of reading. */
class View extends Uint8Array {}
Object.setPrototypeOf(View.prototype, Buffer.prototype as object)

/** Offset, time, key and value position of records in one buffer. Used again and again: grows, never shrinks. */
export class RecordIndex {
  buffer: Buffer = EMPTY
  count = 0
  /** Of all its records. */
  isAppendTime = false
  offsets = new Float64Array(64)
  timesMs = new Float64Array(64)
  /** Per record: key start, key length, value start, value length; length -1 is null. */
  spans = new Int32Array(256)

  #bytes: DataView | undefined
  #memory = EMPTY.buffer
  #base = 0

  reset(buffer: Buffer): void {
    this.buffer = buffer
    this.#memory = buffer.buffer as ArrayBuffer
    this.#base = buffer.byteOffset
    this.#bytes = undefined
    this.count = 0
    this.isAppendTime = false
  }

  get bytes(): DataView {
    return (this.#bytes ??= new DataView(this.#memory, this.#base, this.buffer.length))
  }

  /** The key of record n is span 2n, its value span 2n + 1. */
  view(span: number): Buffer | null {
    const at = span * 2
    const length = this.spans[at + 1]!
    return length < 0 ? null : (new View(this.#memory, this.#base + this.spans[at]!, length) as Buffer)
  }

  reserve(more: number): void {
    const wanted = this.count + more
    if (wanted <= this.offsets.length) return
    const size = Math.max(wanted, this.offsets.length * 2)
    const grown = [new Float64Array(size), new Float64Array(size)] as const
    grown[0].set(this.offsets)
    grown[1].set(this.timesMs)
    const spans = new Int32Array(size * 4)
    spans.set(this.spans)
    ;[this.offsets, this.timesMs] = grown
    this.spans = spans
  }
}

/** Header of the batch at `at`, which must be completely in the buffer. */
export interface BatchHeader {
  readonly at: number
  /** Where the next batch begins. */
  readonly end: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly attributes: number
  /** What the times of the records count from, ms; with LogAppendTime the broker's time, which holds for all. */
  readonly baseTimeMs: number
  readonly producerId: bigint
  readonly count: number
}

/** Undefined when the batch is cut off; its length alone is checked. */
export function batchEnd(buffer: Buffer, at: number, end: number): number | undefined {
  if (end - at < BATCH_HEADER) return undefined
  const length = buffer.readInt32BE(at + 8)
  if (length < BATCH_HEADER - 12 || length > end - at - 12) return undefined
  return at + 12 + length
}

export function batchHeader(buffer: Buffer, at: number, end: number): BatchHeader {
  const baseOffset = readI64(buffer, at)
  const attributes = buffer.readInt16BE(at + 21)
  return {
    at,
    end,
    baseOffset,
    lastOffset: baseOffset + buffer.readInt32BE(at + 23),
    attributes,
    baseTimeMs: readI64(buffer, at + ((attributes & attribute.logAppendTime) !== 0 ? 35 : 27)),
    producerId: buffer.readBigInt64BE(at + 43),
    count: buffer.readInt32BE(at + 57)
  }
}

/** Why a batch cannot be used; undefined when header and checksum are good. */
export function batchFault(buffer: Buffer, header: BatchHeader, checkCrc: boolean): string | undefined {
  if (buffer[header.at + 16] !== 2) return 'old_format'
  if (checkCrc && crc32c(buffer.subarray(header.at + 21, header.end)) !== buffer.readUInt32BE(header.at + 17))
    return 'crc'
  if ((header.attributes & attribute.codec) >= codecs.length) return 'codec'
  if (header.count < 0 || header.count > header.lastOffset - header.baseOffset + 1) return 'records'
  return undefined
}

/** The records' bytes of a compressed batch. Throws CodecError. */
export function inflate(buffer: Buffer, header: BatchHeader, limit?: number): Buffer {
  const codec = codecs[header.attributes & attribute.codec]
  if (codec === undefined) throw new CodecError('codec', 'unknown compression')
  return decompress(codec, buffer.subarray(header.at + BATCH_HEADER, header.end), limit)
}

/** The smallest record: length, attributes, time, offset, key, value and header count of one byte each. */
const SMALLEST_RECORD = 7
/** Ten bytes; more would make times that are no numbers. */
const LONGEST_VARLONG = 128 ** 10

/**
 * Appends the records in `index.buffer` from `start` to `end` with offset >= `from` to the index.
 * False when they are malformed: those before the fault are in the index.
 */
// eslint-disable-next-line max-lines-per-function -- the hottest loop of all: varints are read in line
export function indexRecords(
  index: RecordIndex,
  header: BatchHeader,
  start: number,
  end: number,
  from: number
): boolean {
  const { count, baseOffset, lastOffset, baseTimeMs } = header
  const { buffer } = index
  if (count * SMALLEST_RECORD > end - start) return false
  index.reserve(count)
  const { offsets, timesMs, spans } = index
  const appendTime = (header.attributes & attribute.logAppendTime) !== 0
  let n = index.count
  let at = start
  let byte = 0
  for (let i = 0; i < count; i++) {
    let value = 0
    let shift = 0
    do {
      byte = buffer[at++]!
      value |= (byte & 127) << shift
      shift += 7
    } while (byte > 127)
    const recordEnd = at + ((value >>> 1) ^ -(value & 1))
    if (recordEnd > end || recordEnd < at + SMALLEST_RECORD - 1) return finish(index, n, false)
    at++ // Attributes
    value = shift = 0
    do {
      byte = buffer[at++]!
      value |= (byte & 127) << shift
      shift += 7
    } while (byte > 127 && shift < 28)
    let time = (value >>> 1) ^ -(value & 1)
    if (byte > 127) {
      time = value
      let scale = 2 ** 28
      do {
        byte = buffer[at++]!
        time += (byte & 127) * scale
        scale *= 128
      } while (byte > 127)
      if (scale > LONGEST_VARLONG) return finish(index, n, false)
      time = time % 2 === 1 ? -(time + 1) / 2 : time / 2
    }
    value = shift = 0
    do {
      byte = buffer[at++]!
      value |= (byte & 127) << shift
      shift += 7
    } while (byte > 127)
    const offset = baseOffset + ((value >>> 1) ^ -(value & 1))
    value = shift = 0
    do {
      byte = buffer[at++]!
      value |= (byte & 127) << shift
      shift += 7
    } while (byte > 127)
    const keyLength = (value >>> 1) ^ -(value & 1)
    const keyStart = at
    if (keyLength > 0) at += keyLength
    value = shift = 0
    do {
      byte = buffer[at++]!
      value |= (byte & 127) << shift
      shift += 7
    } while (byte > 127)
    const valueLength = (value >>> 1) ^ -(value & 1)
    // The record must hold key, value and the count of headers; the headers themselves are jumped over.
    if (keyLength < -1 || valueLength < -1 || at + Math.max(valueLength, 0) >= recordEnd) return finish(index, n, false)
    if (offset < baseOffset || offset > lastOffset) return finish(index, n, false)
    if (offset >= from) {
      offsets[n] = offset
      timesMs[n] = appendTime ? baseTimeMs : baseTimeMs + time
      const s = n * 4
      spans[s] = keyStart
      spans[s + 1] = keyLength
      spans[s + 2] = at
      spans[s + 3] = valueLength
      n++
    }
    at = recordEnd
  }
  return finish(index, n, true)
}

function finish(index: RecordIndex, count: number, sound: boolean): boolean {
  index.count = count
  return sound
}
