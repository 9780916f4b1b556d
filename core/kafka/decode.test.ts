import assert from 'node:assert/strict'
import { crc32c } from '@node-rs/crc32'
import fc from 'fast-check'
import { decode, encode, forge, layoutOf, part, some } from '../../test/support/kafka-batches.js'
import { codecs } from './codecs.js'
import { usable } from './decode.js'

describe('damaged record batches', () => {
  it('uses whole batches only', () => {
    const whole = encode(some('a', 3))
    const log = Buffer.concat([whole, encode(some('b', 3), 'none', 3)])
    for (let cut = 0; cut < log.length; cut++) {
      const { out, skipped } = decode(log.subarray(0, cut))
      assert.equal(out.length, cut < whole.length ? 0 : 3)
      assert.deepEqual(skipped, {})
      assert.equal(usable(part(log.subarray(0, cut)), log.subarray(0, cut))?.next, cut < whole.length ? undefined : 3)
    }
  })

  it('takes no offsets that are no numbers, though the end that is named lies behind them', () => {
    const log = encode(some('a', 3))
    log.writeBigInt64BE(2n ** 60n)
    assert.equal(usable({ ...part(log), end: 2 ** 62 }, log), undefined)
  })

  it('skips and counts damaged batches, and those only', () => {
    const log = Buffer.concat([0, 3, 6].map((base) => encode(some(`b${base}-`, 3), 'none', base)))
    const size = log.length / 3
    const crc = Buffer.from(log)
    crc[size + 70]! ^= 1
    assert.deepEqual(decode(crc).skipped, { crc: 1 })
    assert.deepEqual(
      decode(crc).out.map(({ offset }) => offset),
      [0, 1, 2, 6, 7, 8]
    )
    const old = Buffer.from(log)
    old[16] = 1
    assert.deepEqual(decode(old).skipped, { old_format: 1 })
    assert.deepEqual(
      decode(old).out.map(({ offset }) => offset),
      [3, 4, 5, 6, 7, 8]
    )
  })

  it('skips records that lie about their lengths though the checksum is right', () => {
    const lies: ((batch: Buffer) => void)[] = [
      (b) => (b[61] = 0x7e), // Length of the record
      (b) => (b[66] = 0x7e), // Length of the value
      (b) => (b[65] = 3), // Key of length -2
      (b) => b.writeInt32BE(1_000_000_000, 57), // Number of records
      (b) => b.writeInt32BE(-1, 57),
      (b) => (b[64] = 40) // Offset beyond the batch
    ]
    for (const lie of lies) {
      const { out, skipped } = decode(
        Buffer.concat([forge(encode(some('x', 1)), lie), encode(some('y', 2), 'none', 1)])
      )
      assert.deepEqual(skipped, { records: 1 }, lie.toString())
      assert.deepEqual(
        out.map(({ value }) => value?.toString()),
        ['y0', 'y1']
      )
    }
  })

  it('does not inflate bombs', () => {
    const zeros = [{ key: null, value: Buffer.alloc(9e6), time: 0 }]
    for (const codec of codecs.slice(1)) {
      assert.equal(decode(encode(zeros, codec)).out[0]?.value?.length, 9e6, codec)
      assert.deepEqual(decode(encode(zeros, codec), { maxDecompressed: 1e6 }).skipped, { too_large: 1 }, codec)
    }
  })

  it('counts compressed data that is no such data', () => {
    for (const codec of codecs.slice(1)) {
      const cut = encode(some('x', 50), codec)
      const broken = forge(cut, (b) => b.fill(0xa5, 61 + 4))
      const { skipped, out } = decode(Buffer.concat([broken, encode(some('y', 1), 'none', 50)]))
      assert.equal((skipped['codec'] ?? 0) + (skipped['records'] ?? 0) + (skipped['too_large'] ?? 0), 1, codec)
      assert.deepEqual(
        out.map(({ offset }) => offset),
        [50],
        codec
      )
    }
    const unknown = forge(encode(some('x', 1)), (b) => b.writeInt16BE(7, 21))
    assert.deepEqual(decode(unknown).skipped, { codec: 1 })
  })

  it('loses no good batch behind two that are damaged in their headers', () => {
    const log = Buffer.concat([0, 20, 40].map((base) => encode(some('x', 20), 'none', base)))
    const layout = layoutOf(log)
    log[26] = 40 // The first says that it goes on to offset 40, which is the third's
    log[layout[0]![1] + 8] = 1 // The second, that it is 16 MB long
    const { out } = decode(log, { end: 60, layout })
    assert.deepEqual(
      out.map(({ offset }) => offset),
      Array.from({ length: 20 }, (_, i) => 40 + i)
    )
  })

  it('loses no good batch that the length of a damaged one jumps over', () => {
    const log = Buffer.concat([0, 20, 40].map((base) => encode(some('x', 20), 'none', base)))
    const layout = layoutOf(log)
    log.writeInt32BE(layout[1]![1] - 12, 8)
    const { out, skipped } = decode(log, { end: 60, layout })
    assert.deepEqual(
      out.map(({ offset }) => offset),
      Array.from({ length: 40 }, (_, i) => 20 + i)
    )
    assert.deepEqual(skipped, { crc: 1 })
  })

  it('is soon over a damaged batch of a compacted topic', () => {
    const log = Buffer.concat([0, 3000, 6000].map((base) => encode(some('x', 20), 'none', base)))
    log.writeInt32BE(1999, 23) // As compaction leaves it
    log[100]! ^= 1
    const { out, skipped } = decode(log, { end: 6020, layout: layoutOf(log) })
    const twenty = (from: number): number[] => Array.from({ length: 20 }, (_, i) => from + i)
    assert.deepEqual(
      out.map(({ offset }) => offset),
      [...twenty(3000), ...twenty(6000)]
    )
    assert.deepEqual(skipped, { crc: 1 })
  })

  it('survives random damage, with and without a right checksum', () => {
    const log = Buffer.concat(codecs.map((codec, i) => encode(some(codec, 20), codec, i * 20)))
    const layout = layoutOf(log)
    const starts = [0, ...layout.map(([, at]) => at)].slice(0, -1)
    const endWords = [8, 23, 57] // Length, last offset, count of records
    const original = decode(log, { end: 100, layout }).out
    assert.equal(original.length, 100)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(log.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (hits, repair) => {
          const damaged = Buffer.from(log)
          // The checksum does not cover where a batch begins in the log; where it ends is said three times, and two of
          // those must be left.
          const words = new Map<number, number>()
          const spared = (at: number): boolean => {
            const start = starts.findLast((start) => start <= at)!
            const word = endWords.findIndex((word) => at >= start + word && at < start + word + 4)
            if (word >= 0 && !words.has(start)) words.set(start, word)
            return at < start + 8 || (word >= 0 && words.get(start) !== word)
          }
          for (const [at, byte] of hits) if (repair || !spared(at)) damaged[at] = byte
          if (repair)
            for (const at of starts) {
              const end = at + 12 + damaged.readInt32BE(at + 8)
              if (end > at + 61 && end <= damaged.length)
                damaged.writeUInt32BE(crc32c(damaged.subarray(at + 21, end)), at + 17)
            }
          const { out, next } = decode(damaged, { end: 100, layout, maxDecompressed: 1 << 22 })
          assert.ok(next <= 100 && out.every(({ time }) => Number.isFinite(time)))
          if (repair) return
          out.reduce((last, { offset }) => {
            assert.ok(offset > last)
            return offset
          }, -1)
          // Without a forged checksum: nothing but what was written, and all of every batch that is whole.
          for (const { offset, value } of out) assert.ok(original[offset]!.value!.equals(value!))
          starts.forEach((at, i) => {
            const end = layout[i]![1]
            const whole = damaged.subarray(at, end).equals(log.subarray(at, end))
            if (whole) assert.equal(out.filter(({ offset }) => Math.floor(offset / 20) === i).length, 20)
          })
        }
      ),
      { numRuns: 500 }
    )
  })
})
