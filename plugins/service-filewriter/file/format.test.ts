// Damaged files that fuzzing found, and what their likes would do: each ends soon, with little memory, in HDF5_FAILED.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Disk } from './disk.js'
import { readChunked, readHeader, readIndex } from './format.js'
import { chunkedLayout, dataspace, message, MESSAGE, objectHeader, pair } from './messages.js'
import { repair } from './repair.js'
import { lookup3, readSuperblock } from './superblock.js'

describe('reading damaged HDF5', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-format-'))
  after(() => rmSync(folder, { recursive: true }))
  let n = 0
  const file = (...parts: readonly Buffer[]): string => {
    const path = join(folder, `${n++}.nxs`)
    writeFileSync(path, Buffer.concat(parts))
    return path
  }
  const on = <T>(path: string, read: (disk: Disk) => T): T => {
    const disk = new Disk(path, 'read')
    try {
      return read(disk)
    } finally {
      disk.close()
    }
  }
  const refused = (path: string, read: (disk: Disk) => unknown, message: RegExp): void =>
    assert.throws(() => on(path, read), { code: 'HDF5_FAILED', message })
  const header = (...messages: readonly Buffer[]): Buffer => objectHeader(messages, messages.length, 1)
  const leadsTo = (at: number, length: number): Buffer => message(MESSAGE.continuation, pair(at, length))

  it('a superblock that is cut off', async () => {
    const path = file(
      Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'),
      Buffer.from([0, 0, 0, 0, 0, 8, 8, 0]),
      Buffer.alloc(32)
    )
    refused(path, readSuperblock, /is not an HDF5 file/)
    await assert.rejects(repair(path), { code: 'HDF5_FAILED' })
  })

  it('a header where there is none, in the file or behind it', () => {
    refused(file(Buffer.alloc(100)), (disk) => readHeader(disk, 20), /no object header at 20/)
    refused(file(Buffer.alloc(100)), (disk) => readHeader(disk, 1e6), /cannot read/)
    refused(file(Buffer.alloc(3, 1)), (disk) => readHeader(disk, 0), /the object header at 0 is damaged/)
  })

  it('a header whose continuation is larger than the file, or leads back to itself', () => {
    refused(file(header(leadsTo(0, 3_000_000_000))), (disk) => readHeader(disk, 0), /the file ends at/)
    refused(file(header(leadsTo(2 ** 52, 16))), (disk) => readHeader(disk, 0), /the file ends at/)
    const loop = Buffer.alloc(100)
    loop.write('OHDR', 0, 'latin1')
    loop.set([2, 0, 20], 4)
    loop.set([MESSAGE.continuation, 16, 0, 0], 7)
    pair(40, 28).copy(loop, 11)
    loop.writeUInt32LE(lookup3(loop, 0, 27), 27)
    loop.set([MESSAGE.continuation, 16, 0, 0], 44)
    pair(40, 28).copy(loop, 48)
    loop.writeUInt32LE(lookup3(loop.subarray(40), 0, 24), 64)
    refused(file(loop), (disk) => readHeader(disk, 0), /the object header at 0 is damaged/)
  })

  /** A dataset at 0 whose index begins at 1024. */
  function dataset(...nodes: readonly Buffer[]): string {
    const layout = chunkedLayout([4], 8)
    layout.writeBigUInt64LE(1024n, 3)
    const head = header(message(MESSAGE.dataspace, dataspace([8], true)), message(MESSAGE.layout, layout))
    return file(head, Buffer.alloc(1024 - head.length), ...nodes)
  }
  function node(level: number, children: readonly number[], row = 0): Buffer {
    const out = Buffer.alloc(24 + children.length * 32)
    out.write('TREE', 0, 'latin1')
    out.set([1, level, children.length], 4)
    children.forEach((child, i) => {
      out.writeUInt32LE(32, 24 + 32 * i)
      out.writeBigUInt64LE(BigInt(row), 32 + 32 * i)
      out.writeBigUInt64LE(BigInt(child), 48 + 32 * i)
    })
    return out
  }
  const index = (path: string) =>
    on(path, (disk) => {
      let damaged = 0
      const chunks = readIndex(disk, readChunked(disk, 0, 'x'), 'x', () => damaged++)
      return { chunks, damaged }
    })

  it('an index whose nodes lead to one and the same many times', () => {
    assert.deepEqual(index(dataset(node(0, [9]))), { chunks: [{ address: 9, bytes: 32 }], damaged: 0 })
    // 100 levels of 8: 8^100 visits
    const size = 24 + 8 * 32
    const levels = Array.from({ length: 100 }, (_, i) => node(99 - i, Array<number>(8).fill(1024 + (i + 1) * size)))
    const { damaged } = index(dataset(...levels))
    assert.ok(damaged > 0)
  })

  it('an index with chunks at places that are none', () => {
    for (const row of [3, 2 ** 50]) assert.deepEqual(index(dataset(node(0, [9], row))), { chunks: [], damaged: 1 })
  })
})
