// Compression of chunks; ids are those of the HDF5 filter registry.
import zlib from 'node:zlib'
import { CodedError } from '../errors.js'

export interface Codec {
  compress(bytes: Buffer): Buffer
  expand(bytes: Buffer, size: number): Buffer
}

interface Zstd {
  zstdCompressSync(bytes: Buffer, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync(bytes: Buffer): Buffer
}
const ZSTD_LEVEL = 100

/** undefined when this filter cannot be written here. */
export function codec(id: number, values: readonly number[]): Codec | undefined {
  const level = values[0]
  if (id === 1)
    return {
      compress: (bytes) => zlib.deflateSync(bytes, { level }),
      expand: (bytes, size) => zlib.inflateSync(bytes, { maxOutputLength: size })
    }
  // in node:zlib from Node 22.15 on
  const zstd = zlib as unknown as Partial<Zstd>
  const { zstdCompressSync, zstdDecompressSync } = zstd
  if (id !== 32015 || !zstdCompressSync || !zstdDecompressSync) return undefined
  return {
    compress: (bytes) => zstdCompressSync(bytes, { params: { [ZSTD_LEVEL]: level ?? 3 } }),
    expand: (bytes) => zstdDecompressSync(bytes)
  }
}

/** As `codec`, for a column that is to be made. */
export function codecFor(path: string, id: number, values: readonly number[]): Codec {
  const found = codec(id, values)
  if (found) return found
  throw new CodedError('STRUCTURE_INVALID', `${path}: filter ${id} cannot be written by this version of Node`, { path })
}
