// Reading what the direct path must know of a file: superblock, dataset headers, chunk indexes (File Format Specification, II to IV).
import { CodedError } from '../../../core/api/plugin.js'
import { type Disk } from './disk.js'
import { MESSAGE, UNDEFINED } from './messages.js'
import { lookup3, Unsupported } from './superblock.js'

/** A part of an object header; `checksum` is its offset in newer headers. */
interface Block {
  readonly at: number
  readonly bytes: Buffer
  readonly checksum: number | undefined
}

export interface HeaderMessage {
  readonly type: number
  readonly block: Block
  /** Of the content, within the block. */
  readonly offset: number
  readonly length: number
}

/** What a damaged file makes us read outside of what was read is a fault of the file. */
function within<T>(disk: Disk, what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new CodedError('HDF5_FAILED', `${disk.path}: ${what} is damaged`, { cause })
  }
}

/** More than the largest header has: continuations of a damaged one may lead round. */
const MOST_BLOCKS = 1000

/** All messages of the object header at an address. Throws HDF5_FAILED when it is damaged. */
export function readHeader(disk: Disk, address: number): HeaderMessage[] {
  return within(disk, `the object header at ${address}`, () => readAnyHeader(disk, address))
}

function readAnyHeader(disk: Disk, address: number): HeaderMessage[] {
  const head = disk.read(Math.min(64, disk.size - address), address, 'object header')
  if (head.toString('latin1', 0, 4) === 'OHDR') return readNewHeader(disk, address, head)
  if (head[0] !== 1) throw new CodedError('HDF5_FAILED', `${disk.path}: there is no object header at ${address}`)
  const messages: HeaderMessage[] = []
  let left = head.readUInt16LE(2)
  const todo = [{ at: address, length: 16 + head.readUInt32LE(8), start: 16 }]
  for (const { at, length, start } of todo) {
    const block: Block = { at, bytes: disk.read(length, at, 'object header'), checksum: undefined }
    for (let p = start; p + 8 <= length && left > 0; left--) {
      const size = block.bytes.readUInt16LE(p + 2)
      const found = { type: block.bytes.readUInt16LE(p), block, offset: p + 8, length: size }
      messages.push(found)
      if (found.type === MESSAGE.continuation) goOn(todo, continuation(found), 0)
      p += 8 + size
    }
  }
  return messages
}

export interface FilePlace {
  readonly at: number
  readonly length: number
}

function goOn(blocks: (FilePlace & { readonly start: number })[], place: FilePlace, start: number): void {
  if (blocks.push({ ...place, start }) > MOST_BLOCKS) throw new RangeError('too many blocks')
}

/** Where a continuation message leads. */
export const continuation = ({ block, offset }: { block: { bytes: Buffer }; offset: number }): FilePlace => ({
  at: Number(block.bytes.readBigUInt64LE(offset)),
  length: Number(block.bytes.readBigUInt64LE(offset + 8))
})

function readNewHeader(disk: Disk, address: number, head: Buffer): HeaderMessage[] {
  const flags = head[5] ?? 0
  let p = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0)
  const width = 1 << (flags & 3)
  const size = head.readUIntLE(p, Math.min(width, 6))
  p += width
  const messageHead = flags & 4 ? 6 : 4
  const messages: HeaderMessage[] = []
  const todo = [{ at: address, length: p + size + 4, start: p }]
  for (const { at, length, start } of todo) {
    const block: Block = { at, bytes: disk.read(length, at, 'object header'), checksum: length - 4 }
    if (lookup3(block.bytes, 0, length - 4) !== block.bytes.readUInt32LE(length - 4))
      throw new CodedError('HDF5_FAILED', `${disk.path}: the checksum of the object header at ${at} is wrong`)
    for (let q = start; q + messageHead <= length - 4;) {
      const found = {
        type: block.bytes[q] ?? 0,
        block,
        offset: q + messageHead,
        length: block.bytes.readUInt16LE(q + 1)
      }
      messages.push(found)
      if (found.type === MESSAGE.continuation) goOn(todo, continuation(found), 4)
      q += messageHead + found.length
    }
  }
  return messages
}

/** What of a dataset the direct path needs. */
export interface Chunked {
  readonly space: HeaderMessage
  readonly layout: HeaderMessage
  readonly rank: number
  readonly dims: readonly number[]
  /** Offset of the first dimension in its block, and of the index address. */
  readonly dimAt: number
  readonly indexAt: number
  readonly index: bigint
  /** In elements, and the element size last. */
  readonly chunk: readonly number[]
  readonly filters: readonly { readonly id: number; readonly values: readonly number[] }[]
  /** Chunks that are not stored read as something else than zeros. */
  readonly filled: boolean
}

/** Reads the header of a chunked dataset with a version 1 B-tree. Throws Unsupported for any other. */
export function readChunked(disk: Disk, address: number, path: string): Chunked {
  return within(disk, `${path}: its header`, () => chunkedOf(readHeader(disk, address), path))
}

