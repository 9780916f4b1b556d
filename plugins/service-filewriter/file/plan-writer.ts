// Gives planned structure its place in the file and writes it: new objects first, then what makes them visible.
import { type Disk } from './disk.js'
import { Head, PREFIX_BYTES, SLOT_BYTES } from './head.js'
import { type FileLink, linkMessages } from './links.js'
import { MESSAGE, message, objectHeader, padded, pair, slot } from './messages.js'
import {
  isObject,
  NO_MESSAGES,
  type PlannedItem,
  type Planned,
  type PlannedDataset,
  type PlannedGroup
} from './planned.js'
import { symbolTable, symbolTableSize, tableParts, type Symbol } from './symbols.js'
import { writeEnd } from './superblock.js'

const SUPERBLOCK_BYTES = 96
const STAGE_BYTES = 1 << 20
const REFERENCES_AT = 4

export interface WrittenColumn {
  /** Of the object header. */
  readonly address: number
  /** Where the number of rows and the address of the chunk index are. */
  readonly dimAt: number
  readonly indexAt: number
}

export interface WrittenPlan {
  /** Dataspaces and layouts of all new columns, one after the other. */
  readonly table: { readonly at: number; readonly bytes: Buffer }
  readonly columns: ReadonlyMap<string, WrittenColumn>
}

/** Objects of the file that change. */
export interface PlanChanges {
  /** They have new children. */
  readonly groups: ReadonlySet<PlannedGroup>
  /** They have new hard links. */
  readonly linked: ReadonlySet<PlannedItem>
  /** They have other attributes. */
  readonly attributed: ReadonlySet<PlannedItem>
}

interface PlacedGroup {
  readonly group: PlannedGroup
  /** Of the table or block of its links. */
  readonly at: number
  readonly isNew: boolean
}

interface Placed {
  readonly groups: PlacedGroup[]
  readonly datasets: PlannedDataset[]
  readonly columns: PlannedDataset[]
}

export class PlanWriter {
  /** Of objects in the file: what will show the new parts. */
  readonly #heads = new Map<PlannedItem, Head>()

  readonly #disk: Disk
  #end: number
  readonly #pieces: { at: number; bytes: Buffer }[]

  constructor(
    disk: Disk,
    end: number,
    /** Content that has its place already. */
    pieces: { at: number; bytes: Buffer }[]
  ) {
    this.#disk = disk
    this.#end = end
    this.#pieces = pieces
  }

  write(root: PlannedGroup, changes: PlanChanges): WrittenPlan {
    const isNew = root.address === 0
    const placed = this.#layOut(isNew ? [root] : [...changes.groups])
    const table = this.#tableOf(placed.columns)
    for (const item of changes.attributed) this.#emitAttributes(item)
    for (const item of placed.datasets) this.#emitDataset(item)
    for (const item of placed.groups) this.#emitGroup(item)
    if (table.bytes.length > 0) this.#pieces.push(table)
    if (isNew) this.#pieces.push({ at: 0, bytes: superblock(root, this.#end) })
    this.#flush()
    if (!isNew) this.#reveal(changes.linked)
    const columns = new Map<string, WrittenColumn>()
    for (const { path, address, growing } of placed.columns) {
      if (!growing) continue
      const dimAt = growing.at + 16
      const indexAt = growing.at + 8 + growing.messages.readUInt16LE(2) + 8 + 3
      columns.set(path, { address, dimAt, indexAt })
    }
    for (const item of [...placed.datasets, ...placed.groups.map(({ group }) => group), ...changes.attributed])
      item.messages = NO_MESSAGES
    for (const item of changes.attributed) item.removed = undefined
    for (const item of placed.columns) item.growing = undefined
    return { table, columns }
  }

