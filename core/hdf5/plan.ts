// The structure of a file that was made here, kept in memory and written in one go, at the start and when it changes later:
// the library needs 60 to 600 µs per object, this 2 to 10.
import { CodedError } from '../errors.js'
import { type Disk } from './disk.js'
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
import { type DataType } from '../plugin.js'
import { type StructureSink } from './structure.js'
import { elementSize, type Encoded } from './types.js'
import { type Layout } from './wasm.js'

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

interface Item {
  readonly path: string
  /** 0 until it is written. */
  address: number
  references: number
  /** Of the header; dropped when they are written. */
  messages: Buffer[]
}
export interface PlannedGroup extends Item {
  readonly kind: 'group'
  readonly children: Map<string, Planned>
}
export interface PlannedDataset extends Item {
  readonly kind: 'dataset'
  /** Dataspace and layout of a column: they lie in the table of lengths. */
  growing: { readonly messages: Buffer; readonly index: boolean; at: number } | undefined
}
export type Planned = PlannedGroup | PlannedDataset | { readonly kind: 'soft'; readonly target: string }

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
  /** Groups that were written before and have new children. */
  readonly changed: Set<PlannedGroup>
  /** Objects that were written before and have new hard links. */
  readonly linked: Set<Item>
  readonly external: { path: string; target: string }[]
}

export class Plan implements StructureSink {
  private readonly root = newGroup('/')
  private readonly groups = new Map<string, PlannedGroup>([['/', this.root]])
  private parent = this.root
  private latest: Planned | undefined
  private session: Session | undefined

  /** @param open - called when there is something to write, and never while columns grow */
  constructor(private readonly open: () => Ground) {}

  group(path: string): void {
    this.add(path, newGroup(path))
  }

  dataset(path: string, value: Encoded): void {
    const { heap } = this.begun()
    const data = 'texts' in value ? heap.references(value.texts) : value.bytes
    const at = data.length === 0 ? 0 : this.payload(path, data)
    const messages = [
      message(MESSAGE.dataspace, dataspace(value.shape)),
      typeMessage(value.dtype),
      staticFill,
      message(MESSAGE.layout, contiguousLayout(at, data.length))
    ]
    this.add(path, { kind: 'dataset', path, address: 0, references: 1, messages, growing: undefined })
  }

  column(path: string, layout: Layout, index: boolean): void {
    const { dtype, filter } = layout
    const messages = [typeMessage(dtype), growingFill]
    if (filter) messages.push(message(MESSAGE.filter, filterPipeline(filter.id, filter.values)))
    const growing = { messages: this.changing(layout), index, at: 0 }
    this.add(path, { kind: 'dataset', path, address: 0, references: 1, messages, growing })
  }

  private readonly changes = new Map<string, Buffer>()

  /** Dataspace and layout of an empty column: most columns have the same. */
  private changing({ dtype, row, chunk }: Layout): Buffer {
    const size = elementSize(dtype)
    const key = `${row.join(' ')} ${chunk} ${size}`
    let made = this.changes.get(key)
    if (made) return made
    made = Buffer.concat([
      message(MESSAGE.dataspace, dataspace([0, ...row], true)),
      message(MESSAGE.layout, chunkedLayout([chunk, ...row], size))
    ])
    this.changes.set(key, made)
    return made
  }

  /** Whether an attribute can be added: headers that are written have no room. */
  takesAttributes(path: string): boolean {
    return this.find(path)?.address === 0
  }

  attribute(path: string, name: string, value: Encoded): void {
    const { heap } = this.begun()
    const data = 'texts' in value ? heap.references(value.texts) : value.bytes
    const item = this.find(path)
    if (!item) throw new CodedError('INTERNAL', `${path}: no object for attribute ${name}`)
    item.messages.push(attribute(name, value.dtype, value.shape, data))
  }

  link(path: string, target: string, kind: 'hard' | 'soft' | 'external'): void {
    const session = this.begun()
    if (kind === 'external') session.external.push({ path, target })
    else if (kind === 'soft') this.add(path, { kind: 'soft', target })
    else {
      const item = this.resolve(target)
      if (!item) throw new CodedError('STRUCTURE_INVALID', `${path}: there is no ${target} to link to`, { path })
      item.references++
      if (item.address > 0) session.linked.add(item)
      this.add(path, item)
    }
  }

