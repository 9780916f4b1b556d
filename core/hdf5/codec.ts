// Compression of chunks; ids are those of the HDF5 filter registry.
import zlib from 'node:zlib'
import { CodedError } from '../errors.js'

export interface Codec {
  compress(bytes: Buffer): Buffer
  expand(bytes: Buffer, size: number): Buffer
}

interface Zstd {
  compress(bytes: Uint8Array, level: number): Uint8Array
  decompress(bytes: Uint8Array): Uint8Array
}
let zstd: Zstd | undefined

/** Loads what cannot be loaded synchronously; once per thread. */
export async function loadCodecs(): Promise<void> {
  zstd ??= (await (await import('@hpcc-js/wasm-zstd')).Zstd.load()) as Zstd
}

/** undefined when this filter cannot be written here. */
export function codec(id: number, values: readonly number[]): Codec | undefined {
  const level = values[0]
  if (id === 1)
    return {
      compress: (bytes) => zlib.deflateSync(bytes, { level }),
      expand: (bytes, size) => zlib.inflateSync(bytes, { maxOutputLength: size })
    }
  const packer = zstd
  if (id !== 32015 || !packer) return undefined
  const buffer = ({ buffer: memory, byteOffset, byteLength }: Uint8Array): Buffer =>
    Buffer.from(memory as ArrayBuffer, byteOffset, byteLength)
  return {
    compress: (bytes) => buffer(packer.compress(bytes, level ?? 3)),
    expand: (bytes) => buffer(packer.decompress(bytes))
  }
}

/** As `codec`, for a column that is to be made. */
export function codecFor(path: string, id: number, values: readonly number[]): Codec {
  const found = codec(id, values)
  if (found) return found
  throw new CodedError('STRUCTURE_INVALID', `${path}: filter ${id} cannot be written`, { path })
}
