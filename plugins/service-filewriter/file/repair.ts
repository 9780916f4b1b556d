// Puts right what a writer that died (power cut, kill during the library's own writes, truncated copy) left behind.
import { CodedError } from '../../../core/api/plugin.js'
import { codec } from './codec.js'
import { Disk } from './disk.js'
import { type Chunked, type HeaderMessage, readChunked, readIndex, type StoredChunk } from './format.js'
import { UNDEFINED } from './messages.js'
import { lockFile } from './lock.js'
import { OTHER_CHUNKS, WasmFile } from './wasm.js'
import { lookup3, Unsupported, readSuperblock, writeEnd } from './superblock.js'

export interface RepairReport {
  readonly path: string
  /** What was changed, in words; [] when the file was good. */
  readonly actions: readonly string[]
  /** What could not be looked into. */
  readonly notes: readonly string[]
}

/** Columns that always have one length, and indices with what they point into. */
const EQUAL = [
  ['time', 'value'],
  ['event_id', 'event_time_offset'],
  ['event_time_zero', 'event_index'],
  ['cue_timestamp_zero', 'cue_index']
] as const
const POINTERS = [
  ['event_index', 'event_id'],
  ['cue_index', 'event_id'],
  ['cue_index', 'time']
] as const

interface Found {
  readonly path: string
  readonly chunked: Chunked
  readonly chunks: readonly (StoredChunk | undefined)[]
  rows: number
  /** The filtered chunk that was looked into last. */
  expanded?: { readonly of: StoredChunk; readonly bytes: Buffer | undefined }
}

/** A filtered chunk that becomes more is not looked into. */
const MOST_CHUNK_BYTES = 256 << 20

/**
 * Checks a file that nobody writes and repairs what is wrong: end of file, lengths beyond the stored chunks, unequal
 * lengths in a group, index entries that point past the data. Only ever shortens; a good file is not touched. `progress` hears of each
 * dataset that was looked into.
 * @throws CodedError FILE_READ, HDF5_LOCKED, HDF5_FAILED when it is no HDF5 file or too damaged
 */
export async function repair(
  path: string,
  progress: (done: number, total: number) => void = () => undefined
): Promise<RepairReport> {
  const actions: string[] = []
  const notes: string[] = []
  const probe = new Disk(path, 'read')
  const { version } = readSuperblock(probe)
  const originalSize = probe.size
  probe.close()
  const unlock = lockFile(path)
  try {
    fixEnd(path, version, actions)
    let datasets: { path: string; address: number }[]
    try {
      datasets = await listColumns(path, notes)
    } catch (error) {
      const disk = new Disk(path, 'change')
      try {
        if (readSuperblock(disk).end === disk.size) throw error
        // A writer through the library publishes the end of file last: what lies behind it is wanted
        writeEnd(disk, version, disk.size)
        actions.push(`end of file set to the size of the file, ${disk.size}`)
      } finally {
        disk.close()
      }
      datasets = await listColumns(path, notes)
    }
    fixLengths(path, counted(datasets, progress), originalSize, actions, notes)
  } finally {
    unlock()
  }
  return { path, actions, notes }
}

/** A file shorter than its superblock says does not open at all. */
function fixEnd(path: string, version: number, actions: string[]): void {
  const disk = new Disk(path, 'change')
  try {
    const { end } = readSuperblock(disk)
    if (disk.size >= end) return
    actions.push(`file was ${end - disk.size} bytes short: extended to ${end}`)
    disk.resize(end)
    writeEnd(disk, version, end)
  } finally {
    disk.close()
  }
}

const isColumn = (layout: unknown): boolean => typeof layout !== 'string' || layout === OTHER_CHUNKS

async function listColumns(path: string, notes: string[]): Promise<{ path: string; address: number }[]> {
  const file = (await WasmFile.library())(path, 'read')
  const out: { path: string; address: number }[] = []
  const seen = new Set<number>()
  const todo = ['/']
  for (const group of todo) {
    for (const name of file.children(group)) {
      const child = group === '/' ? `/${name}` : `${group}/${name}`
      const kind = file.kind(child)
      if (kind !== 'group' && kind !== 'dataset') continue
      const address = file.address(child)
      // Hard links lead to an object more than once
      if (seen.has(address)) continue
      seen.add(address)
      if (kind === 'group') todo.push(child)
      else if (isColumn(file.layout(child))) out.push({ path: child, address })
    }
    if (todo.length > 1_000_000) notes.push('more than a million groups: the rest was not looked into')
  }
  file.close()
  return out
}

function* counted<T>(list: readonly T[], progress: (done: number, total: number) => void): Generator<T> {
  for (const [i, item] of list.entries()) {
    yield item
    progress(i + 1, list.length)
  }
}

function fixLengths(
  path: string,
  datasets: Iterable<{ path: string; address: number }>,
  size: number,
  actions: string[],
  notes: string[]
): void {
  const disk = new Disk(path, 'change')
  try {
    const groups = new Map<string, Map<string, Found>>()
    for (const { path: dataset, address } of datasets) {
      const found = look(disk, dataset, address, actions, notes)
      if (!found) continue
      const slash = dataset.lastIndexOf('/')
      const group = dataset.slice(0, slash)
      groups.set(group, (groups.get(group) ?? new Map<string, Found>()).set(dataset.slice(slash + 1), found))
      const stored = storedRows(found, size)
      shorten(disk, found, stored, `only ${stored} rows are stored`, actions)
    }
    for (const columns of groups.values()) {
      // What is taken off one column may make another one too long
      for (let before = -1; before < actions.length;) {
        before = actions.length
        alignPointers(disk, columns, actions)
        makeEqual(disk, columns, actions)
      }
    }
  } finally {
    disk.close()
  }
}

