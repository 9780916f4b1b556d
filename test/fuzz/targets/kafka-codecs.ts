// Decompression of record batches, with a bound on what comes out. The first byte says which codec.
import { CodecError, codecs, compress, decompress } from '../../../core/kafka/codecs.js'
import { promise, type Target } from '../target.js'

const LIMIT = 1 << 18
/** The framing of the Java client. */
const xerial = Buffer.from('82534e41505059000000000100000001', 'hex')

export default {
  seeds: () => {
    const texts = [Buffer.from('abc'), Buffer.alloc(3000, 'abcdefgh'), Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7919) & 255))] // prettier-ignore
    const plain = codecs.flatMap((codec, i) =>
      texts.map((text) => Buffer.concat([Buffer.from([i]), compress(codec, text)]))
    )
    const block = compress('snappy', texts[0]!)
    const framed = Buffer.concat([Buffer.from([2]), xerial, Buffer.from([0, 0, 0, block.length]), block])
    return [...plain, framed]
  },
  run: (input) => {
    const codec = codecs[(input[0] ?? 0) % codecs.length]!
    promise(decompress(codec, input.subarray(1), LIMIT).length <= Math.max(LIMIT, input.length), 'more than the limit')
  },
  allows: (error) => error instanceof CodecError
} satisfies Target
