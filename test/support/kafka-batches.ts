// Record batches as a broker stores and serves them, for tests of the decoder.
import assert from 'node:assert/strict'
import { crc32c } from '@node-rs/crc32'
import { headersOf } from '../../core/api/headers.js'
import { type MessageHeaders } from '../../core/api/kafka.js'
import { BatchBuilder } from '../../core/kafka/batch-builder.js'
import { Lease } from '../../core/kafka/batch.js'
import { type Codec } from '../../core/kafka/codecs.js'
import { PartDecoder, usable } from '../../core/kafka/decode.js'
import { BufferPool } from '../../core/kafka/pool.js'
import { type FetchedPart } from '../../core/kafka/protocol.js'

export interface TestRecord {
  key: Uint8Array | null
  value: Uint8Array | null
  time: number
  headers?: MessageHeaders
}
export const pool = new BufferPool(1 << 20)

/** The batch as a broker would store it at `baseOffset`. */
export function encode(records: readonly TestRecord[], codec: Codec = 'none', baseOffset = 0): Buffer {
  const builder = new BatchBuilder(pool, 0, 0)
  for (const { key, value, time, headers } of records)
    assert.ok(builder.append(key, value, time, headers, Number.MAX_SAFE_INTEGER))
  return place(Buffer.from(builder.wire(codec, { producerId: -1n, epoch: -1, sequence: -1 })), baseOffset)
}
export function place(batch: Buffer, baseOffset: number): Buffer {
  batch.writeBigInt64BE(BigInt(baseOffset), 0)
  return batch
}
/** Changes the part that the checksum covers and makes the checksum right again. */
export function forge(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  change(batch)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}
export const part = (bytes: Buffer, start = 0, end = 2e15, aborted: FetchedPart['aborted'] = []): FetchedPart => ({
  ...{ topic: 't', partition: 0, error: 0, end, logStart: 0, diverged: -1, aborted },
  ...{ recordsStart: start, recordsEnd: bytes.length }
})
export interface Served {
  readonly from?: number
  /** First offset after the log. */
  readonly end?: number
  readonly aborted?: FetchedPart['aborted']
  readonly maxDecompressed?: number
  /** Offset after each batch → where the next one begins: what the broker knows of the log, damaged or not. */
  readonly layout?: readonly (readonly [next: number, at: number])[]
}
export const layoutOf = (log: Buffer): [number, number][] => {
  const layout: [number, number][] = []
  for (let at = 0; at + 61 <= log.length;) {
    const last = Number(log.readBigInt64BE(at)) + log.readInt32BE(at + 23)
    at += 12 + log.readInt32BE(at + 8)
    layout.push([last + 1, at])
  }
  return layout
}

/** All that a reader at `from` would hand out of what a broker serves, damaged batches skipped. */
export function decode(bytes: Buffer, { from = 0, end, aborted, maxDecompressed = 1 << 26, layout = [] }: Served = {}) {
  const out: { offset: number; time: number; key: Buffer | null; value: Buffer | null; headers: MessageHeaders | undefined; isAppendTime: boolean }[] = [] // prettier-ignore
  const skipped: { [reason: string]: number } = {}
  const copy = (b: Buffer | null): Buffer | null => (b === null ? null : Buffer.from(b))
  let freed = 0
  let next = from
  let suspect: number | undefined
  for (;;) {
    const start = layout.filter(([after]) => after <= next).at(-1)?.[1] ?? 0
    const found = usable(part(bytes, start, end, aborted), bytes)
    if (found === undefined || (found.next <= next && layout.length > 0)) {
      if (start >= bytes.length || layout.length === 0) return { out, skipped, next }
      skipped['header'] = (skipped['header'] ?? 0) + 1
      next++
      continue
    }
    const lease = new Lease(bytes, () => freed++)
    lease.hold()
    const options = { checkCrc: true, maxDecompressed, spare: [] }
    const decoder = new PartDecoder(found, lease, next, suspect, options)
    suspect = undefined
    for (let batch = decoder.next(); batch !== undefined && suspect === undefined; batch = decoder.next()) {
      if ('suspect' in batch) {
        assert.notEqual(batch.suspect, decoder.suspect, 'a batch that was seen twice is skipped')
        suspect = batch.suspect
        break
      }
      for (let i = 0; i < batch.count; i++)
        out.push({
          offset: batch.offset(i),
          time: batch.timestampMs(i),
          key: copy(batch.key(i)),
          value: copy(batch.value(i)),
          headers: headersOf(batch, i)?.map(([name, text]) => [name, text && Buffer.from(text)]),
          isAppendTime: batch.isAppendTime
        })
      for (const [reason, n] of Object.entries(batch.skipped ?? {})) skipped[reason] = (skipped[reason] ?? 0) + n
      assert.ok(batch.nextOffset >= next)
      next = batch.nextOffset
      batch.release()
    }
    lease.drop()
    assert.equal(freed, 1, 'the buffer is given back once')
    freed = 0
    if (suspect === undefined && layout.length === 0) return { out, skipped, next }
  }
}

export const some = (text: string, n: number): TestRecord[] =>
  Array.from({ length: n }, (_, i) => ({ key: null, value: Buffer.from(`${text}${i}`), time: 1000 + i }))
