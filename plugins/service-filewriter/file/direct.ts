// The direct back end: payload by position, then index, end of file and lengths at checkpoints, in an order that is right at any moment.
import { CodedError } from '../../../core/api/plugin.js'
import { type Backend, type Publishing } from './backend.js'
import { Behind } from './behind.js'
import { addressBytes } from './chunk-index.js'
import { type Budget } from './column.js'
import { DirectColumn, type HeaderPlace, type Space } from './direct-column.js'
import { Disk, type WriteHook } from './disk.js'
import { fits, GrownColumn, headOf, largerLayout, rewrite, showRows, type Shown } from './growth.js'
import { type DatasetLayout } from './wasm.js'
import { type Column } from '../writer-part.js'
import { lookup3, readSuperblock, writeEnd } from './superblock.js'

/** The published end of file runs ahead (sparse), so that a reader that opened before still reaches later chunks. */
const LEAST_AHEAD = 1 << 20
const MOST_AHEAD = 1 << 28
/** Unchanged lengths between changed ones are written along with them. */
const GAP = 1 << 12

/** The table of lengths that plan.ts made: its bytes as they are in the file. */
export interface IndexTable {
  readonly at: number
  readonly bytes: Buffer
}

export interface DirectOptions {
  readonly fsync: boolean
  readonly hook: WriteHook | undefined
}

export class DirectBackend implements Backend, Space {
  #open: Disk | undefined
  #columns: DirectColumn[] = []
  #version = 0
  #tip = 0
  #publishedEnd = 0
  /** End of what the last good checkpoint refers to. */
  #safeEnd = 0
  #table: IndexTable | undefined
  #failed: CodedError | undefined
  readonly behind = new Behind((error) => this.fail(error))

  readonly #path: string
  readonly #budget: Budget
  readonly #options: DirectOptions

  constructor(path: string, budget: Budget, options: DirectOptions) {
    this.#path = path
    this.#budget = budget
    this.#options = options
  }

