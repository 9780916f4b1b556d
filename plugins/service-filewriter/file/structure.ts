// Groups as plugins see them: checks every name and value before the library is asked, for its errors cost the whole instance.
import { CodedError } from '../../../core/api/plugin.js'
import { encode, type Encoded } from './types.js'
import { type DatasetLayout } from './wasm.js'
import {
  type Attributes,
  type AttributeValue,
  type Column,
  type ColumnOptions,
  type DatasetValue,
  type DataType,
  type Group
} from '../writer-part.js'
import { TARGET_BYTES, columnLayout, encodeAttribute, encodeAttributes } from './layout.js'

/** Where structure goes: the library, or the planner of a new file. */
export interface StructureSink {
  group(path: string): void
  dataset(path: string, value: Encoded): void
  /** @param index - published after the other columns of its group */
  column(path: string, layout: DatasetLayout, index: boolean): void
  attribute(path: string, name: string, value: Encoded): void
  link(path: string, target: string, kind: 'hard' | 'soft' | 'external'): void
  /** Of what was in the file before it was opened. */
  children(path: string): string[]
  attributes(path: string): string[]
  removeAttribute(path: string, name: string): void
  kind(path: string): 'group' | 'dataset' | 'other' | 'none'
}

/** What a group needs from its file. */
export interface StructureOwner {
  /** Throws when structure cannot be changed now. */
  sink(): StructureSink
  newColumn(path: string, layout: DatasetLayout, options: ColumnOptions, parent: string): Column
}

const joined = (parent: string, name: string): string => (parent === '/' ? `/${name}` : `${parent}/${name}`)

/** Throws STRUCTURE_INVALID for a name that HDF5 cannot hold or would take for a path. */
export function checkName(parent: string, name: string): string {
  const wrong = typeof name !== 'string' || name === '' || name === '.' || name === '..' || /[/\0]/.test(name)
  if (wrong || Buffer.byteLength(name) > 1024)
    throw new CodedError('STRUCTURE_INVALID', `${parent}: ${JSON.stringify(name)} cannot be a name in a file`, {
      path: parent
    })
  return joined(parent, name)
}

const exists = (path: string): CodedError => new CodedError('HDF5_EXISTS', `${path} exists already`, { path })

/** What is known of an object; `fresh` objects were made here, others are listed when first asked about. */
class Entry {
  readonly attributes: Set<string>
  readonly #names: Map<string, Entry | 'other' | undefined>

  constructor(
    readonly path: string,
    owner: StructureOwner | undefined
  ) {
    this.#names = new Map(
      owner
        ?.sink()
        .children(path)
        .map((name) => [name, undefined])
    )
    this.attributes = new Set(owner?.sink().attributes(path))
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  set(name: string, entry: Entry | 'other'): void {
    this.#names.set(name, entry)
  }

  /** An existing child group. */
  child(name: string, owner: StructureOwner): Entry | undefined {
    if (!this.#names.has(name)) return undefined
    const known = this.#names.get(name)
    if (known !== undefined) return known === 'other' ? undefined : known
    const path = joined(this.path, name)
    const entry = owner.sink().kind(path) === 'group' ? new Entry(path, owner) : 'other'
    this.#names.set(name, entry)
    return entry === 'other' ? undefined : entry
  }
}

const NO_ATTRIBUTES: Attributes = Object.freeze({})

export class FileGroup implements Group {
  readonly #owner: StructureOwner
  readonly #entry: Entry

  private constructor(owner: StructureOwner, entry: Entry) {
    this.#owner = owner
    this.#entry = entry
  }

  /** The root group; `fresh` for a new file, whose content is all known. */
  static root(owner: StructureOwner, fresh: boolean): FileGroup {
    return new FileGroup(owner, new Entry('/', fresh ? undefined : owner))
  }

  get path(): string {
    return this.#entry.path
  }

  has(name: string): boolean {
    return this.#entry.has(name)
  }

