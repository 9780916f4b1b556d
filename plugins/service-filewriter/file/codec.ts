// Compression of chunks; ids and formats are those of the HDF5 filter registry.
import zlib from 'node:zlib'
import { CodedError, zstdCompress, zstdDecompress } from '../../../core/api/plugin.js'
import { fromBitshuffle, toBitshuffle } from './bitshuffle.js'
import { block, unblock } from './lz4-block.js'

/** One step of a pipeline, as the file has it. */
export interface ChunkFilter {
  readonly id: number
  readonly values: readonly number[]
}

export const filterIds = { gzip: 1, shuffle: 2, lz4: 32004, bitshuffle: 32008, zstd: 32015 } as const

/** Of the filter bitshuffle: version, bytes of an element, its usual size of a block, LZ4. */
export const bitshuffleValues = (width: number): number[] => [0, 4, width, 0, 2]

export interface ChunkCodec {
  compress(bytes: Buffer): Buffer
  expand(bytes: Buffer, size: number): Buffer
}

/** Undefined when chunks that went through these filters cannot be written here. */
export function codec(filters: readonly ChunkFilter[]): ChunkCodec | undefined {
  const [first, second, ...more] = filters
  if (first === undefined || more.length > 0) return undefined
  if (second === undefined) return packer(first)
  const packed = packer(second)
  const [width = 0] = first.values
  if (first.id !== filterIds.shuffle || packed === undefined || width < 1) return undefined
  return {
    compress: (bytes) => packed.compress(shuffled(bytes, width)),
    expand: (bytes, size) => unshuffled(packed.expand(bytes, size), width)
  }
}

function packer({ id, values }: ChunkFilter): ChunkCodec | undefined {
  const [level] = values
  if (id === filterIds.gzip)
    return {
      compress: (bytes) => zlib.deflateSync(bytes, { level }),
      expand: (bytes, size) => zlib.inflateSync(bytes, { maxOutputLength: size })
    }
  if (id === filterIds.lz4) return { compress: toLz4, expand: fromLz4 }
  const [, , width = 0, , packing] = values
  if (id === filterIds.bitshuffle && packing === 2 && width > 0)
    return {
      compress: (bytes) => toBitshuffle(bytes, width),
      expand: (bytes, size) => fromBitshuffle(bytes, size, width)
    }
  if (id !== filterIds.zstd) return undefined
  return {
    compress: (bytes) => zstdCompress(bytes, level),
    expand: (bytes, size) => zstdDecompress(bytes, size)
  }
}

/** As `codec`, for a column that is to be made; undefined without a filter. */
export function codecFor(path: string, filters: readonly ChunkFilter[]): ChunkCodec | undefined {
  const found = codec(filters)
  if (found !== undefined || filters.length === 0) return found
  const ids = filters.map(({ id }) => id).join(' and ')
  throw new CodedError('STRUCTURE_INVALID', `${path}: filter ${ids} cannot be written`, { path })
}

// ---------------------------------------------------------------- shuffle

/** All first bytes of the elements, then all second ones …; what is no whole element stays behind. */
function shuffled(bytes: Buffer, width: number): Buffer {
  const count = Math.floor(bytes.length / width)
  const out = Buffer.allocUnsafe(bytes.length)
  for (let byte = 0; byte < width; byte++)
    for (let i = 0, from = byte, to = byte * count; i < count; i++, from += width, to++) out[to] = bytes[from]!
  bytes.copy(out, count * width, count * width)
  return out
}

function unshuffled(bytes: Buffer, width: number): Buffer {
  const count = Math.floor(bytes.length / width)
  const out = Buffer.allocUnsafe(bytes.length)
  for (let byte = 0; byte < width; byte++)
    for (let i = 0, to = byte, from = byte * count; i < count; i++, to += width, from++) out[to] = bytes[from]!
  bytes.copy(out, count * width, count * width)
  return out
}

// ---------------------------------------------------------------- lz4

const LZ4_BLOCK = 1 << 30
const LZ4_HEAD = 12

/** Size, size of a block, then each block with the bytes that it has; one that cannot be packed stands there as it is. */
function toLz4(bytes: Buffer): Buffer {
  const head = Buffer.alloc(LZ4_HEAD)
  head.writeBigUInt64BE(BigInt(bytes.length))
  head.writeUInt32BE(Math.min(bytes.length, LZ4_BLOCK), 8)
  const parts: Buffer[] = [head]
  for (let at = 0; at < bytes.length; at += LZ4_BLOCK) {
    const plain = bytes.subarray(at, at + LZ4_BLOCK)
    const packed = block(plain)
    const best = packed.length < plain.length ? packed : plain
    const length = Buffer.alloc(4)
    length.writeUInt32BE(best.length)
    parts.push(length, best)
  }
  return Buffer.concat(parts)
}

/** Throws for what is no such chunk, or one of more than `size` bytes. */
function fromLz4(bytes: Buffer, size: number): Buffer {
  const whole = Number(bytes.readBigUInt64BE(0))
  const blockBytes = bytes.readUInt32BE(8)
  if (whole > size || (blockBytes === 0 && whole > 0)) throw new RangeError(`${whole} bytes in blocks of ${blockBytes}`)
  const parts: Buffer[] = []
  for (let left = whole, at = LZ4_HEAD; left > 0; left -= blockBytes) {
    const length = bytes.readUInt32BE(at)
    const part = bytes.subarray(at + 4, at + 4 + length)
    const plain = Math.min(left, blockBytes)
    parts.push(length === plain ? part : unblock(part, plain))
    at += 4 + length
  }
  return Buffer.concat(parts)
}
