// Encoding of record batches (format v2): records are written once, into the buffer that goes to the socket.
import { crc32c } from '@node-rs/crc32'
import { type MessageHeaders } from '../api/kafka.js'
import { type Codec, codecs, compress } from './codecs.js'
import { type BufferPool } from './pool.js'
import { BATCH_HEADER } from './record-batch.js'

export type Delivered = (error: Error | null, offset: number) => void

/** Producer id, epoch and sequence number of the first record: what makes a repeated batch recognisable. */
export interface Stamp {
  readonly producerId: bigint
  readonly epoch: number
  readonly sequence: number
}

const SLACK = 32 // Length, attributes, deltas and lengths of one record at their largest

const varintSize = (v: number): number => (v < 0x80 ? 1 : v < 0x4000 ? 2 : v < 0x200000 ? 3 : v < 0x10000000 ? 4 : 5)

function putVarint(buffer: Buffer, at: number, value: number): number {
  while (value > 127) {
    buffer[at++] = (value & 127) | 128
    value >>>= 7
  }
  buffer[at] = value
  return at + 1
}

const zigzagLong = (v: number): number => (v < 0 ? -2 * v - 1 : 2 * v)

function varlongSize(v: number): number {
  let size = 1
  for (; v > 127; size++) v = Math.floor(v / 128)
  return size
}

function putVarlong(buffer: Buffer, at: number, value: number): number {
  for (; value > 127; value = Math.floor(value / 128)) buffer[at++] = (value % 128) | 128
  buffer[at] = value
  return at + 1
}

function copy(target: Buffer, at: number, bytes: Uint8Array): number {
  const { length } = bytes
  if (length < 24) for (let i = 0; i < length; i++) target[at + i] = bytes[i]!
  else target.set(bytes, at)
  return at + length
}

function headersSize(headers: MessageHeaders): number {
  let size = varintSize(headers.length * 2)
  for (const [name, value] of headers) {
    const length = Buffer.byteLength(name)
    size += varintSize(length * 2) + length + (value === null ? 1 : varintSize(value.length * 2) + value.length)
  }
  return size
}

function putHeaders(buffer: Buffer, at: number, headers: MessageHeaders): number {
  at = putVarint(buffer, at, headers.length * 2)
  for (const [name, value] of headers) {
    at = putVarint(buffer, at, Buffer.byteLength(name) * 2)
    at += buffer.write(name, at)
    at = value === null ? putVarint(buffer, at, 1) : copy(buffer, putVarint(buffer, at, value.length * 2), value)
  }
  return at
}

/** Of the record with this number. */
export interface Callback {
  readonly index: number
  readonly call: Delivered
}

/**
 * Tells where each record lies, counted from `offset`, or -1. An error of a callback is its owner's: it goes to `threw`, and
 * must not stop the delivery of others.
 */
export function notify(
  callbacks: readonly Callback[],
  error: Error | null,
  offset: number,
  threw: (thrown: unknown) => void
): void {
  for (let i = 0; i < callbacks.length;)
    try {
      while (i < callbacks.length) {
        const { index, call } = callbacks[i++]!
        call(error, offset < 0 ? -1 : offset + index)
      }
    } catch (thrown) {
      threw(thrown)
    }
}

export class BatchBuilder {
  count = 0
  /** Bytes that count against the producer's limit. */
  charged = 0
  stamp: Stamp | undefined
  /** No more records. */
  closed = false
  readonly callbacks: Callback[] = []
  /** Resolves when delivered or lost. */
  readonly settled: Promise<void>
  settle!: () => void
  #buffer: Buffer
  #at = BATCH_HEADER
  #baseTimeMs = 0
  #maxTimeMs = 0
  #wire: Buffer | undefined

  constructor(
    readonly pool: BufferPool,
    readonly openedMs: number,
    size: number
  ) {
    this.#buffer = pool.take(size)
    this.settled = new Promise((resolve) => (this.settle = resolve))
  }

  /** Encoded bytes so far. */
  get size(): number {
    return this.#at
  }