function look(disk: Disk, path: string, address: number, actions: string[], notes: string[]): Found | undefined {
  try {
    const chunked = readChunked(disk, address, path)
    const damaged: number[] = []
    const chunks = readIndex(disk, chunked, path, (at) => damaged.push(at))
    const found = { path, chunked, chunks, rows: chunked.dims[0] ?? 0 }
    if (damaged.includes(Number(chunked.index))) {
      // Without its root the dataset could not even be opened
      patch(disk, chunked.layout, chunked.indexAt, UNDEFINED, path)
      actions.push(`${path}: its chunk index is lost`)
    } else if (damaged.length > 0) notes.push(`${path}: ${damaged.length} parts of its chunk index are lost`)
    return found
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    notes.push(error instanceof Unsupported ? `not looked into: ${error.message}` : error.message)
    return undefined
  }
}

/** Changes 8 bytes of a header. */
function patch(disk: Disk, { block }: HeaderMessage, at: number, value: bigint, path: string): void {
  block.bytes.writeBigUInt64LE(value, at)
  if (block.checksum === undefined) {
    disk.write(block.bytes.subarray(at, at + 8), block.at + at, path)
    return
  }
  block.bytes.writeUInt32LE(lookup3(block.bytes, 0, block.checksum), block.checksum)
  disk.write(block.bytes, block.at, path)
}

/** Rows up to the first chunk that is missing or lies behind the end of the file as it was found. */
function storedRows({ chunked, chunks, rows }: Found, size: number): number {
  const perChunk = chunked.chunk[0] ?? 1
  const needed = Math.ceil(rows / perChunk)
  for (let i = 0; i < needed; i++) {
    const chunk = chunks[i]
    // The last chunk of an unfiltered dataset may end in a hole behind the data
    const whole =
      i === needed - 1 && chunked.filters.length === 0
        ? ((rows - i * perChunk) * (chunk?.bytes ?? 0)) / perChunk
        : (chunk?.bytes ?? 0)
    if (!chunk || chunk.address + whole > size) return i * perChunk
  }
  return rows
}

function shorten(disk: Disk, found: Found, rows: number, why: string, actions: string[]): void {
  if (rows >= found.rows) return
  actions.push(`${found.path}: ${found.rows} rows shortened to ${rows}: ${why}`)
  patch(disk, found.chunked.space, found.chunked.dimAt, BigInt(rows), found.path)
  found.rows = rows
}

function makeEqual(disk: Disk, columns: ReadonlyMap<string, Found>, actions: string[]): void {
  for (const names of EQUAL) {
    const parts = names.map((name) => columns.get(name)).filter((one) => one !== undefined)
    const rows = Math.min(...parts.map((one) => one.rows))
    if (parts.length > 1)
      for (const one of parts) shorten(disk, one, rows, 'the columns of the group had unequal lengths', actions)
  }
}

/** Takes off entries at the end of an index that point behind the data. */
function alignPointers(disk: Disk, columns: ReadonlyMap<string, Found>, actions: string[]): void {
  for (const [index, data] of POINTERS) {
    const pointer = columns.get(index)
    const target = columns.get(data)
    if (!pointer || !target) continue
    let rows = pointer.rows
    while (rows > 0 && (integerAt(disk, pointer, rows - 1) ?? 0n) > BigInt(target.rows)) rows--
    shorten(disk, pointer, rows, `its entries pointed behind ${data}`, actions)
  }
}

/** One element of a column of 4 or 8 byte integers; undefined for what cannot be read. */
function integerAt(disk: Disk, found: Found, row: number): bigint | undefined {
  const { path, chunked, chunks } = found
  const perChunk = chunked.chunk[0] ?? 1
  const size = chunked.chunk.at(-1) ?? 0
  const chunk = chunks[Math.floor(row / perChunk)]
  const at = (row % perChunk) * size
  if (!chunk || chunked.rank !== 1 || (size !== 8 && size !== 4)) return undefined
  let bytes: Buffer | undefined
  if (chunked.filters.length === 0) {
    if (chunk.address + at + size > disk.size) return undefined
    bytes = disk.read(size, chunk.address + at, path)
  } else {
    if (found.expanded?.of !== chunk) found.expanded = { of: chunk, bytes: expand(disk, found, chunk, perChunk * size) }
    bytes = found.expanded.bytes?.subarray(at, at + size)
  }
  if (bytes?.length !== size) return undefined
  return size === 8 ? bytes.readBigInt64LE(0) : BigInt(bytes.readInt32LE(0))
}

/** Undefined where it is damaged, too large, or packed in a way that is not ours. */
function expand(disk: Disk, { path, chunked }: Found, chunk: StoredChunk, size: number): Buffer | undefined {
  const packer = codec(chunked.filters)
  if (packer === undefined || size > MOST_CHUNK_BYTES) return undefined
  const packed = disk.read(chunk.bytes, chunk.address, path)
  try {
    return packer.expand(packed, size)
  } catch {
    return undefined
  }
}