  get disk(): Disk {
    if (this.#failed) throw this.#failed
    if (!this.#open)
      throw new CodedError('HDF5_FAILED', `${this.#path}: columns grow only between begin() and finish()`)
    return this.#open
  }

  get failure(): CodedError | undefined {
    return this.#failed
  }

  get bytes(): number | undefined {
    return this.#open && this.#tip
  }

  allocate(bytes: number, align: number): number {
    const at = Math.ceil(this.#tip / align) * align
    this.#tip = at + bytes
    return at
  }

  relieve(): void {
    for (const column of this.#columns) column.relax(true)
  }

  grow(column: DirectColumn, row: readonly number[]): Column | undefined {
    const { disk } = this
    const layout = largerLayout(column, row)
    if (!layout || column.address === 0 || !headOf(disk, column.address)) return undefined
    try {
      this.behind.settle()
      column.settle()
      const grown = fits(column, row) ? column : this.#replace(column, layout)
      grown.shown = row
      grown.reshaped = true
      return new GrownColumn(grown, row)
    } catch (error) {
      throw this.fail(error)
    }
  }

  #replace(column: DirectColumn, layout: DatasetLayout): DirectColumn {
    const grown = new DirectColumn(column.path, layout, this.#budget, column.publishing, this)
    grown.address = column.address
    rewrite(column, grown)
    column.relax(true)
    this.#columns[this.#columns.indexOf(column)] = grown
    return grown
  }

  /** @param address - of its object header; 0 while that is only planned */
  column(path: string, layout: DatasetLayout, publishing: Publishing, address = 0): DirectColumn {
    const column = new DirectColumn(path, layout, this.#budget, publishing, this)
    column.address = address
    this.#columns.push(column)
    return column
  }

  /** Columns whose headers plan.ts wrote; the first time nothing of them has to be read. */
  planned(table: IndexTable, places: ReadonlyMap<string, HeaderPlace & { readonly address: number }>): void {
    const isFirst = this.#table === undefined
    if (isFirst) this.#table = table
    for (const column of this.#columns) {
      const place = column.address === 0 ? places.get(column.path) : undefined
      if (place === undefined) continue
      column.address = place.address
      if (isFirst) column.place = place
    }
  }

  begin(): void {
    if (this.#failed) throw this.#failed
    this.#open = new Disk(this.#path, 'change', this.#options.hook, this.behind)
    const { version, end } = readSuperblock(this.#open)
    this.#version = version
    this.#tip = this.#publishedEnd = this.#safeEnd = end
    this.#checkTable(this.#open)
    for (const column of this.#columns) {
      if (!column.place || !this.#inTable(column.place)) column.load(column.address)
    }
    // Columns of a group together, index columns last; the table of lengths has the same order
    const order = new Map<string, number>()
    for (const { publishing } of this.#columns)
      if (!order.has(publishing.group)) order.set(publishing.group, order.size)
    const rank = ({ publishing }: DirectColumn): number =>
      (order.get(publishing.group) ?? 0) * 2 + (publishing.index ? 1 : 0)
    this.#columns = this.#columns
      .map((column, i) => ({ column, key: rank(column), i }))
      .sort((a, b) => a.key - b.key || a.i - b.i)
      .map(({ column }) => column)
  }

  /** The library keeps headers where they are; should it not, they are read again. */
  #checkTable(disk: Disk): void {
    const table = this.#table
    if (table && table.bytes.length > 0 && !disk.read(table.bytes.length, table.at, 'lengths').equals(table.bytes))
      this.#table = undefined
  }

  #inTable({ dimAt }: HeaderPlace): boolean {
    return this.#table !== undefined && dimAt >= this.#table.at && dimAt < this.#table.at + this.#table.bytes.length
  }

  checkpoint(): void {
    if (this.#failed) throw this.#failed
    try {
      this.#publish()
    } catch (error) {
      throw this.fail(error)
    }
    if (this.#budget.used > this.#budget.limit / 2) for (const column of this.#columns) column.relax(false)
  }

  #publish(): void {
    const { disk } = this,
      columns = this.#columns
    this.behind.settle()
    for (const column of columns) column.settle()
    const shown = this.#prepareShown(disk)
    this.#publishEnd(disk)
    if (this.#options.fsync) disk.sync(false)
    for (const one of shown) one.show()
    const roots = columns.filter((column) => column.root !== column.publishedRoot)
    this.#patch(disk, roots, ({ place, root }) =>
      place ? { at: place.indexAt, value: root, block: place.index } : undefined
    )
    if (this.#options.fsync && roots.length > 0) disk.sync(false)
    for (const column of roots) {
      column.publishedRoot = column.root
      column.published()
    }
    const longer = columns.filter((column) => column.length !== column.publishedRows)
    this.#patch(disk, longer, ({ place, length }) =>
      place ? { at: place.dimAt, value: length, block: place.dim } : undefined
    )
    if (this.#options.fsync && longer.length > 0) disk.sync(false)
    for (const column of longer) column.publishedRows = column.length
  }

  /** Headers of columns with larger rows are written beside the old ones, and seen when `show` is called. */
  #prepareShown(disk: Disk): Shown[] {
    return this.#columns
      .filter(({ reshaped }) => reshaped)
      .map((column) => showRows(disk, column, column.address, this))
  }

  #publishEnd(disk: Disk): void {
    if (this.#tip > this.#publishedEnd) {
      this.#publishedEnd = this.#tip + Math.min(MOST_AHEAD, Math.max(LEAST_AHEAD, this.#tip >>> 2))
      if (disk.size < this.#publishedEnd) disk.resize(this.#publishedEnd)
      writeEnd(disk, this.#version, this.#publishedEnd)
    }
    this.#safeEnd = this.#tip
  }

  /** Writes one 8-byte value per column, in order; runs within the table of lengths in one write. */
  #patch(disk: Disk, columns: readonly DirectColumn[], value: (column: DirectColumn) => Patch | undefined): void {
    const table = this.#table
    let from = -1
    let to = -1
    const put = (): void => {
      if (table && from >= 0) disk.write(table.bytes.subarray(from, to), table.at + from, 'lengths')
      from = -1
    }
    for (const column of columns) {
      const patch = value(column)
      if (!patch) continue
      const bytes = addressBytes(patch.value)
      const offset = table ? patch.at - table.at : -1
      if (table && offset >= 0 && offset < table.bytes.length) {
        if (from >= 0 && (offset < to || offset - to > GAP)) put()
        if (from < 0) from = offset
        to = offset + 8
        table.bytes.set(bytes, offset)
        continue
      }
      put()
      if (patch.block) putChecked(disk, patch.block, patch.at, bytes, column.path)
      else disk.write(bytes, patch.at, column.path)
    }
    put()
  }

  end(): void {
    const disk = this.#open
    if (!disk) return
    const before = this.#failed
    try {
      if (!before) this.#publish()
    } catch (error) {
      this.fail(error)
    }
    try {
      // What a failed checkpoint did not publish is cut off: on a full disk that makes room for the end of the structure
      // A thread that still writes would write over what takes its place
      if (this.#failed && !this.behind.isBehind) this.#tip = this.#safeEnd
      // At no moment is the file shorter than its superblock says
      if (disk.size < this.#tip) disk.resize(this.#tip)
      writeEnd(disk, this.#version, this.#tip)
      if (disk.size > this.#tip) disk.resize(this.#tip)
    } finally {
      this.#open = undefined
      disk.close()
    }
    if (this.#failed && !before) throw this.#failed
  }

  abandon(): void {
    this.#open?.close()
    this.#open = undefined
    for (const column of this.#columns) column.release()
  }

  fail(error: unknown): CodedError {
    const coded =
      error instanceof CodedError
        ? error
        : new CodedError('HDF5_FAILED', `${this.#path}: ${String(error)}`, { cause: error })
    this.#failed ??= coded
    return coded
  }
}

interface Patch {
  readonly at: number
  readonly value: number
  readonly block: HeaderPlace['dim']
}

function putChecked(disk: Disk, block: NonNullable<HeaderPlace['dim']>, at: number, bytes: Buffer, path: string): void {
  block.bytes.set(bytes, at - block.at)
  const sum = block.checksum ?? 0
  block.bytes.writeUInt32LE(lookup3(block.bytes, 0, sum), sum)
  disk.write(block.bytes, block.at, path)
}
