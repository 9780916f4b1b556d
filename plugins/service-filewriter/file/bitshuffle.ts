// The bitshuffle filter with LZ4 (32008): bit k of all elements of a block together, each block packed by itself.
import { block, unblock } from './lz4-block.js'

/** Of a block, before it is packed; readers take it from the chunk. */
const BLOCK_BYTES = 1 << 15
const HEAD = 12

/** @param width - bytes of an element */
export function toBitshuffle(bytes: Buffer, width: number): Buffer {
  const each = Math.max(8, Math.floor(BLOCK_BYTES / width / 8) * 8)
  const head = Buffer.alloc(HEAD)
  head.writeBigUInt64BE(BigInt(bytes.length))
  head.writeUInt32BE(each * width, 8)
  const parts: Buffer[] = [head]
  let at = 0
  for (const count of blocks(Math.floor(bytes.length / width), each)) {
    const packed = block(transposed(bytes.subarray(at, at + count * width), width))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(packed.length)
    parts.push(length, packed)
    at += count * width
  }
  parts.push(bytes.subarray(at))
  return Buffer.concat(parts)
}

/** Throws for what is no such chunk, or one of more than `size` bytes. */
export function fromBitshuffle(bytes: Buffer, size: number, width: number): Buffer {
  const whole = Number(bytes.readBigUInt64BE(0))
  const each = bytes.readUInt32BE(8) / width
  if (whole > size || each < 8 || each % 8 !== 0) throw new RangeError(`${whole} bytes in blocks of ${each} elements`)
  const parts: Buffer[] = []
  let from = HEAD
  for (const count of blocks(Math.floor(whole / width), each)) {
    const packed = bytes.readUInt32BE(from)
    const plain = unblock(bytes.subarray(from + 4, from + 4 + packed), count * width)
    if (plain.length !== count * width) throw new RangeError(`a block of ${plain.length} bytes, not ${count * width}`)
    parts.push(restored(plain, width))
    from += 4 + packed
  }
  const rest = bytes.subarray(from, from + (whole % (8 * width)))
  return Buffer.concat([...parts, rest])
}

/** Elements of each block: multiples of 8; up to 7 elements are left over. */
function* blocks(elements: number, each: number): Generator<number> {
  for (let left = elements; left >= 8; left -= each) yield Math.min(each, left - (left % 8))
}

/** Bit k of byte b of element i becomes bit i % 8 of byte i / 8 of row 8 b + k. */
function transposed(bytes: Buffer, width: number): Buffer {
  const row = bytes.length / width / 8
  const out = Buffer.allocUnsafe(bytes.length)
  const at = (from: number): number =>
    bytes[from]! | (bytes[from + width]! << 8) | (bytes[from + 2 * width]! << 16) | (bytes[from + 3 * width]! << 24)
  for (let byte = 0; byte < width; byte++)
    for (let i = 0, from = byte, to = 8 * byte * row; i < row; i++, from += 8 * width, to++) {
      const low = square(at(from))
      const high = square(at(from + 4 * width))
      const swap = (low ^ ((high << 4) | (low >>> 28))) & 0xf0f0f0f0
      put(out, to, row, low ^ swap)
      put(out, to + 4 * row, row, high ^ (swap >>> 4))
    }
  return out
}

/** Back: the same for rows as elements. */
function restored(bytes: Buffer, width: number): Buffer {
  const row = bytes.length / width / 8
  const out = Buffer.allocUnsafe(bytes.length)
  const at = (from: number): number =>
    bytes[from]! | (bytes[from + row]! << 8) | (bytes[from + 2 * row]! << 16) | (bytes[from + 3 * row]! << 24)
  for (let byte = 0; byte < width; byte++)
    for (let i = 0, to = byte, from = 8 * byte * row; i < row; i++, to += 8 * width, from++) {
      const low = square(at(from))
      const high = square(at(from + 4 * row))
      const swap = (low ^ ((high << 4) | (low >>> 28))) & 0xf0f0f0f0
      put(out, to, width, low ^ swap)
      put(out, to + 4 * width, width, high ^ (swap >>> 4))
    }
  return out
}

/** The first two of three steps that transpose 8 × 8 bits, for one half of them. */
function square(half: number): number {
  const pairs = (half ^ (half >>> 7)) & 0x00aa00aa
  const swapped = half ^ pairs ^ (pairs << 7)
  const fours = (swapped ^ (swapped >>> 14)) & 0x0000cccc
  return swapped ^ fours ^ (fours << 14)
}

function put(out: Buffer, at: number, step: number, word: number): void {
  out[at] = word
  out[at + step] = word >>> 8
  out[at + 2 * step] = word >>> 16
  out[at + 3 * step] = word >>> 24
}