function chunkedOf(messages: readonly HeaderMessage[], path: string): Chunked {
  const find = (type: number): HeaderMessage | undefined => messages.find((message) => message.type === type)
  const space = find(MESSAGE.dataspace)
  const layout = find(MESSAGE.layout)
  if (!space || !layout) throw new Unsupported(`${path}: no dataspace or layout`)
  const s = space.block.bytes
  const dimAt = space.offset + (s[space.offset] === 1 ? 8 : 4)
  const rank = s[space.offset + 1] ?? 0
  const l = layout.block.bytes
  if (l[layout.offset] !== 3) throw new Unsupported(`${path}: layout version ${l[layout.offset]}`)
  if (l[layout.offset + 1] !== 2) throw new Unsupported(`${path}: it is not chunked`)
  const count = l[layout.offset + 2] ?? 0
  const indexAt = layout.offset + 3
  const pipeline = find(MESSAGE.filter)
  return {
    space,
    layout,
    rank,
    dims: Array.from({ length: rank }, (_, i) => Number(s.readBigUInt64LE(dimAt + 8 * i))),
    dimAt,
    indexAt,
    index: l.readBigUInt64LE(indexAt),
    chunk: Array.from({ length: count }, (_, i) => l.readUInt32LE(indexAt + 8 + 4 * i)),
    filters: pipeline ? readPipeline(pipeline) : [],
    filled: isFilled(find(MESSAGE.fill))
  }
}

function readPipeline({ block: { bytes }, offset }: HeaderMessage): { id: number; values: number[] }[] {
  const version = bytes[offset] ?? 0
  let p = offset + (version === 1 ? 8 : 2)
  return Array.from({ length: bytes[offset + 1] ?? 0 }, () => {
    const id = bytes.readUInt16LE(p)
    const named = version === 1 || id >= 256
    const name = named ? bytes.readUInt16LE(p + 2) : 0
    const count = bytes.readUInt16LE(p + (named ? 6 : 4))
    p += (named ? 8 : 6) + (version === 1 ? (name + 7) & ~7 : name)
    const values = Array.from({ length: count }, (_, i) => bytes.readUInt32LE(p + 4 * i))
    p += 4 * (count + (version === 1 ? count % 2 : 0))
    return { id, values }
  })
}

function isFilled(fill: HeaderMessage | undefined): boolean {
  if (!fill) return false
  const { bytes } = fill.block
  const p = fill.offset
  const version = bytes[p] ?? 0
  const flags = bytes[p + 1] ?? 0
  if (version === 3 && !(flags & 0x20)) return false
  if (version === 2 && bytes[p + 3] === 0) return false
  const at = p + (version === 3 ? 2 : 4)
  const size = bytes.readUInt32LE(at)
  return bytes.subarray(at + 4, at + 4 + size).some((byte) => byte !== 0)
}

export interface StoredChunk {
  readonly address: number
  readonly bytes: number
}

/** What a list can hold. */
const MOST_CHUNKS = 2 ** 32 - 1

/**
 * Chunks by number along the first dimension; holes are undefined.
 * @param damaged - called with the address of a node that is none, which is then left out; default: throw
 */
export function readIndex(
  disk: Disk,
  chunked: Chunked,
  path: string,
  damaged = (address: number): void => {
    throw new CodedError('HDF5_FAILED', `${disk.path}: ${path}: the chunk index at ${address} is damaged`)
  }
): (StoredChunk | undefined)[] {
  const out: (StoredChunk | undefined)[] = []
  const { rank, chunk } = chunked
  const key = 8 + 8 * (rank + 1)
  // Nodes of a damaged index may lead to each other; those of a sound one lie side by side
  let left = disk.size / (key + 8)
  const visit = (address: number, below: number): void => {
    if (address + 24 > disk.size) {
      damaged(address)
      return
    }
    const head = disk.read(24, address, `${path} (chunk index)`)
    const level = head[5] ?? 0
    if (head.toString('latin1', 0, 4) !== 'TREE' || head[4] !== 1 || level >= below) {
      damaged(address)
      return
    }
    const used = head.readUInt16LE(6)
    left -= Math.max(1, used)
    if (left < 0 || address + 24 + used * (key + 8) > disk.size) {
      damaged(address)
      return
    }
    const body = disk.read(used * (key + 8), address + 24, `${path} (chunk index)`)
    for (let i = 0; i < used; i++) {
      const p = i * (key + 8)
      const child = Number(body.readBigUInt64LE(p + key))
      if (level > 0) {
        visit(child, level)
        continue
      }
      const row = Number(body.readBigUInt64LE(p + 8))
      const others = Array.from({ length: rank - 1 }, (_, d) => body.readBigUInt64LE(p + 16 + 8 * d))
      if (others.some((n) => n !== 0n)) throw new Unsupported(`${path}: its chunks do not span whole rows`)
      if (body.readUInt32LE(p + 4) !== 0) throw new Unsupported(`${path}: a chunk that is not filtered`)
      const place = row / (chunk[0] ?? 1)
      if (!Number.isInteger(place) || place >= MOST_CHUNKS) {
        damaged(address)
        return
      }
      out[place] = { address: child, bytes: body.readUInt32LE(p) }
    }
  }
  if (chunked.index !== UNDEFINED) visit(Number(chunked.index), 256)
  return out
}
