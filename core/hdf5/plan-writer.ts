// Gives planned structure its place in the file and writes it: new objects first, then what makes them visible.
import { addressBytes } from './chunk-index.js'
import { type Disk } from './disk.js'
import { writeEnd } from './format.js'
import { MESSAGE, message, objectHeader, padded, pair } from './messages.js'
import { type PlannedDataset, type PlannedGroup } from './plan.js'
import { symbolTable, symbolTableSize, tableParts, type Symbol } from './symbols.js'

const SUPERBLOCK_BYTES = 96
const STAGE_BYTES = 1 << 20
/** Of tree and heap address in the header of a group: its first message. */
const TABLE_AT = 16 + 8
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
  /** External links need a newer kind of group, which only the library writes. */
  readonly external: readonly { readonly path: string; readonly target: string }[]
}

interface Placed {
  readonly groups: { readonly group: PlannedGroup; readonly table: number; readonly isNew: boolean }[]
  readonly datasets: PlannedDataset[]
  readonly columns: PlannedDataset[]
}

export class PlanWriter {
  constructor(
    private readonly disk: Disk,
    private end: number,
    /** Content that has its place already. */
    private readonly pieces: { at: number; bytes: Buffer }[]
  ) {}

  /** `changed` are groups of the file with new children, `linked` objects of the file with new hard links. */
  write(
    root: PlannedGroup,
    changed: ReadonlySet<PlannedGroup>,
    linked: ReadonlySet<{ readonly address: number; readonly references: number }>
  ): Omit<WrittenPlan, 'external'> {
    const isNew = root.address === 0
    const placed = this.layOut(isNew ? [root] : [...changed])
    const table = this.tableOf(placed.columns)
    for (const item of placed.datasets) this.emitDataset(item)
    for (const { group, table: at, isNew: whole } of placed.groups) this.emitGroup(group, at, whole)
    this.pieces.push(table)
    if (isNew) this.pieces.push({ at: 0, bytes: superblock(root, this.end) })
    this.flush()
    if (!isNew) this.reveal(placed, linked)
    const columns = new Map<string, WrittenColumn>()
    for (const { path, address, growing } of placed.columns) {
      if (!growing) continue
      const dimAt = growing.at + 16
      const indexAt = growing.at + 8 + growing.messages.readUInt16LE(2) + 8 + 3
      columns.set(path, { address, dimAt, indexAt })
    }
    for (const item of [...placed.datasets, ...placed.groups.map(({ group }) => group)]) item.messages = []
    for (const item of placed.columns) item.growing = undefined
    return { table, columns }
  }

  private reserve(bytes: number): number {
    const at = this.end
    this.end = at + padded(bytes)
    return at
  }

  /** Gives every new object its place: a group's own parts first, then its datasets, then its groups. */
  private layOut(start: readonly PlannedGroup[]): Placed {
    const placed: Placed = { groups: [], datasets: [], columns: [] }
    const groups = new Set(start)
    for (const group of groups) {
      const isNew = group.address === 0
      if (isNew) group.address = this.reserve(headerSize(group))
      placed.groups.push({ group, table: this.reserve(symbolTableSize(group.children)), isNew })
      const own: PlannedDataset[] = []
      for (const child of group.children.values()) {
        if (child.kind === 'soft' || child.address > 0) continue
        if (child.kind === 'group') groups.add(child)
        else {
          child.address = this.reserve(headerSize(child))
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
  private tableOf(columns: readonly PlannedDataset[]): { at: number; bytes: Buffer } {
    const bytes = Buffer.concat(columns.map(({ growing }) => growing?.messages ?? Buffer.alloc(0)))
    const at = this.reserve(bytes.length)
    let offset = at
    for (const { growing } of columns) {
      if (!growing) continue
      growing.at = offset
      offset += growing.messages.length
    }
    return { at, bytes }
  }

  private emitDataset({ growing, messages, address, references }: PlannedDataset): void {
    const more = growing ? [message(MESSAGE.continuation, pair(growing.at, growing.messages.length))] : []
    const count = messages.length + (growing ? 3 : 0)
    this.pieces.push({ at: address, bytes: objectHeader([...more, ...messages], count, references) })
  }

  private emitGroup(group: PlannedGroup, at: number, whole: boolean): void {
    const symbols = [...group.children].map(([name, child]): Symbol =>
      child.kind === 'soft' ? { name, soft: child.target } : { name, address: child.address }
    )
    this.pieces.push({ at, bytes: symbolTable(symbols, at) })
    if (!whole) return
    const { tree, heap } = tableParts(at)
    const own = message(MESSAGE.symbolTable, pair(tree, heap))
    const { address, messages, references } = group
    this.pieces.push({ at: address, bytes: objectHeader([own, ...messages], messages.length + 1, references) })
  }

  /** Makes groups of the file show their new tables: one write of 16 bytes each, after all that they lead to. */
  private reveal(
    { groups }: Placed,
    linked: ReadonlySet<{ readonly address: number; readonly references: number }>
  ): void {
    writeEnd(this.disk, 0, this.end)
    for (const { address, references } of linked) {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32LE(references)
      this.disk.write(bytes, address + REFERENCES_AT, 'number of links')
    }
    for (const { group, table, isNew } of groups) {
      if (isNew) continue
      const { tree, heap } = tableParts(table)
      this.disk.write(Buffer.concat([addressBytes(tree), addressBytes(heap)]), group.address + TABLE_AT, group.path)
    }
  }

  private flush(): void {
    this.pieces.sort((a, b) => a.at - b.at)
    let stage = Buffer.alloc(STAGE_BYTES)
    let start = 0
    let fill = 0
    const put = (): void => {
      if (fill > 0) this.disk.write(stage.subarray(0, fill), start, 'structure')
      fill = 0
    }
    for (const { at, bytes } of this.pieces) {
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
    if (this.disk.size < this.end) this.disk.resize(this.end)
    this.pieces.length = 0
  }
}

function headerSize(item: PlannedGroup | PlannedDataset): number {
  const own = item.messages.reduce((sum, part) => sum + part.length, 16)
  return own + (item.kind === 'group' || item.growing ? 24 : 0)
}

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
