// One NeXus file being written: structure first, then growing columns with checkpoints, then the rest of the structure.
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { CodedError } from '../errors.js'
import { type Column, type ColumnOptions, type Group } from '../plugin.js'
import { type Backend, type Publishing } from './backend.js'
import { Budget } from './column.js'
import { lockFile } from './lock.js'
import { PlainBackend } from './plain.js'
import { FileGroup, type StructureOwner, type StructureSink } from './structure.js'
import { type Layout, WasmFile } from './wasm.js'

export interface NexusFileOptions {
  /** `direct` (default): by position; `h5wasm`: all through the library. */
  readonly backend?: 'direct' | 'h5wasm'
  /** `create` (default) refuses a file that exists; `continue` opens one, e.g. the copy of a template. */
  readonly mode?: 'create' | 'continue'
  /** When data must be on the disk itself; default `close`. */
  readonly fsync?: 'never' | 'checkpoint' | 'close'
  /** Most bytes gathered per column before they are written; default 4096. */
  readonly tailBytes?: number
  /** Bound for what all columns gather together; default 64 MiB. */
  readonly memoryBytes?: number
}

export interface NexusFile {
  readonly path: string
  /** Structure: before begin(), inside lateStructure() and after finish(). */
  readonly root: Group
  /** An existing group by absolute path (template mode). */
  group(path: string): Group | undefined
  /** An existing dataset that can grow, by absolute path, to be continued; before begin(). Throws STRUCTURE_INVALID. */
  column(path: string, options?: Pick<ColumnOptions, 'index' | 'bulk'>): Column
  /** Structure is complete; from here columns grow. */
  begin(): void
  /** The file on disk becomes consistent: readers see everything appended so far, index columns published last. */
  checkpoint(): void
  /** Changes the structure (new columns too) while columns grow. */
  lateStructure(change: () => void): void
  /** All columns are final; root can be used again for datasets, attributes and links. */
  finish(): void
  /** Flushes, closes, releases the lock. After a failure: what was good remains readable. Can be called twice. */
  close(): void
  /** Size on disk so far. */
  readonly bytes: number
}

type State = 'structure' | 'growing' | 'finished' | 'closed'

class WritableFile implements NexusFile, StructureOwner {
  readonly root: FileGroup
  private state: State = 'structure'
  private wasm: WasmFile | undefined
  private readonly backend: Backend

  constructor(
    readonly path: string,
    library: (path: string, mode: 'create' | 'change') => WasmFile,
    private readonly unlock: () => void,
    options: NexusFileOptions
  ) {
    const create = options.mode !== 'continue'
    const budget = new Budget(options.memoryBytes ?? 64 << 20, options.tailBytes ?? 4096)
    this.backend = new PlainBackend(() => this.opened(), budget)
    this.wasm = library(path, create ? 'create' : 'change')
    this.root = FileGroup.root(this, create)
  }

  get bytes(): number {
    return statSync(this.path).size
  }

  sink(): StructureSink {
    if (this.state === 'growing' || this.state === 'closed' || !this.wasm)
      throw new CodedError('HDF5_FAILED', `${this.path}: structure cannot be changed while the file is ${this.state}`)
    return this.wasm
  }

  newColumn(path: string, layout: Layout, options: ColumnOptions, parent: string): Column {
    if (this.state === 'finished') throw new CodedError('HDF5_FAILED', `${path}: a column cannot be made after the end`)
    const publishing: Publishing = { group: parent, index: options.index ?? false, bulk: options.bulk ?? false }
    return this.backend.column(path, layout, publishing, 0)
  }

  group(path: string): Group | undefined {
    return this.root.find(path)
  }

  column(path: string, options: Pick<ColumnOptions, 'index' | 'bulk'> = {}): Column {
    const wasm = this.opened()
    const layout = wasm.kind(path) === 'dataset' ? wasm.layout(path) : 'there is no such dataset'
    if (typeof layout === 'string')
      throw new CodedError('STRUCTURE_INVALID', `${path} cannot be continued: ${layout}`, { path })
    const publishing = { group: dirname(path), index: options.index ?? false, bulk: options.bulk ?? false }
    return this.backend.column(path, layout, publishing, layout.length)
  }

  begin(): void {
    this.expect('begin', 'structure')
    this.backend.begin()
    this.state = 'growing'
  }

  checkpoint(): void {
    this.expect('checkpoint', 'growing')
    this.backend.checkpoint()
  }

  lateStructure(change: () => void): void {
    this.expect('change the structure', 'growing')
    this.backend.end()
    this.state = 'structure'
    try {
      change()
    } finally {
      this.backend.begin()
      this.state = 'growing'
    }
  }

  finish(): void {
    this.expect('finish', 'growing')
    this.backend.end()
    this.state = 'finished'
  }

  close(): void {
    if (this.state === 'closed') return
    try {
      if (this.state === 'growing') this.backend.end()
      this.wasm?.close()
    } finally {
      this.backend.abandon()
      this.state = 'closed'
      this.unlock()
    }
  }

  private opened(): WasmFile {
    if (!this.wasm) throw new CodedError('HDF5_FAILED', `${this.path}: the library does not hold the file now`)
    return this.wasm
  }

  private expect(what: string, state: State): void {
    if (this.state !== state)
      throw new CodedError('HDF5_FAILED', `${this.path}: cannot ${what}: the file is ${this.state}, not ${state}`)
  }
}

/**
 * Creates (or continues) a file; everything after that is synchronous, meant for a job's worker thread.
 * @throws CodedError FILE_EXISTS, FILE_PATH, FILE_READ, HDF5_LOCKED, HDF5_FAILED
 */
export async function createNexusFile(path: string, options: NexusFileOptions = {}): Promise<NexusFile> {
  const library = await WasmFile.library()
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
