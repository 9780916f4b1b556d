// One NeXus file being written: structure first, then growing columns with checkpoints, then the rest of the structure.
import { closeSync, existsSync, fsyncSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { CodedError } from '../../../core/api/plugin.js'
import { type Backend, type Publishing } from './backend.js'
import { Budget } from './column.js'
import { DirectBackend } from './direct.js'
import { Disk, type WriteHook } from './disk.js'
import { readChunked } from './format.js'
import { lockFile } from './lock.js'
import { PlainBackend } from './plain.js'
import { FilePlan } from './plan.js'
import { FileGroup, type StructureOwner, type StructureSink } from './structure.js'
import { type DatasetLayout, WasmFile } from './wasm.js'
import { type Column, type ColumnOptions, type Group } from '../writer-part.js'
import { Unsupported, readSuperblock } from './superblock.js'

export interface NexusFileOptions {
  /** `direct` (default): by position; `h5wasm`: all through the library. */
  readonly backend?: 'direct' | 'h5wasm'
  /** `create` (default) refuses a file that exists; `continue` opens one, e.g. the copy of a template. */
  readonly mode?: 'create' | 'continue'
  /** When data must be on the disk itself; default `close`. */
  readonly fsync?: 'never' | 'checkpoint' | 'close'
  /** Most bytes gathered per column before they are written (128 KiB for bulk columns); default 4096. */
  readonly tailBytes?: number
  /** Bound for what all columns gather together; default 64 MiB. */
  readonly memoryBytes?: number
  /** Sees each write of the direct path before it is done; for fault tests. */
  readonly onWrite?: WriteHook
}

export interface NexusFile {
  readonly path: string
  /** `h5wasm` was asked for, or the file to continue has a layout that only the library can change. */
  readonly backend: 'direct' | 'h5wasm'
  /** Structure: before begin(), inside lateStructure() and after finish(). */
  readonly root: Group
  /** An existing group by absolute path (template mode). */
  group(path: string): Group | undefined
  /** An existing dataset that can grow, by absolute path, to be continued; before begin(). Throws STRUCTURE_INVALID. */
  column(path: string, options?: Pick<ColumnOptions, 'index' | 'bulk'>): Column
  /** Structure is complete; from here columns grow. */
  begin(): void
  /** What `take` appends of `memory` may be written while other work goes on: the memory is given back by `release`. */
  lend(memory: ArrayBufferLike, take: () => void, release: () => void): void
  /** Resolves when all that was lent is written, or the file has failed; undefined when that is so. For those who would rather wait than have `checkpoint` and `finish` do it. */
  drained(): Promise<void> | undefined
  /** The file on disk becomes consistent: readers see everything appended so far, index columns published last. */
  checkpoint(): void
  /** Changes the structure (new columns too) while columns grow. */
  lateStructure(change: () => void): void
  /** All columns are final; root can be used again for datasets, attributes and links. Can be called twice. */
  finish(): void
  /** Flushes, closes, releases the lock. After a failure: what was good remains readable. Can be called twice. */
  close(): void
  /** Size on disk so far. */
  readonly bytes: number
  /** A write has failed: the file keeps what the last checkpoint published. */
  readonly failure: CodedError | undefined
}

type State = 'structure' | 'growing' | 'finished' | 'closed'
type Library = (path: string, mode: 'create' | 'change') => WasmFile

/** A file whose structure the library makes; it has the file open except while columns grow by position. */
class LibraryFile {
  #wasm: WasmFile | undefined

  readonly #path: string
  readonly #library: Library

  constructor(path: string, library: Library, mode: 'create' | 'change') {
    this.#path = path
    this.#library = library

    this.#wasm = library(path, mode)
  }

  get opened(): WasmFile {
    return (this.#wasm ??= this.#library(this.#path, 'change'))
  }

  release(): void {
    const wasm = this.#wasm
    this.#wasm = undefined
    wasm?.close()
  }
}

class WritableFile implements NexusFile, StructureOwner {
  readonly root: FileGroup
  readonly backend: 'direct' | 'h5wasm'
  #state: State = 'structure'
  #alike: Publishing[] = []
  /** A new file is planned here and never needs the library, unless the back end is to be the library. */
  readonly #structure: FilePlan | LibraryFile
  readonly #direct: DirectBackend | undefined
  readonly #plain: PlainBackend | undefined

  readonly #unlock: () => void
  readonly #options: NexusFileOptions

  /** @param library - undefined: a new file, by the direct back end */
  constructor(
    readonly path: string,
    library: Library | undefined,
    unlock: () => void,
    options: NexusFileOptions
  ) {
    this.#unlock = unlock
    this.#options = options

    const create = options.mode !== 'continue'
    const budget = new Budget(options.memoryBytes ?? 64 << 20, options.tailBytes ?? 4096)
    const { onWrite: hook } = options
    const fsync = options.fsync === 'checkpoint'
    const isDirect = !library || (options.backend !== 'h5wasm' && isPlainFile(path))
    if (library) {
      const file = (this.#structure = new LibraryFile(path, library, create ? 'create' : 'change'))
      if (!isDirect) this.#plain = new PlainBackend(() => file.opened, budget)
    } else this.#structure = newPlan(path, hook)
    if (isDirect) this.#direct = new DirectBackend(path, budget, { fsync, hook })
    this.backend = isDirect ? 'direct' : 'h5wasm'
    this.root = FileGroup.root(this, create)
  }

  get #columns(): Backend {
    return (this.#direct ?? this.#plain) as Backend
  }

  get bytes(): number {
    return this.#direct?.bytes ?? statSync(this.path, { throwIfNoEntry: false })?.size ?? 0
  }

  get failure(): CodedError | undefined {
    return this.#direct?.failure
  }

  sink(): StructureSink {
    if (this.#state === 'growing' || this.#state === 'closed')
      throw new CodedError('HDF5_FAILED', `${this.path}: structure cannot be changed while the file is ${this.#state}`)
    return this.#structure instanceof FilePlan ? this.#structure : this.#structure.opened
  }

  newColumn(path: string, layout: DatasetLayout, options: ColumnOptions, parent: string): Column {
    if (this.#state === 'finished')
      throw new CodedError('HDF5_FAILED', `${path}: a column cannot be made after the end`)
    const publishing = this.#publishing(parent, options.index ?? false, options.bulk ?? false)
    if (!this.#direct) return this.#plain?.column(path, layout, publishing, 0) as Column
    const address = this.#structure instanceof FilePlan ? 0 : this.#structure.opened.address(path)
    return this.#direct.column(path, layout, publishing, address)
  }

  /** One for all columns of a group that are alike. */
  #publishing(group: string, index: boolean, bulk: boolean): Publishing {
    if (this.#alike[0]?.group !== group) this.#alike = []
    const known = this.#alike.find((one) => one.index === index && one.bulk === bulk)
    if (known) return known
    const made = { group, index, bulk }
    this.#alike.push(made)
    return made
  }

  group(path: string): Group | undefined {
    return this.root.find(path)
  }

  column(path: string, options: Pick<ColumnOptions, 'index' | 'bulk'> = {}): Column {
    const refused = (why: string): CodedError =>
      new CodedError('STRUCTURE_INVALID', `${path} cannot be continued: ${why}`, { path })
    if (this.#structure instanceof FilePlan || this.#state !== 'structure')
      throw refused('the file is new, or columns grow already')
    const wasm = this.#structure.opened
    const layout = wasm.kind(path) === 'dataset' ? wasm.layout(path) : 'there is no such dataset'
    if (typeof layout === 'string') throw refused(layout)
    const publishing = { group: dirname(path), index: options.index ?? false, bulk: options.bulk ?? false }
    if (!this.#direct) return this.#plain?.column(path, layout, publishing, layout.length) as Column
    const address = wasm.address(path)
    wasm.flush()
    const disk = new Disk(this.path, 'read')
    try {
      readChunked(disk, address, path)
    } catch (error) {
      if (error instanceof Unsupported) throw refused(`${error.message}; the h5wasm back end can`)
      throw error
    } finally {
      disk.close()
    }
    return this.#direct.column(path, layout, publishing, address)
  }

  begin(): void {
    this.#expect('begin', 'structure')
    this.#grow()
  }

  /** From structure to growing. */
  #grow(): void {
    if (this.#direct) this.#release()
    this.#columns.begin()
    this.#state = 'growing'
  }

  /** Writes what is planned, or takes the file out of the library's hands. */
  #release(): void {
    if (!(this.#structure instanceof FilePlan)) {
      this.#structure.release()
      return
    }
    const written = this.#structure.write()
    if (written) this.#direct?.planned(written.table, written.columns)
  }

  lend(memory: ArrayBufferLike, take: () => void, release: () => void): void {
    if (this.#direct) return this.#direct.behind.lend(memory, take, release)
    try {
      take()
    } finally {
      release()
    }
  }

  drained(): Promise<void> | undefined {
    return this.#direct?.behind.drained()
  }

  checkpoint(): void {
    this.#expect('checkpoint', 'growing')
    this.#columns.checkpoint()
  }

  lateStructure(change: () => void): void {
    this.#expect('change the structure', 'growing')
    this.#columns.end()
    this.#state = 'structure'
    try {
      change()
    } finally {
      this.#grow()
    }
  }

  finish(): void {
    if (this.#state === 'finished') return
    this.#expect('finish', 'growing')
    this.#state = 'finished'
    this.#columns.end()
  }

  close(): void {
    if (this.#state === 'closed') return
    try {
      if (this.#state === 'growing') this.#columns.end()
      this.#release()
      if (this.#options.fsync !== 'never') syncFile(this.path)
    } finally {
      this.#columns.abandon()
      this.#state = 'closed'
      this.#unlock()
    }
  }

  #expect(what: string, state: State): void {
    if (this.#state !== state)
      throw new CodedError('HDF5_FAILED', `${this.path}: cannot ${what}: the file is ${this.#state}, not ${state}`)
  }
}

/** The plan of a new file, which is created at once. */
function newPlan(path: string, hook: WriteHook | undefined): FilePlan {
  let fresh: Disk | undefined = new Disk(path, 'create', hook)
  return new FilePlan(() => {
    const disk = fresh ?? new Disk(path, 'change', hook)
    const end = fresh ? 0 : readSuperblock(disk).end
    fresh = undefined
    return { disk, end }
  })
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r+')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Whether the direct path can work with a file; newer superblocks make the library write newer chunk indexes. */
function isPlainFile(path: string): boolean {
  const disk = new Disk(path, 'read')
  try {
    readSuperblock(disk)
    return true
  } catch (error) {
    if (error instanceof Unsupported) return false
    throw error
  } finally {
    disk.close()
  }
}

/**
 * Creates (or continues) a file; everything after that is synchronous, meant for a job's worker thread.
 * @throws CodedError FILE_EXISTS, FILE_PATH, FILE_READ, HDF5_LOCKED, HDF5_FAILED
 */
export async function createNexusFile(path: string, options: NexusFileOptions = {}): Promise<NexusFile> {
  const isPlanned = options.mode !== 'continue' && options.backend !== 'h5wasm'
  // Loading the library costs a thread 0.3 s and 50 MB
  const library = isPlanned ? undefined : await WasmFile.library()
  if (!existsSync(dirname(path))) throw new CodedError('FILE_PATH', `${path}: the folder does not exist`)
  const present = existsSync(path)
  if (options.mode === 'continue' && !present) throw new CodedError('FILE_READ', `${path} does not exist`)
  if (options.mode !== 'continue' && present) throw new CodedError('FILE_EXISTS', `${path} exists already`)
  const unlock = lockFile(path)
  try {
    return new WritableFile(path, library, unlock, options)
  } catch (error) {
    unlock()
    throw error
  }
}
