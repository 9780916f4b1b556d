// LZ4 frames, with bounded output: the library has no limit of its own.
import lz4 from 'lz4-napi'

/** What was to be decompressed is no sound frame, or one that is `tooLarge`. */
export class Lz4Error extends Error {
  override readonly name = 'Lz4Error'
  constructor(
    message: string,
    readonly tooLarge = false
  ) {
    super(`lz4: ${message}`)
  }
}
const tooLarge = (limit: number): Lz4Error => new Lz4Error(`more than ${limit} bytes when decompressed`, true)

const MAGIC = 0x184d2204

export const lz4Compress = (data: Buffer): Buffer => lz4.compressFrameSync(data)

/** The block headers say beforehand what can come out at most. Throws Lz4Error; never gives more than `limit` bytes. */
export function lz4Decompress(data: Buffer, limit: number): Buffer {
  if (data.length < 7 || data.readUInt32LE(0) !== MAGIC) throw new Lz4Error('not a frame')
  const flags = data[4]!
  const blockMax = 4 ** (((data[5]! >> 4) & 7) + 4) // 4: 64 KB … 7: 4 MB
  const checksum = flags & 0x10 ? 4 : 0
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0)
  let most = 0
  while (at + 4 <= data.length) {
    const word = data.readUInt32LE(at)
    const length = word & 0x7fffffff
    if (length === 0) break
    most += word >>> 31 ? length : Math.min(blockMax, length * 255)
    at += 4 + length + checksum
  }
  if (at + 4 > data.length) throw new Lz4Error('the frame is cut off')
  if (most - blockMax > limit) throw tooLarge(limit)
  let result: Buffer
  try {
    result = lz4.decompressFrameSync(data)
  } catch (error) {
    throw new Lz4Error((error as Error).message)
  }
  if (result.length > limit) throw tooLarge(limit)
  return result
}
