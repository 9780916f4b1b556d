// Compression of record batches. Every decompression is bounded: a small message must not become gigabytes.
import zlib from 'node:zlib'
import snappy from 'snappy'
import { lz4Compress, lz4Decompress, Lz4Error } from '../api/lz4.js'
import { ZstdError, zstdCompress, zstdDecompress } from '../api/zstd.js'
import { Out } from './wire.js'

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
    if (codec === 'gzip') return gunzip(data, limit)
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

// ---------------------------------------------------------------- gzip

const MOST_DEFLATED = 1032

/** In one piece, as large as the last bytes say: in the usual 16 KB it would be gathered piece by piece. */
function gunzip(data: Buffer, limit: number): Buffer {
  const said = data.length < 18 ? 0 : data.readUInt32LE(data.length - 4)
  const chunkSize = Math.max(16_384, Math.min(said + 64, data.length * MOST_DEFLATED, limit))
  return zlib.gunzipSync(data, { maxOutputLength: limit, chunkSize })
}

// ---------------------------------------------------------------- snappy

const xerial = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])

/**
 * Plain, or in the framing of the Java client: 16 bytes of header, then blocks with their length. These are put one behind the
 * other as one: what a block refers to lies so many bytes before, wherever it begins.
 */
function unsnappy(data: Buffer, limit: number): Buffer {
  if (data.compare(xerial, 0, 8, 0, Math.min(8, data.length)) !== 0) {
    if (snappyLength(data).length > limit) throw tooLarge(limit)
    return snappy.uncompressSync(data) as Buffer
  }
  const blocks: Buffer[] = []
  let total = 0
  for (let at = 16; at < data.length;) {
    const bytes = at + 4 > data.length ? 0 : data.readInt32BE(at)
    at += 4
    if (bytes <= 0 || bytes > data.length - at) throw new CodecError('codec', 'snappy: a block exceeds the batch')
    const block = data.subarray(at, at + bytes)
    const { length, head } = snappyLength(block)
    total += length
    if (total > limit) throw tooLarge(limit)
    blocks.push(block.subarray(head))
    at += bytes
  }
  return snappy.uncompressSync(Buffer.concat([varint(total), ...blocks])) as Buffer
}

/** Of the whole when decompressed, and how many bytes say so. */
function snappyLength(data: Buffer): { readonly length: number; readonly head: number } {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = data[i]
    if (byte === undefined) throw new CodecError('codec', 'snappy: no length')
    length += (byte & 127) * 128 ** i
    if (byte < 128) return { length, head: i + 1 }
  }
  throw new CodecError('codec', 'snappy: no length')
}

const varint = (n: number): Buffer => new Out().uvarint(n).done()