  children(): string[] {
    return []
  }

  attributes(path: string): string[] {
    return (this.find(path)?.messages ?? []).map(attributeName).filter((name) => name !== '')
  }

  removeAttribute(path: string, name: string): void {
    const item = this.find(path)
    if (item) item.messages = item.messages.filter((part) => attributeName(part) !== name)
  }

  kind(path: string): 'group' | 'dataset' | 'other' | 'none' {
    const item = this.resolve(path)
    return item?.kind ?? 'none'
  }

  /** Writes what is new, if anything is. What a file holds already becomes visible only when all of it is there. */
  write(): WrittenPlan | undefined {
    if (this.root.address === 0) this.begun()
    const { session } = this
    if (!session) return undefined
    this.session = undefined
    const { ground, end, pieces, changed, linked, external } = session
    const { disk } = ground
    try {
      const writer = new PlanWriter(disk, end, pieces)
      return { ...writer.write(this.root, changed, linked), external }
    } finally {
      disk.close()
    }
  }

  private begun(): Session {
    if (this.session) return this.session
    const ground = this.open()
    const session: Session = {
      ground,
      end: ground.end === 0 ? SUPERBLOCK_BYTES : padded8(ground.end),
      pieces: [],
      heap: new HeapWriter((bytes) => this.place(bytes)),
      changed: new Set(),
      linked: new Set(),
      external: []
    }
    return (this.session = session)
  }

  private resolve(path: string, depth = 0): PlannedGroup | PlannedDataset | undefined {
    let item: Planned | undefined = this.root
    const soft = (found: Planned | undefined): found is Extract<Planned, { kind: 'soft' }> => found?.kind === 'soft'
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (item?.kind !== 'group') return undefined
      item = item.children.get(name)
      if (soft(item)) item = depth > 16 ? undefined : this.resolve(item.target, depth + 1)
    }
    return soft(item) ? undefined : item
  }

  private add(path: string, item: Planned): void {
    const slash = path.lastIndexOf('/')
    const parent = this.parentOf(path, slash)
    if (parent?.kind !== 'group') throw new CodedError('INTERNAL', `${path}: its group was not planned`)
    if (parent.address > 0) this.begun().changed.add(parent)
    parent.children.set(path.slice(slash + 1), item)
    if (item.kind === 'group') this.groups.set(path, item)
    this.latest = item
  }

  /** Objects of one group are made one after the other. */
  private parentOf(path: string, slash: number): PlannedGroup | undefined {
    const { parent } = this
    const length = parent.path === '/' ? 0 : parent.path.length
    if (length === slash && (length === 0 || path.startsWith(parent.path))) return parent
    const found = this.groups.get(slash <= 0 ? '/' : path.slice(0, slash))
    if (found) this.parent = found
    return found
  }

  /** By its own path, not through links. */
  private find(path: string): PlannedGroup | PlannedDataset | undefined {
    const { latest } = this
    if (latest && latest.kind !== 'soft' && latest.path === path) return latest
    if (path === '/') return this.root
    const slash = path.lastIndexOf('/')
    const found = this.parentOf(path, slash)?.children.get(path.slice(slash + 1))
    return found?.kind === 'soft' ? undefined : found
  }

  private reserve(bytes: number): number {
    const session = this.begun()
    const at = session.end
    session.end = at + padded(bytes)
    return at
  }

  private place(bytes: Buffer): number {
    const at = this.reserve(bytes.length)
    this.begun().pieces.push({ at, bytes })
    return at
  }

  /** Content of a dataset: big ones go to the disk at once, so that memory stays flat. */
  private payload(path: string, data: Buffer): number {
    if (data.length < LARGE) return this.place(Buffer.from(data))
    const at = this.reserve(data.length)
    this.begun().ground.disk.write(data, at, path)
    return at
  }
}

/** '' for a message that is no attribute. */
function attributeName(part: Buffer): string {
  if (part.readUInt16LE(0) !== MESSAGE.attribute) return ''
  return part.toString('utf8', 16, 16 + part.readUInt16LE(10) - 1)
}

/** Also beyond 4 GB. */
const padded8 = (n: number): number => Math.ceil(n / 8) * 8

const newGroup = (path: string): PlannedGroup => ({
  kind: 'group',
  path,
  address: 0,
  references: 1,
  messages: [],
  children: new Map()
})
