// Bare LZ4 blocks: the package puts their size in front, as no format of a file has it.
import lz4 from 'lz4-napi'

export const block = (bytes: Buffer): Buffer => lz4.compressSync(bytes).subarray(4)

/** Throws for what is no block, or one of more than `size` bytes. */
export function unblock(packed: Buffer, size: number): Buffer {
  const sized = Buffer.allocUnsafe(4 + packed.length)
  sized.writeUInt32LE(size)
  packed.copy(sized, 4)
  return lz4.uncompressSync(sized)
}