  /** Copies one record in. False when the batch would become larger than `maxBytes` and has records already. */
  append(
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    headers: MessageHeaders | undefined,
    maxBytes: number
  ): boolean {
    const { count } = this
    if (count === 0) this.#baseTimeMs = this.#maxTimeMs = timestampMs
    const time = zigzagLong(timestampMs - this.#baseTimeMs)
    const keyLength = key === null ? 0 : key.length
    const valueLength = value === null ? 0 : value.length
    const keyWord = key === null ? 1 : keyLength * 2
    const valueWord = value === null ? 1 : valueLength * 2
    const tail = headers === undefined ? 1 : headersSize(headers)
    const length =
      1 +
      varlongSize(time) +
      varintSize(count * 2) +
      varintSize(keyWord) +
      keyLength +
      varintSize(valueWord) +
      valueLength +
      tail
    const end = this.#at + length + SLACK
    if (count > 0 && end > maxBytes) return false
    if (end > this.#buffer.length) this.#grow(end)
    const buffer = this.#buffer
    let at = putVarint(buffer, this.#at, length * 2)
    buffer[at++] = 0 // Attributes
    at = time < 128 ? putVarint(buffer, at, time) : putVarlong(buffer, at, time)
    at = putVarint(buffer, at, count * 2)
    at = putVarint(buffer, at, keyWord)
    if (key !== null) at = copy(buffer, at, key)
    at = putVarint(buffer, at, valueWord)
    if (value !== null) at = copy(buffer, at, value)
    if (headers === undefined) buffer[at++] = 0
    else at = putHeaders(buffer, at, headers)
    this.#at = at
    if (timestampMs > this.#maxTimeMs) this.#maxTimeMs = timestampMs
    this.count = count + 1
    return true
  }

  #grow(bytes: number): void {
    const larger = this.pool.take(Math.max(bytes, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.pool.give(this.#buffer)
    this.#buffer = larger
  }

  /** The batch as it goes on the wire: the same bytes for the same stamp. Valid until `free`. */
  wire(codec: Codec, stamp: Stamp): Buffer {
    if (this.#wire && this.stamp === stamp) return this.#wire
    const wire = (this.#wire ??= this.#finish(codec))
    this.stamp = stamp
    wire.writeBigInt64BE(stamp.producerId, 43)
    wire.writeInt16BE(stamp.epoch, 51)
    wire.writeInt32BE(stamp.sequence, 53)
    wire.writeUInt32BE(crc32c(wire.subarray(21)), 17)
    return wire
  }

  #finish(codec: Codec): Buffer {
    this.closed = true
    const records = this.#buffer.subarray(BATCH_HEADER, this.#at)
    const packed = codec === 'none' ? undefined : compress(codec, records)
    // Kept beside the packed form: a batch that is too large for the broker is taken apart.
    const wire = packed
      ? Buffer.concat([this.#buffer.subarray(0, BATCH_HEADER), packed])
      : this.#buffer.subarray(0, this.#at)
    wire.fill(0, 0, 8)
    wire.writeInt32BE(wire.length - 12, 8)
    wire.writeInt32BE(-1, 12)
    wire[16] = 2
    wire.writeInt16BE(codecs.indexOf(codec), 21)
    wire.writeInt32BE(this.count - 1, 23)
    wire.writeBigInt64BE(BigInt(this.#baseTimeMs), 27)
    wire.writeBigInt64BE(BigInt(this.#maxTimeMs), 35)
    wire.writeInt32BE(this.count, 57)
    return wire
  }

  /** Two batches with the same records, without stamps. Callbacks move with their records; this one is free then. */
  split(): [BatchBuilder, BatchBuilder] {
    const half = this.count >> 1
    return this.#takeApart((i) => (i < half ? 0 : 1))
  }

  /** The records that are named and the others, as `split` does. */
  without(named: ReadonlySet<number>): [named: BatchBuilder, others: BatchBuilder] {
    return this.#takeApart((i) => (named.has(i) ? 0 : 1))
  }

  /** `partOf` tells for each record which part it goes to; none may stay empty. */
  #takeApart(partOf: (record: number) => 0 | 1): [BatchBuilder, BatchBuilder] {
    const parts: [BatchBuilder, BatchBuilder] = [this.#emptyPart(), this.#emptyPart()]
    /** Where each record has gone to. */
    const places: { readonly part: BatchBuilder; readonly index: number }[] = []
    let at = BATCH_HEADER
    for (let i = 0; i < this.count; i++) {
      const part = parts[partOf(i)]
      places.push({ part, index: part.count })
      at = part.#take(this.#buffer, at)
    }
    for (const { index, call } of this.callbacks) {
      const place = places[index]!
      place.part.callbacks.push({ index: place.index, call })
    }
    parts[0].charged = Math.floor((this.charged * parts[0].count) / this.count)
    parts[1].charged = this.charged - parts[0].charged
    void Promise.all(parts.map((part) => part.settled)).then(this.settle)
    this.free()
    return parts
  }

  #emptyPart(): BatchBuilder {
    const part = new BatchBuilder(this.pool, this.openedMs, this.#at)
    part.closed = true
    part.#baseTimeMs = this.#baseTimeMs
    part.#maxTimeMs = this.#maxTimeMs
    return part
  }

  /** Appends the encoded record that begins at `at`, with a number of its own here; returns where it ends. */
  #take(source: Buffer, at: number): number {
    const [word, body] = getVarint(source, at)
    const end = body + word / 2
    let timeEnd = body + 1
    while (source[timeEnd]! > 127) timeEnd++
    timeEnd++
    const [, rest] = getVarint(source, timeEnd)
    const delta = this.count++ * 2
    this.#at = putVarint(this.#buffer, this.#at, (timeEnd - body + varintSize(delta) + end - rest) * 2)
    this.#at += source.copy(this.#buffer, this.#at, body, timeEnd)
    this.#at = putVarint(this.#buffer, this.#at, delta)
    this.#at += source.copy(this.#buffer, this.#at, rest, end)
    return end
  }

  free(): void {
    this.pool.give(this.#buffer)
    this.#buffer = Buffer.alloc(0)
    this.#wire = undefined
  }
}

/** Value (not un-zigzagged) and where the next byte is. */
function getVarint(buffer: Buffer, at: number): [number, number] {
  let value = 0
  let shift = 0
  let byte: number
  do {
    byte = buffer[at++]!
    value |= (byte & 127) << shift
    shift += 7
  } while (byte > 127)
  return [value >>> 0, at]
}

/** Sequence numbers go from 2^31-1 to 0. */
export const addSequence = (sequence: number, count: number): number => (sequence + count) % 2147483648
