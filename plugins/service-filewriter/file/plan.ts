// The structure of a file that was made here, kept in memory and written in one go, at the start and when it changes later:
// the library needs 60 to 600 µs per object, this 2 to 10.
import { type Disk } from './disk.js'
import { attributeName, attributesAt } from './head.js'
import { HeapWriter } from './heap.js'
import {
  attribute,
  chunkedLayout,
  contiguousLayout,
  dataspace,
  datatype,
  fillValue,
  filterPipeline,
  MESSAGE,
  message,
  padded
} from './messages.js'
import { PlanWriter, type WrittenPlan } from './plan-writer.js'
import {
  NO_MESSAGES,
  type PlannedItem,
  isObject,
  newDataset,
  newGroup,
  type Planned,
  type PlannedDataset,
  type PlannedGroup,
  room
} from './planned.js'
import { CodedError, errorText } from '../../../core/api/plugin.js'
import { type StructureSink } from './structure.js'
import { elementSize, type Encoded } from './types.js'
import { type DatasetLayout } from './wasm.js'
import { type DataType } from '../writer-part.js'

export const SUPERBLOCK_BYTES = 96
const LARGE = 1 << 16

const growingFill = message(MESSAGE.fill, fillValue(true))
const staticFill = message(MESSAGE.fill, fillValue(false))
const typeMessages = new Map<DataType, Buffer>()

function typeMessage(dtype: DataType): Buffer {
  let made = typeMessages.get(dtype)
  if (made) return made
  made = message(MESSAGE.datatype, datatype(dtype))
  if (typeof dtype === 'string') typeMessages.set(dtype, made)
  return made
}

/** A file into which the plan may write, and where its free space begins (0: it is new). */
export interface Ground {
  readonly disk: Disk
  readonly end: number
}

/** Structure since the last write. */
interface Session {
  readonly ground: Ground
  end: number
  readonly pieces: { at: number; bytes: Buffer }[]
  readonly heap: HeapWriter
  /** Of what was written before. */
  readonly changes: { groups: Set<PlannedGroup>; linked: Set<PlannedItem>; attributed: Set<PlannedItem> }
}

export class FilePlan implements StructureSink {
  readonly #root = newGroup('/')
  readonly #groups = new Map<string, PlannedGroup>([['/', this.#root]])
  #parent = this.#root
  #latest: Planned | undefined
  #session: Session | undefined
  /** After a failed write nobody knows what the file has. */
  #failed: CodedError | undefined

  readonly #open: () => Ground

  /** @param open - called when there is something to write, and never while columns grow */
  constructor(open: () => Ground) {
    this.#open = open
  }

  group(path: string): void {
    this.#add(path, newGroup(path))
  }

  dataset(path: string, value: Encoded): void {
    const { heap } = this.#begun()
    const data = 'texts' in value ? heap.references(value.texts) : value.bytes
    const at = data.length === 0 ? 0 : this.#payload(path, data)
    const messages = [
      message(MESSAGE.dataspace, dataspace(value.shape)),
      typeMessage(value.dtype),
      staticFill,
      message(MESSAGE.layout, contiguousLayout(at, data.length))
    ]
    this.#add(path, newDataset(path, messages, undefined))
  }

  column(path: string, layout: DatasetLayout, index: boolean): void {
    const { dtype, filters } = layout
    const messages = [typeMessage(dtype), growingFill]
    if (filters.length > 0) messages.push(message(MESSAGE.filter, filterPipeline(filters)))
    const growing = { messages: this.#changing(layout), index, at: 0 }
    this.#add(path, newDataset(path, messages, growing))
  }

  readonly #changes = new WeakMap<DatasetLayout, Buffer>()

  /** Dataspace and layout of an empty column: most columns have the same. */
  #changing(layout: DatasetLayout): Buffer {
    let made = this.#changes.get(layout)
    if (made) return made
    const { dtype, row, chunk } = layout
    const size = elementSize(dtype)
    made = Buffer.concat([
      message(MESSAGE.dataspace, dataspace([0, ...row], true)),
      message(MESSAGE.layout, chunkedLayout([chunk, ...row], size))
    ])
    this.#changes.set(layout, made)
    return made
  }

  attribute(path: string, name: string, value: Encoded): void {
    const { heap } = this.#begun()
    const item = this.#holder(path)
    room(item)
    const size = 'texts' in value ? 16 * value.texts.length : value.bytes.length
    const made = attribute(name, value.dtype, value.shape, size, (out, at) => {
      if ('texts' in value) heap.put(value.texts, out, at)
      else out.set(value.bytes, at)
    })
    // What is in the file already has no list of its own
    if (item.messages === NO_MESSAGES) item.messages = [made]
    else item.messages.push(made)
    if (item.address > 0) this.#begun().changes.attributed.add(item)
  }

