// Compression of chunks; ids are those of the HDF5 filter registry.
import zlib from 'node:zlib'
import { CodedError, zstdCompress, zstdDecompress } from '../../../core/api/plugin.js'

export interface ChunkCodec {
  compress(bytes: Buffer): Buffer
  expand(bytes: Buffer, size: number): Buffer
}

/** Undefined when this filter cannot be written here. */
export function codec(id: number, values: readonly number[]): ChunkCodec | undefined {
  const level = values[0]
  if (id === 1)
    return {
      compress: (bytes) => zlib.deflateSync(bytes, { level }),
      expand: (bytes, size) => zlib.inflateSync(bytes, { maxOutputLength: size })
    }
  if (id !== 32015) return undefined
  return {
    compress: (bytes) => zstdCompress(bytes, level),
    expand: (bytes, size) => zstdDecompress(bytes, size)
  }
}

/** As `codec`, for a column that is to be made. */
export function codecFor(path: string, id: number, values: readonly number[]): ChunkCodec {
  const found = codec(id, values)
  if (found) return found
  throw new CodedError('STRUCTURE_INVALID', `${path}: filter ${id} cannot be written`, { path })
}