  #reserve(bytes: number): number {
    const at = this.#end
    this.#end = at + padded(bytes)
    return at
  }

  /** Gives every new object its place: a group's own parts first, then its datasets, then its groups. */
  #layOut(start: readonly PlannedGroup[]): Placed {
    const placed: Placed = { groups: [], datasets: [], columns: [] }
    const groups = new Set(start)
    for (const group of groups) {
      const isNew = group.address === 0
      if (isNew) group.address = this.#reserve(headerSize(group))
      placed.groups.push({ group, at: this.#reserve(contentSize(group)), isNew })
      const own: PlannedDataset[] = []
      for (const child of group.children.values()) {
        if (!isObject(child) || child.address > 0) continue
        if (child.kind === 'group') groups.add(child)
        else {
          child.address = this.#reserve(headerSize(child))
          placed.datasets.push(child)
          if (child.growing) own.push(child)
        }
      }
      placed.columns.push(
        ...own.filter(({ growing }) => !growing?.index),
        ...own.filter(({ growing }) => growing?.index)
      )
    }
    return placed
  }

  /** All lengths together: one write at a checkpoint publishes a whole group, index columns last. */
  #tableOf(columns: readonly PlannedDataset[]): { at: number; bytes: Buffer } {
    const bytes = Buffer.concat(columns.map(({ growing }) => growing?.messages ?? Buffer.alloc(0)))
    const at = this.#reserve(bytes.length)
    let offset = at
    for (const { growing } of columns) {
      if (!growing) continue
      growing.at = offset
      offset += growing.messages.length
    }
    return { at, bytes }
  }

  #emitDataset(item: PlannedDataset): void {
    const { growing, messages, address, references } = item
    const more = growing ? [message(MESSAGE.continuation, pair(growing.at, growing.messages.length))] : []
    const own = [slot, ...more, ...messages]
    // Dataspace and layout of a column are in the table of lengths
    item.count = own.length + (growing ? 2 : 0)
    this.#pieces.push({ at: address, bytes: objectHeader(own, item.count, references) })
  }

  #emitGroup({ group, at, isNew }: PlacedGroup): void {
    const { address, messages, references } = group
    const content = group.external ? this.#emitLinks(group, at) : this.#emitTable(group, at)
    if (isNew) {
      const own = [slot, content, ...messages]
      group.count = own.length + group.links
      this.#pieces.push({ at: address, bytes: objectHeader(own, group.count, references) })
      return
    }
    const head = this.#head(group)
    head.content(content)
    head.count = group.count
  }

  /** Returns the message that leads to it. */
  #emitTable({ children }: PlannedGroup, at: number): Buffer {
    const symbols = [...children].map(([name, child]): Symbol =>
      isObject(child) ? { name, address: child.address } : { name, soft: child.target }
    )
    this.#pieces.push({ at, bytes: symbolTable(symbols, at) })
    const { tree, heap } = tableParts(at)
    return message(MESSAGE.symbolTable, pair(tree, heap))
  }

  #emitLinks(group: PlannedGroup, at: number): Buffer {
    const messages = linksOf(group)
    const bytes = Buffer.concat(messages)
    this.#pieces.push({ at, bytes })
    group.count += messages.length - group.links
    group.links = messages.length
    return message(MESSAGE.continuation, pair(at, bytes.length))
  }

  /** Attributes of an object in the file: a block of their own, which leads on to the block before. */
  #emitAttributes(item: PlannedItem): void {
    const head = this.#head(item)
    const stay = item.removed ? head.remove(item.removed) : []
    const before = item.removed ? undefined : head.late
    const more = before ? [message(MESSAGE.continuation, pair(before.at, before.length))] : []
    const parts = [...more, ...stay, ...item.messages]
    const bytes = Buffer.concat(parts)
    const at = this.#reserve(bytes.length)
    this.#pieces.push({ at, bytes })
    item.count = head.count += parts.length
    head.late = { at, length: bytes.length }
  }

  #head(item: PlannedItem): Head {
    let head = this.#heads.get(item)
    if (!head) this.#heads.set(item, (head = new Head(this.#disk, item.address, item.path)))
    return head
  }

  /** Makes objects of the file show what is new: one write for each, after all that it leads to. */
  #reveal(linked: ReadonlySet<PlannedItem>): void {
    writeEnd(this.#disk, 0, this.#end)
    for (const { address, references } of linked) {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32LE(references)
      this.#disk.write(bytes, address + REFERENCES_AT, 'number of links')
    }
    for (const head of this.#heads.values()) head.write()
  }

  #flush(): void {
    this.#pieces.sort((a, b) => a.at - b.at)
    let stage = Buffer.alloc(STAGE_BYTES)
    let start = 0
    let fill = 0
    const put = (): void => {
      if (fill > 0) this.#disk.write(stage.subarray(0, fill), start, 'structure')
      fill = 0
    }
    for (const { at, bytes } of this.#pieces) {
      // Gaps of up to 7 bytes are padding; a bigger one holds content that is on the disk already
      if (at - (start + fill) > 7 || at + bytes.length - start > stage.length) {
        put()
        start = at
        if (bytes.length > stage.length) stage = Buffer.alloc(bytes.length)
      }
      stage.fill(0, fill, at - start)
      bytes.copy(stage, at - start)
      fill = at - start + bytes.length
    }
    put()
    if (this.#disk.size < this.#end) this.#disk.resize(this.#end)
    this.#pieces.length = 0
  }
}

function headerSize(item: PlannedGroup | PlannedDataset): number {
  const own = item.messages.reduce((sum, part) => sum + part.length, PREFIX_BYTES + SLOT_BYTES)
  return own + (item.kind === 'group' || item.growing ? SLOT_BYTES : 0)
}

/** Of its symbol table or link messages. */
const contentSize = (group: PlannedGroup): number =>
  group.external ? linksOf(group).reduce((sum, part) => sum + part.length, 0) : symbolTableSize(group.children)

const linkOf = (child: Planned): FileLink => (isObject(child) ? { kind: 'hard', address: child.address } : child)

const linksOf = ({ children }: PlannedGroup): Buffer[] =>
  linkMessages([...children].map(([name, child]) => [name, linkOf(child)]))

/** Version 0 superblock. */
function superblock(root: PlannedGroup, end: number): Buffer {
  const out = Buffer.alloc(SUPERBLOCK_BYTES)
  out.write('\x89HDF\r\n\x1a\n', 0, 'latin1')
  out[13] = 8
  out[14] = 8
  out.writeUInt16LE(4, 16)
  out.writeUInt16LE(16, 18)
  out.fill(0xff, 32, 40)
  out.writeBigUInt64LE(BigInt(end), 40)
  out.fill(0xff, 48, 56)
  out.writeBigUInt64LE(BigInt(root.address), 64)
  return out
}