  link(path: string, target: string, kind: 'hard' | 'soft' | 'external'): void {
    const { changes } = this.#begun()
    if (kind !== 'hard') {
      this.#add(path, { kind, target })
      return
    }
    const item = this.#resolve(target)
    if (!item) throw new CodedError('STRUCTURE_INVALID', `${path}: there is no ${target} to link to`, { path })
    this.#add(path, item)
    item.references++
    if (item.address > 0) changes.linked.add(item)
  }

  children(): string[] {
    return []
  }

  attributes(path: string): string[] {
    const { address, messages, removed } = this.#holder(path)
    const before = address > 0 ? attributesAt(this.#begun().ground.disk, address) : []
    const own = messages.map(attributeName).filter((name) => name !== '')
    return [...before.filter((name) => !removed?.has(name)), ...own]
  }

  removeAttribute(path: string, name: string): void {
    const item = this.#holder(path)
    item.messages = item.messages.filter((part) => attributeName(part) !== name)
    if (item.address === 0) return
    ;(item.removed ??= new Set()).add(name)
    this.#begun().changes.attributed.add(item)
  }

  kind(path: string): 'group' | 'dataset' | 'other' | 'none' {
    const item = this.#resolve(path)
    return item?.kind ?? 'none'
  }

  /** Writes what is new, if anything is. What a file holds already becomes visible only when all of it is there. */
  write(): WrittenPlan | undefined {
    if (this.#root.address === 0) this.#begun()
    const session = this.#session
    if (!session) return undefined
    this.#session = undefined
    const { ground, end, pieces, changes } = session
    const { disk } = ground
    try {
      return new PlanWriter(disk, end, pieces).write(this.#root, changes)
    } catch (error) {
      const reason = errorText(error)
      this.#failed = new CodedError('HDF5_FAILED', `no structure can be added after a failure: ${reason}`, {
        cause: error
      })
      throw error
    } finally {
      disk.close()
    }
  }

  #begun(): Session {
    if (this.#session) return this.#session
    if (this.#failed) throw this.#failed
    const ground = this.#open()
    const session: Session = {
      ground,
      end: ground.end === 0 ? SUPERBLOCK_BYTES : padded8(ground.end),
      pieces: [],
      heap: new HeapWriter((bytes) => this.#place(bytes)),
      changes: { groups: new Set(), linked: new Set(), attributed: new Set() }
    }
    return (this.#session = session)
  }

  #resolve(path: string, depth = 0): PlannedGroup | PlannedDataset | undefined {
    let item: Planned | undefined = this.#root
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (item?.kind !== 'group') return undefined
      item = item.children.get(name)
      if (item?.kind === 'soft') item = depth > 16 ? undefined : this.#resolve(item.target, depth + 1)
    }
    return item && isObject(item) ? item : undefined
  }

  /** What gets an attribute. */
  #holder(path: string): PlannedGroup | PlannedDataset {
    const item = this.#find(path) ?? this.#resolve(path)
    if (!item) throw new CodedError('STRUCTURE_INVALID', `${path}: no object here for an attribute`, { path })
    return item
  }

  #add(path: string, item: Planned): void {
    const slash = path.lastIndexOf('/')
    const parent = this.#parentOf(path, slash)
    if (parent?.kind !== 'group') throw new CodedError('INTERNAL', `${path}: its group was not planned`)
    const external = parent.external || item.kind === 'external'
    room(parent, external)
    parent.external = external
    if (parent.address > 0) this.#begun().changes.groups.add(parent)
    parent.children.set(path.slice(slash + 1), item)
    if (item.kind === 'group') this.#groups.set(path, item)
    this.#latest = item
  }

  /** Objects of one group are made one after the other. */
  #parentOf(path: string, slash: number): PlannedGroup | undefined {
    const parent = this.#parent
    const length = parent.path === '/' ? 0 : parent.path.length
    if (length === slash && (length === 0 || path.startsWith(parent.path))) return parent
    const found = this.#groups.get(slash <= 0 ? '/' : path.slice(0, slash))
    if (found) this.#parent = found
    return found
  }

  /** By its own path, not through links. */
  #find(path: string): PlannedGroup | PlannedDataset | undefined {
    const latest = this.#latest
    if (latest && isObject(latest) && latest.path === path) return latest
    if (path === '/') return this.#root
    const slash = path.lastIndexOf('/')
    const found = this.#parentOf(path, slash)?.children.get(path.slice(slash + 1))
    return found && isObject(found) ? found : undefined
  }

  #reserve(bytes: number): number {
    const session = this.#begun()
    const at = session.end
    session.end = at + padded(bytes)
    return at
  }

  #place(bytes: Buffer): number {
    const at = this.#reserve(bytes.length)
    this.#begun().pieces.push({ at, bytes })
    return at
  }

  /** Content of a dataset: big ones go to the disk at once, so that memory stays flat. */
  #payload(path: string, data: Buffer): number {
    if (data.length < LARGE) return this.#place(Buffer.from(data))
    const at = this.#reserve(data.length)
    this.#begun().ground.disk.write(data, at, path)
    return at
  }
}

/** Also beyond 4 GB. */
const padded8 = (n: number): number => Math.ceil(n / 8) * 8
