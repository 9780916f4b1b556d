// Zstandard, with bounded output: Node's own where there is one (22.15 and later), else WebAssembly.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import zlib from 'node:zlib'
import type * as Wasm from '@bokuweb/zstd-wasm'

/** What was to be decompressed is no sound frame, or one that is `tooLarge`. */
export class ZstdError extends Error {
  override readonly name = 'ZstdError'
  constructor(
    message: string,
    readonly tooLarge = false
  ) {
    super(`zstd: ${message}`)
  }
}
const tooLarge = (limit: number): ZstdError => new ZstdError(`more than ${limit} bytes when decompressed`, true)

interface ZstdOptions {
  readonly maxOutputLength?: number
  readonly params?: Readonly<Record<number, number>>
}
// The types are those of Node 20.
const native = zlib as unknown as {
  zstdCompressSync?: (data: Uint8Array, options: ZstdOptions) => Buffer
  zstdDecompressSync?: (data: Uint8Array, options: ZstdOptions) => Buffer
}
/** ZSTD_c_compressionLevel */
const LEVEL = 100

let wasm: typeof Wasm | undefined

/** What of the package's inner module is used to start it. */
interface Inner {
  instantiateWasm: (imports: object, done: (instance: object) => unknown) => unknown
  init(bytes: Buffer): void
}
// Its types are those of a browser
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Module: new (bytes: Buffer) => object; Instance: new (module: object, imports: object) => object }
}

/** The package starts asynchronously only; its Emscripten module can start at once. */
function loaded(): typeof Wasm {
  if (wasm) return wasm
  const require = createRequire(import.meta.url)
  const folder = dirname(require.resolve('@bokuweb/zstd-wasm'))
  const { Module } = require(join(folder, 'module.js')) as { Module: Inner }
  const bytes = readFileSync(join(folder, 'zstd.wasm'))
  Module.instantiateWasm = (imports, done) => done(new WebAssembly.Instance(new WebAssembly.Module(bytes), imports))
  Module.init(bytes)
  return (wasm = require('@bokuweb/zstd-wasm') as typeof Wasm)
}

const buffer = ({ buffer: memory, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(memory as ArrayBuffer, byteOffset, byteLength)

export function zstdCompress(data: Uint8Array, level = 3): Buffer {
  return native.zstdCompressSync?.(data, { params: { [LEVEL]: level } }) ?? buffer(loaded().compress(data, level))
}

/** Throws ZstdError; never gives more than `limit` bytes. */
export function zstdDecompress(data: Buffer, limit: number): Buffer {
  if (!native.zstdDecompressSync) return unpack(data, limit)
  try {
    return native.zstdDecompressSync(data, { maxOutputLength: limit })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit)
    throw new ZstdError((error as Error).message)
  }
}

const MAGIC = 0xfd2fb528
/** dstSize_tooSmall */
const TOO_SMALL = /code -70$/

function unpack(data: Buffer, limit: number): Buffer {
  const known = contentSize(data)
  if (known !== undefined && known > limit) throw tooLarge(limit)
  // Who compresses a stream (the Java client does) does not say the size: found out by trying.
  for (let room = Math.max(65536, data.length * 4); ; room *= 4) {
    try {
      return buffer(loaded().decompress(data, { defaultHeapSize: Math.min(room, limit) }))
    } catch (error) {
      const { message } = error as Error
      if (known !== undefined || !TOO_SMALL.test(message)) throw new ZstdError(message)
      if (room >= limit) throw tooLarge(limit)
    }
  }
}

/** What the frame header says (RFC 8878, 3.1.1.1); undefined when it does not. */
function contentSize(data: Buffer): number | undefined {
  if (data.length < 6 || data.readUInt32LE(0) !== MAGIC) throw new ZstdError('not a frame')
  const flags = data[4]!
  const single = (flags & 0x20) !== 0
  const at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][flags & 3]!
  const size = flags >> 6
  if (size === 0) return single ? data[at] : undefined
  if (at + 2 ** size > data.length) throw new ZstdError('the frame is cut off')
  if (size === 1) return data.readUInt16LE(at) + 256
  return size === 2 ? data.readUInt32LE(at) : Number(data.readBigUInt64LE(at))
}
