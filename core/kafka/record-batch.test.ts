import assert from 'node:assert/strict'
import { crc32c } from '@node-rs/crc32'
import fc from 'fast-check'
import { type TestRecord, decode, encode, forge, part, place, pool, some } from '../../test/support/kafka-batches.js'
import { BatchBuilder } from './batch-builder.js'
import { FetchedBatch, Lease } from './batch.js'
import { codecs } from './codecs.js'
import { PartDecoder, usable } from './decode.js'

const bytes = (max: number) => fc.uint8Array({ maxLength: max })
const record: fc.Arbitrary<TestRecord> = fc.record({
  key: fc.option(bytes(300)),
  value: fc.option(fc.oneof(bytes(40), bytes(20_000))),
  time: fc.integer({ min: 0, max: 4e12 }),
  headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.option(bytes(40), { nil: null })), { maxLength: 3 })
})
describe('record batches', () => {
  it('come out as they went in, with every codec', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(...codecs),
        fc.nat(1e15),
        (records, codec, base) => {
          const { out, skipped, next } = decode(encode(records, codec, base))
          assert.deepEqual(skipped, {})
          assert.equal(next, base + records.length)
          assert.equal(out.length, records.length)
          out.forEach(({ offset, time, key, value, headers }, i) => {
            const { key: k, value: v, time: t, headers: h = [] } = records[i]!
            assert.deepEqual(headers, h.map(([name, text]) => [name, text && Buffer.from(text)])) // prettier-ignore
            assert.equal(offset, base + i)
            assert.equal(time, t)
            assert.ok(k === null ? key === null : key?.equals(k))
            assert.ok(v === null ? value === null : value?.equals(v))
          })
        }
      ),
      { numRuns: 300 }
    )
  })

  it('hands out keys and values that are Buffers, also those of a compressed batch', () => {
    const [key, value] = [Buffer.from('schlüssel'), Buffer.from('00112233445566778899aabbccddeeff', 'hex')]
    for (const codec of codecs) {
      const nothing = { key: null, value: null, time: 0 }
      const bytes = encode([nothing, { key, value, time: 0 }], codec)
      const lease = new Lease(bytes, () => undefined)
      const options = { checkCrc: true, spare: [] }
      const batch = new PartDecoder(usable(part(bytes), bytes)!, lease, 0, undefined, options).next()
      assert.ok(batch instanceof FetchedBatch)
      assert.deepEqual([batch.key(0), batch.value(0)], [null, null])
      const [k, v] = [batch.key(1)!, batch.value(1)!]
      assert.ok(Buffer.isBuffer(v) && (codec !== 'none' || v.buffer === bytes.buffer))
      assert.equal(k.toString(), 'schlüssel')
      assert.equal(v.readBigUInt64LE(8), value.readBigUInt64LE(8))
      assert.equal(v.toString('hex', 1, 3), '1122')
      assert.ok(v.subarray(4, 6).equals(value.subarray(4, 6)) && Buffer.isBuffer(v.subarray(4, 6)))
      assert.ok(Buffer.concat([v, k]).equals(Buffer.concat([value, key])))
      assert.equal(v.indexOf(value.subarray(3)), 3)
      assert.equal(new DataView(v.buffer, v.byteOffset, v.byteLength).getUint8(15), 0xff)
    }
  })

  it('has the bytes that the Java client writes', () => {
    // One record "key" → "hello", header h=1, written by kafka-clients 4.1.1 at 1700000000000.
    const batch = encode([
      {
        key: Buffer.from('key'),
        value: Buffer.from('hello'),
        time: 1_700_000_000_000,
        headers: [['h', Buffer.from('1')]]
      }
    ])
    const expected =
      '00000000000000000000004400000000' + // Offset, length, leader epoch
      '02' +
      batch.subarray(17, 21).toString('hex') +
      '000000000000' +
      '0000018bcfe56800' +
      '0000018bcfe56800' +
      'ffffffffffffffff' +
      'ffff' +
      'ffffffff' +
      '00000001' +
      '24000000066b65790a68656c6c6f02026802' +
      '31'
    assert.equal(batch.toString('hex').replace(/^(.{24})ffffffff/, '$100000000'), expected)
    assert.equal(crc32c(batch.subarray(21)), batch.readUInt32BE(17))
  })

  it('is taken apart in the middle, with headers and callbacks in place', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 2, maxLength: 300 }), (records) => {
        const builder = new BatchBuilder(pool, 0, 0)
        const called: number[] = []
        records.forEach(({ key, value, time, headers }, i) => {
          builder.append(key, value, time, headers, Number.MAX_SAFE_INTEGER)
          builder.callbacks.push({ index: i, call: (_, offset) => called.push(offset) })
        })
        const halves = builder.split()
        const half = records.length >> 1
        const stamp = { producerId: 7n, epoch: 1, sequence: 0 }
        const whole = halves.map((part, i) => place(Buffer.from(part.wire('none', stamp)), i * half))
        const parts = [records.slice(0, half), records.slice(half)]
        // The time base is that of the undivided batch; all else is as if written in two.
        const { out } = decode(Buffer.concat(whole))
        assert.deepEqual(
          out.map(({ offset }) => offset),
          records.map((_, i) => i)
        )
        assert.deepEqual(
          out.map(({ time }) => time),
          records.map(({ time }) => time)
        )
        parts
          .flat()
          .forEach(({ value }, i) => assert.ok(value === null ? out[i]!.value === null : out[i]!.value?.equals(value)))
        halves.forEach((part, i) => part.callbacks.forEach(({ index, call }) => call(null, i * half + index)))
        assert.deepEqual(
          called,
          records.map((_, i) => i)
        )
      }),
      { numRuns: 100 }
    )
  })

  it('leaves out what lies before the wanted offset and jumps compacted gaps', () => {
    const log = Buffer.concat([
      encode(some('a', 5), 'none', 0),
      encode(some('b', 5), 'gzip', 5),
      encode(some('c', 2), 'none', 40)
    ])
    const { out, next } = decode(log, { from: 7 })
    assert.deepEqual(
      out.map(({ offset }) => offset),
      [7, 8, 9, 40, 41]
    )
    assert.equal(next, 42)
  })

  it('hides control records and aborted transactions', () => {
    const of = (producerId: bigint, base: number, flags: number, n = 2): Buffer =>
      forge(encode(some(`p${producerId}-`, n), 'none', base), (b) => {
        b.writeBigInt64BE(producerId, 43)
        b.writeInt16BE(flags, 21)
      })
    const log = Buffer.concat([
      of(1n, 0, 16),
      of(2n, 2, 16),
      of(1n, 4, 48, 1),
      of(1n, 5, 16),
      of(2n, 7, 48, 1),
      of(3n, 8, 0)
    ])
    const { out, next } = decode(log, { aborted: [{ producerId: 1n, firstOffset: 0 }] })
    assert.deepEqual(
      out.map(({ offset }) => offset),
      [2, 3, 5, 6, 8, 9]
    )
    assert.equal(next, 10)
    assert.deepEqual(decode(of(1n, 4, 48, 1), { from: 4 }), { out: [], skipped: {}, next: 5 })
  })

  it('takes the time of the broker where the topic says so', () => {
    const batch = forge(encode(some('x', 3)), (b) => {
      b.writeInt16BE(8, 21)
      b.writeBigInt64BE(5000n, 35)
    })
    const producers = (base: number): Buffer => encode(some('x', 1), 'none', base)
    const { out } = decode(Buffer.concat([producers(0), place(batch, 1), producers(4)]))
    assert.deepEqual(
      out.map(({ time, isAppendTime }) => [time, isAppendTime]),
      [[1000, false], [5000, true], [5000, true], [5000, true], [1000, false]] // prettier-ignore
    )
  })

  it('refuses access after release', () => {
    const log = encode(some('x', 1))
    let freed = 0
    const lease = new Lease(log, () => freed++)
    const batch = new PartDecoder(usable(part(log), log)!, lease, 0, undefined, { checkCrc: true, spare: [] }).next()
    assert.ok(batch instanceof FetchedBatch)
    batch.release()
    batch.release()
    assert.equal(freed, 1)
    assert.throws(() => batch.value(0), /released/)
    assert.throws(() => batch.offset(0), /released/)
  })
})
