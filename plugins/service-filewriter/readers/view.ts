// A NeXus file as the rules of its readers look at it: groups by class, forms of datasets, few of their numbers.
import { valuesOf } from '../file/content.js'
import { openToRead } from '../file/summary.js'
import { type DatasetForm, type WasmFile } from '../file/wasm.js'

/** Of one dataset: enough to judge an index of a long run, too few for events. */
const MOST_VALUES = 1 << 22
/** What the library unpacks by itself: gzip, shuffle, fletcher32. */
const unpacked = new Set([1, 2, 3])

export class FileView {
  readonly #file: WasmFile

  private constructor(file: WasmFile) {
    this.#file = file
  }

  /** Throws CodedError FILE_READ, HDF5_FAILED. */
  static async open(path: string): Promise<FileView> {
    return new FileView((await openToRead(path)).file)
  }

  close(): void {
    this.#file.close()
  }

  get fileName(): string {
    return this.#file.path
  }

  isGroup(path: string): boolean {
    return this.#file.kind(path) === 'group'
  }

  isDataset(path: string): boolean {
    return this.#file.kind(path) === 'dataset'
  }

  names(group: string): readonly string[] {
    return this.isGroup(group) ? this.#file.children(group) : []
  }

  /** Paths of the groups right below, also by links. */
  groups(group: string): readonly string[] {
    return this.names(group)
      .map((name) => below(group, name))
      .filter((path) => this.isGroup(path))
  }

  /** Paths of the links in a group that lead to nothing in this file. */
  loose(group: string): readonly string[] {
    return this.names(group)
      .map((name) => below(group, name))
      .filter((path) => this.#file.isLink(path) && this.#file.kind(path) === 'none')
  }

  /** NX_class; '' without one. */
  classOf(path: string): string {
    return this.text(path, 'NX_class') ?? ''
  }

  attributes(path: string): readonly string[] {
    return this.#file.attributes(path)
  }

  /** Text of an attribute, or of a dataset; undefined for anything else. */
  text(path: string, attribute?: string): string | undefined {
    if (this.#file.kind(path) === 'none') return undefined
    if (attribute !== undefined) return this.#file.attributeText(path, attribute)
    return this.isDataset(path) && this.#canRead(path) ? this.#file.text(path) : undefined
  }

  form(path: string): DatasetForm | undefined {
    return this.isDataset(path) ? this.#file.form(path) : undefined
  }

  /** E.g. `uint32`, `string(20)`, whatever its byte order; undefined where no dataset is. */
  type(path: string): string | undefined {
    return this.form(path)?.name.replace(' (big-endian)', '')
  }

  /** Elements along the first dimension; 1 for a scalar; undefined where no dataset is. */
  length(path: string): number | undefined {
    const form = this.form(path)
    return form === undefined ? undefined : (form.shape[0] ?? 1)
  }

  /** The numbers of a dataset of one dimension; undefined where they cannot be had. */
  numbers(path: string): readonly (number | bigint)[] | undefined {
    const { dtype, shape = [] } = this.form(path) ?? {}
    const [rows = 0] = shape
    if (typeof dtype !== 'string' || shape.length !== 1 || rows > MOST_VALUES || !this.#canRead(path)) return undefined
    if (rows === 0) return []
    const raw = this.#file.read(path, 0, rows, { dtype, row: [], chunk: 1, filters: [] })
    return valuesOf(raw, dtype) as readonly (number | bigint)[]
  }

  /** Every group of the file once, parents first. */
  *all(from = '/'): Generator<string> {
    const seen = new Set<number>()
    const todo = [from]
    for (const path of todo) {
      const address = this.#file.address(path)
      if (seen.has(address)) continue
      seen.add(address)
      yield path
      todo.push(...this.groups(path).filter((child) => !this.#file.isLink(child)))
    }
  }

  /** The same for paths that lead to the same. */
  address(path: string): number {
    return this.#file.address(path)
  }

  /** The library would fail for good where it lacks the filter. */
  #canRead(path: string): boolean {
    return this.#file.filters(path).every((id) => unpacked.has(id))
  }
}

export const below = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`)
