// Compression of record batches. Every decompression is bounded: a small message must not become gigabytes.
import zlib from 'node:zlib'
import snappy from 'snappy'
import { lz4Compress, lz4Decompress, Lz4Error } from '../api/lz4.js'
import { ZstdError, zstdCompress, zstdDecompress } from '../api/zstd.js'

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
/** In the order of their numbers in the attributes of a batch. */
export const codecs: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
/** No sound batch is larger: brokers refuse requests of more than 100 MB by default. */
const MAX_DECOMPRESSED = 256 << 20

/** The data cannot be decompressed; `reason` is what is counted. */
export class CodecError extends Error {
  override readonly name = 'CodecError'
  constructor(
    readonly reason: 'codec' | 'too_large',
    message: string
  ) {
    super(message)
  }
}
const tooLarge = (limit: number): CodecError =>
  new CodecError('too_large', `the batch holds more than ${limit} bytes when decompressed`)

/** Throws CodecError; never returns more than `limit` bytes. */
export function decompress(codec: Codec, data: Buffer, limit = MAX_DECOMPRESSED): Buffer {
  try {
    if (codec === 'none') return data
    if (codec === 'gzip') return zlib.gunzipSync(data, { maxOutputLength: limit })
    if (codec === 'snappy') return unsnappy(data, limit)
    if (codec === 'lz4') return lz4Decompress(data, limit)
    return zstdDecompress(data, limit)
  } catch (error) {
    if (error instanceof CodecError) throw error
    const large = (error instanceof ZstdError || error instanceof Lz4Error) && error.tooLarge
    if (large || (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit)
    throw new CodecError('codec', `${codec}: ${(error as Error).message}`)
  }
}

export function compress(codec: Codec, data: Buffer): Uint8Array {
  if (codec === 'none') return data
  if (codec === 'gzip') return zlib.gzipSync(data)
  if (codec === 'snappy') return snappy.compressSync(data)
  if (codec === 'lz4') return lz4Compress(data)
  return zstdCompress(data)
}

// ---------------------------------------------------------------- snappy

const xerial = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])

/** Plain, or in the framing of the Java client: 16 bytes of header, then blocks with their length. */
function unsnappy(data: Buffer, limit: number): Buffer {
  if (data.compare(xerial, 0, 8, 0, Math.min(8, data.length)) !== 0) return snappyBlock(data, limit)
  const blocks: Buffer[] = []
  let total = 0
  for (let at = 16; at < data.length;) {
    const length = data.readInt32BE(at)
    at += 4
    if (length <= 0 || length > data.length - at) throw new CodecError('codec', 'snappy: a block exceeds the batch')
    const block = snappyBlock(data.subarray(at, at + length), limit - total)
    blocks.push(block)
    total += block.length
    at += length
  }
  return Buffer.concat(blocks, total)
}

function snappyBlock(data: Buffer, limit: number): Buffer {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = data[i]
    if (byte === undefined) throw new CodecError('codec', 'snappy: no length')
    length += (byte & 127) * 128 ** i
    if (byte < 128) break
  }
  if (length > limit) throw tooLarge(limit)
  return snappy.uncompressSync(data) as Buffer
}
