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
import { type StructureSink } from './structure.js'
import { elementSize, type Encoded } from './types.js'
import { type Layout } from './wasm.js'

export const SUPERBLOCK_BYTES = 96
const LARGE = 1 << 16

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
  private readonly objects = new Map<string, Planned>()
  private readonly root = newGroup('/')
  private session: Session | undefined

  /** @param open - called when there is something to write, and never while columns grow */
  constructor(private readonly open: () => Ground) {
    this.objects.set('/', this.root)
  }

  group(path: string): void {
    this.add(path, newGroup(path))
  }

  dataset(path: string, value: Encoded): void {
    const { heap } = this.begun()
    const data = 'texts' in value ? heap.references(value.texts) : value.bytes
    const at = data.length === 0 ? 0 : this.payload(path, data)
    const messages = [
      message(MESSAGE.dataspace, dataspace(value.shape)),
      message(MESSAGE.datatype, datatype(value.dtype)),
      message(MESSAGE.fill, fillValue(false)),
      message(MESSAGE.layout, contiguousLayout(at, data.length))
    ]
    this.add(path, { kind: 'dataset', path, address: 0, references: 1, messages, growing: undefined })
  }

  column(path: string, layout: Layout, index: boolean): void {
    const { dtype, row, chunk, filter } = layout
    const messages = [message(MESSAGE.datatype, datatype(dtype)), message(MESSAGE.fill, fillValue(true))]
    if (filter) messages.push(message(MESSAGE.filter, filterPipeline(filter.id, filter.values)))
    const changing = Buffer.concat([
      message(MESSAGE.dataspace, dataspace([0, ...row], true)),
      message(MESSAGE.layout, chunkedLayout([chunk, ...row], elementSize(dtype)))
    ])
    const growing = { messages: changing, index, at: 0 }
    this.add(path, { kind: 'dataset', path, address: 0, references: 1, messages, growing })
  }

  /** Whether an attribute can be added: headers that are written have no room. */
  takesAttributes(path: string): boolean {
    const item = this.objects.get(path)
    return item !== undefined && item.kind !== 'soft' && item.address === 0
  }

  attribute(path: string, name: string, value: Encoded): void {
    const { heap } = this.begun()
    const data = 'texts' in value ? heap.references(value.texts) : value.bytes
    const item = this.objects.get(path)
    if (!item || item.kind === 'soft') throw new CodedError('INTERNAL', `${path}: no object for attribute ${name}`)
    item.messages.push(message(MESSAGE.attribute, attribute(name, value.dtype, value.shape, data)))
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
    const item = this.objects.get(path)
    return item === undefined || item.kind === 'soft'
      ? []
      : item.messages.map(attributeName).filter((name) => name !== '')
  }

  removeAttribute(path: string, name: string): void {
    const item = this.objects.get(path)
    if (item !== undefined && item.kind !== 'soft')
      item.messages = item.messages.filter((part) => attributeName(part) !== name)
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
    let item = this.objects.get('/')
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (item?.kind !== 'group') return undefined
      item = item.children.get(name)
      if (item?.kind === 'soft') item = depth > 16 ? undefined : this.resolve(item.target, depth + 1)
    }
    return item?.kind === 'soft' ? undefined : item
  }

  private add(path: string, item: Planned): void {
    const slash = path.lastIndexOf('/')
    const parent = this.objects.get(slash <= 0 ? '/' : path.slice(0, slash))
    if (parent?.kind !== 'group') throw new CodedError('INTERNAL', `${path}: its group was not planned`)
    if (parent.address > 0) this.begun().changed.add(parent)
    parent.children.set(path.slice(slash + 1), item)
    this.objects.set(path, item)
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
