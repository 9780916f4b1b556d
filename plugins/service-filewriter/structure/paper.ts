// A group that only notes the names a writer makes: structures are tried out on it before a file exists.
import { elements, elementSize } from '../file/types.js'
import { CodedError } from '../../../core/api/plugin.js'
import { joinPath, type PlanGroup } from './plan.js'
import { type Column, type ColumnOptions, type Group } from '../writer-part.js'
import { columnLayout } from '../file/layout.js'

const bad = (path: string): CodedError =>
  new CodedError('HDF5_EXISTS', `${path} is made already by the structure or by another module of this group`)

export class PaperGroup implements Group {
  readonly made = new Set<string>()
  /** What the writer makes may depend on which group this is. */
  asked = false

  readonly #plan: PlanGroup

  constructor(plan: PlanGroup) {
    this.#plan = plan
  }

  get path(): string {
    this.asked = true
    return this.#plan.path
  }

  has(name: string): boolean {
    this.asked = true
    return this.#has(name)
  }

  hasAny(names: ReadonlySet<string>): boolean {
    for (const name of names) if (this.#has(name)) return true
    return false
  }

  group(name: string): Group {
    this.asked = true
    this.#make(name)
    const { path } = this.#plan
    return new PaperGroup({
      ...this.#plan,
      path: joinPath(path, name),
      groups: new Map(),
      datasets: new Map(),
      links: new Map(),
      written: new Set()
    })
  }

  column(name: string, options: ColumnOptions): Column {
    this.#make(name)
    if ((options.row ?? []).some((n) => !Number.isSafeInteger(n) || n < 1))
      throw new CodedError(
        'STRUCTURE_INVALID',
        `${name}: the shape [${options.row?.join(', ')}] of a row must be positive`
      )
    const path = joinPath(this.#plan.path, name)
    layoutOf(name, path, options)
    return new PaperColumn(path)
  }

  dataset(name: string): void {
    this.#make(name)
  }

  /** Noted as `@name`: a group that gets a signal can be plotted. The structure's own attributes win, so no clash. */
  attribute(name: string): void {
    this.made.add(`@${name}`)
  }

  datasetAttribute(): void {}

  link(name: string): void {
    this.#make(name)
  }

  #has(name: string): boolean {
    const { groups, datasets, links, written } = this.#plan
    return groups.has(name) || datasets.has(name) || links.has(name) || written.has(name) || this.made.has(name)
  }

  #make(name: string): void {
    if (this.#has(name)) throw bad(joinPath(this.#plan.path, name))
    this.made.add(name)
  }
}

/** A chunk is read and unpacked as a whole. */
const MOST_CHUNK_BYTES = 1 << 30

/** What the file would refuse, without its path: the finding has one of its own. */
function layoutOf(name: string, path: string, options: ColumnOptions): void {
  try {
    const { dtype, row, chunk } = columnLayout(path, options)
    const bytes = chunk * elementSize(dtype) * elements(row)
    if (bytes > MOST_CHUNK_BYTES)
      throw new CodedError(
        'STRUCTURE_INVALID',
        `${path}: chunks of ${bytes} bytes are too large; give a smaller chunk_size`
      )
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    throw new CodedError(error.code, error.message.replace(path, name))
  }
}

class PaperColumn implements Column {
  readonly length = 0
  constructor(readonly path: string) {}
  append(): void {}
  appendNumber(): void {}
  appendBigInt(): void {}
  appendHalves(): void {}
  appendString(): void {}
  grow(): undefined {}
}