  /** The existing group at a path below this one; undefined when there is none. */
  find(path: string): FileGroup | undefined {
    let entry: Entry | undefined = this.#entry
    for (const name of path.split('/').filter((part) => part !== '')) entry = entry?.child(name, this.#owner)
    return entry && new FileGroup(this.#owner, entry)
  }

  group(name: string, attributes: Attributes = {}): Group {
    const path = this.#free(name)
    const encoded = encodeAttributes(path, attributes)
    this.#owner.sink().group(path)
    const entry = new Entry(path, undefined)
    this.#entry.set(name, entry)
    for (const [key, value] of encoded) {
      this.#owner.sink().attribute(path, key, value)
      entry.attributes.add(key)
    }
    return new FileGroup(this.#owner, entry)
  }

  column(name: string, options: ColumnOptions): Column {
    const path = this.#free(name)
    const layout = columnLayout(path, options)
    const encoded = encodeAttributes(path, options.attributes ?? NO_ATTRIBUTES)
    this.#owner.sink().column(path, layout, options.index ?? false)
    this.#entry.set(name, 'other')
    for (const [key, value] of encoded) this.#owner.sink().attribute(path, key, value)
    return this.#owner.newColumn(path, layout, options, this.path)
  }

  dataset(
    name: string,
    value: DatasetValue,
    options: { dtype: DataType; shape?: readonly number[]; attributes?: Attributes }
  ): void {
    const path = this.#free(name)
    const content = encode(path, value, options.dtype, options.shape)
    const encoded = encodeAttributes(path, options.attributes ?? {})
    this.#owner.sink().dataset(path, content)
    this.#entry.set(name, 'other')
    for (const [key, item] of encoded) this.#owner.sink().attribute(path, key, item)
  }

  attribute(name: string, value: AttributeValue, dtype?: DataType, shape?: readonly number[]): void {
    const sink = this.#owner.sink()
    const encoded = encodeAttribute(this.path, name, value, dtype, shape)
    if (this.#entry.attributes.has(name)) throw exists(`${this.path}@${name}`)
    sink.attribute(this.path, name, encoded)
    this.#entry.attributes.add(name)
  }

  datasetAttribute(dataset: string, name: string, value: AttributeValue, dtype?: DataType): void {
    const isOwn = dataset === '.'
    const path = isOwn ? this.path : checkName(this.path, dataset)
    const sink = this.#owner.sink()
    const encoded = encodeAttribute(path, name, value, dtype)
    if (!isOwn && !this.#entry.has(dataset)) throw new CodedError('STRUCTURE_INVALID', `there is no ${path}`, { path })
    if (sink.attributes(path).includes(name)) sink.removeAttribute(path, name)
    sink.attribute(path, name, encoded)
    const entry = isOwn ? this.#entry : this.#entry.child(dataset, this.#owner)
    entry?.attributes.add(name)
  }

  link(name: string, target: string, kind: 'hard' | 'soft' | 'external' = 'soft'): void {
    const path = this.#free(name)
    const sink = this.#owner.sink()
    const inside = kind === 'external' ? target.slice(target.lastIndexOf(':') + 1) : target
    const wrong =
      !inside.startsWith('/') || target.includes('\0') || (kind === 'external' && target.lastIndexOf(':') < 1)
    if (wrong || Buffer.byteLength(target) > TARGET_BYTES)
      throw new CodedError('STRUCTURE_INVALID', `${path}: '${target.slice(0, 1000)}' is not a ${kind} link target`, {
        path
      })
    // The library would lose its instance over a missing target
    if (kind === 'hard' && !['group', 'dataset'].includes(sink.kind(target)))
      throw new CodedError('STRUCTURE_INVALID', `${path}: there is no ${target} to link to`, { path })
    sink.link(path, target, kind)
    this.#entry.set(name, 'other')
  }

  #free(name: string): string {
    this.#owner.sink()
    const path = checkName(this.path, name)
    if (this.#entry.has(name)) throw exists(path)
    return path
  }
}
