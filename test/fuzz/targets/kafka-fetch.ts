// The answer to a Fetch: parts, record batches of every compression, records. Checksums are not looked at: no change would pass them.
import { Lease } from '../../../core/kafka/batch.js'
import { codecs } from '../../../core/kafka/codecs.js'
import { PartDecoder, usable } from '../../../core/kafka/decode.js'
import { fetchByIdResponse, type FetchedPart, fetchResponse } from '../../../core/kafka/protocol.js'
import { type RecordIndex } from '../../../core/kafka/record-batch.js'
import { In, Out, WireError } from '../../../core/kafka/wire.js'
import { encode, some } from '../../support/kafka-batches.js'
import { promise, type Target } from '../target.js'

const MAX_DECOMPRESSED = 1 << 20
const spare: RecordIndex[] = []

/** As a reader does: a batch that is damaged is looked at twice, then skipped. */
function read(found: FetchedPart, buffer: Buffer): void {
  const whole = usable(found, buffer)
  if (whole === undefined) return
  let freed = 0
  const lease = new Lease(buffer, () => freed++)
  lease.hold()
  let next = 0
  for (let round = 0, suspect: number | undefined; round < 2; round++) {
    const decoder = new PartDecoder(whole, lease, next, suspect, { checkCrc: false, maxDecompressed: MAX_DECOMPRESSED, spare }) // prettier-ignore
    for (let batch = decoder.next(); batch !== undefined; batch = decoder.next()) {
      if ('suspect' in batch) {
        suspect = batch.suspect
        break
      }
      for (let i = 0; i < batch.count; i++) {
        promise(Number.isSafeInteger(batch.offset(i)), 'an offset that is none')
        promise(!Number.isNaN(batch.timestampMs(i)), 'a time that is none')
        const value = batch.value(i)
        promise((value?.length ?? 0) <= MAX_DECOMPRESSED && (batch.key(i)?.length ?? 0) <= MAX_DECOMPRESSED, 'too long')
        if (value !== null) promise(batch.valueEnd(i) <= batch.bytes.byteLength, 'a value that ends behind its batch')
      }
      promise(batch.nextOffset >= next, 'it goes back')
      next = batch.nextOffset
      batch.release()
    }
    if (suspect === undefined) break
  }
  lease.drop()
  promise(freed === 1, 'the buffer is not given back')
}

/** An answer with these records for one partition. */
function answer(records: Buffer, byId: boolean): Buffer {
  const out = new Out()
  const part = (): void => void out.i32(0).i16(0).i64(100).i64(100).i64(0)
  if (byId) {
    out.noTags().i32(0).i16(0).i32(0).uvarint(2).uuid('11'.repeat(16)).uvarint(2)
    part()
    out
      .uvarint(2)
      .i64(7)
      .i64(3)
      .noTags()
      .i32(-1)
      .uvarint(records.length + 1)
  } else {
    out.i32(0).i16(0).i32(0).i32(1).string('t').i32(1)
    part()
    out.i32(1).i64(7).i64(3).i32(records.length)
  }
  const tail = byId ? Buffer.from([0, 0, 0]) : Buffer.alloc(0)
  return Buffer.concat([Buffer.from([byId ? 1 : 0]), out.done(), records, tail])
}

export default {
  maxBytes: 32 << 20,
  seeds: () =>
    [false, true].flatMap((byId) => [
      answer(Buffer.alloc(0), byId),
      ...codecs.map((codec) => answer(encode([{ key: Buffer.from('k'), value: Buffer.alloc(40, 'x'), time: 5, headers: [['a', Buffer.from('b')]] }, ...some('v', 3)], codec, 3), byId)), // prettier-ignore
      answer(
        Buffer.concat([encode(some('a', 2)), encode(some('b', 2), 'none', 2), encode(some('c', 1), 'gzip', 9)]),
        byId
      )
    ]),
  run: (input) => {
    const body = new In(input, Math.min(1, input.length))
    const { parts } = (input[0] ?? 0) & 1 ? fetchByIdResponse(body) : fetchResponse(body)
    for (const part of parts) read(part, input)
  },
  allows: (error) => error instanceof WireError
} satisfies Target
