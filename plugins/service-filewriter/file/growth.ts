// Larger rows for a column of the direct path: its rows are written anew, and one write makes its header lead to them.
import { elementsOf, place } from '../../../schemas/place.js'
import { type DirectColumn, type Space } from './direct-column.js'
import { type Disk } from './disk.js'
import { continuation, readHeader } from './format.js'
import { chunkedLayout, dataspace, MESSAGE, message, pair } from './messages.js'
import { type DatasetLayout } from './wasm.js'
import { type Column } from '../writer-part.js'

const STEP_BYTES = 1 << 20
/** Rows larger than this get no room in advance. */
const MOST_ROOM = 1 << 26
const MOST_ROW = 2 ** 31

export const fits = ({ layout: { row: stored } }: DirectColumn, row: readonly number[]): boolean =>
  stored.length === row.length && row.every((n, i) => n <= (stored[i] ?? 0))

/** The layout that takes rows of a shape: with room for more where it is not the first time, so that all growing costs is bounded. */
export function largerLayout(column: DirectColumn, row: readonly number[]): DatasetLayout | undefined {
  const { layout, itemBytes, shown } = column
  const { row: stored } = layout
  if (stored.length > 0 && stored.length !== row.length) return undefined
  const roomy = row.map((n, i) => (n > (stored[i] ?? 0) ? Math.max(n, 2 * (stored[i] ?? 0)) : (stored[i] ?? n)))
  const least = row.map((n, i) => Math.max(n, stored[i] ?? 0))
  const isRoomy = shown !== undefined && elementsOf(roomy) * itemBytes <= MOST_ROOM
  const wanted = isRoomy ? roomy : least
  const rowBytes = elementsOf(wanted) * itemBytes
  if (rowBytes > MOST_ROW || wanted.some((n) => n > 0xffffffff)) return undefined
  const chunkBytes = Math.max(layout.chunk * column.rowBytes, STEP_BYTES)
  return { ...layout, row: wanted, chunk: Math.max(1, Math.min(layout.chunk, Math.floor(chunkBytes / rowBytes))) }
}

/** Rows of one shape as rows of another, filled up with 0; `from` has as many dimensions, or none. */
function widened(rows: Uint8Array, from: readonly number[], to: readonly number[], width: number): Uint8Array {
  const shape = to.map((_, i) => from[i] ?? 1)
  const [rowBytes, wideBytes] = [elementsOf(shape) * width, elementsOf(to) * width]
  const count = rows.byteLength / rowBytes
  const out = new Uint8Array(count * wideBytes)
  const corner = to.map(() => 0)
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * rowBytes, (i + 1) * rowBytes)
    place({ bytes: row, shape, offset: corner }, out.subarray(i * wideBytes, (i + 1) * wideBytes), to, width)
  }
  return out
}

/** Copies all rows of a settled column. */
export function rewrite(from: DirectColumn, to: DirectColumn): void {
  const { length, layout, itemBytes } = from
  // Compressed chunks are expanded once
  const step = layout.filters.length > 0 ? layout.chunk : Math.max(1, Math.floor(STEP_BYTES / to.rowBytes))
  for (let row = 0; row < length; row += step)
    to.append(widened(from.rows(row, Math.min(step, length - row)), layout.row, to.layout.row, itemBytes))
  to.flush()
}

/** Where the header says in which block dataspace and layout are; undefined for headers that are made otherwise, by the library. */
export function headOf(disk: Disk, address: number): number | undefined {
  const messages = readHeader(disk, address)
  for (const found of messages) {
    if (found.type !== MESSAGE.continuation || found.block.checksum !== undefined) continue
    const { at } = continuation(found)
    const types = messages.filter(({ block }) => block.at === at).map(({ type }) => type)
    if (types.join() === [MESSAGE.dataspace, MESSAGE.layout].join()) return found.block.at + found.offset
  }
  return undefined
}

export interface Shown {
  show(): void
}

/** Writes dataspace and layout of a grown, settled column; `show` makes readers see them, whole or not at all. */
export function showRows(disk: Disk, column: DirectColumn, address: number, space: Pick<Space, 'allocate'>): Shown {
  const { path, layout, itemBytes, root, length, shown = layout.row } = column
  const extent = message(MESSAGE.dataspace, dataspace([length, ...shown], 'all'))
  const chunks = message(MESSAGE.layout, chunkedLayout([layout.chunk, ...layout.row], itemBytes))
  const indexAt = extent.length + 8 + 3
  if (root >= 0) chunks.writeBigUInt64LE(BigInt(root), 8 + 3)
  const block = Buffer.concat([extent, chunks])
  const at = space.allocate(block.length, 8)
  disk.write(block, at, path)
  const head = headOf(disk, address)
  return {
    show() {
      if (head === undefined) return
      disk.write(pair(at, block.length), head, path)
      column.place = { dimAt: at + 16, indexAt: at + indexAt }
      column.reshaped = false
      column.publishedRoot = root
      column.publishedRows = length
      column.published()
    }
  }
}

/** What a writer appends rows of the seen shape to: they are stored in rows with room for more. */
export class GrownColumn implements Column {
  readonly #inner: DirectColumn
  readonly #row: readonly number[]
  readonly #exact: boolean

  constructor(inner: DirectColumn, row: readonly number[]) {
    this.#inner = inner
    this.#row = row
    this.#exact = inner.layout.row.every((n, i) => n === row[i])
  }

  get path(): string {
    return this.#inner.path
  }

  get length(): number {
    return this.#inner.length
  }

  append(rows: Uint8Array): void {
    const { layout, itemBytes } = this.#inner
    this.#inner.append(this.#exact ? rows : widened(rows, this.#row, layout.row, itemBytes))
  }

  appendNumber(value: number): void {
    this.#inner.appendNumber(value)
  }

  appendBigInt(value: bigint): void {
    this.#inner.appendBigInt(value)
  }

  appendHalves(high: number, low: number): void {
    this.#inner.appendHalves(high, low)
  }

  appendString(text: string): void {
    this.#inner.appendString(text)
  }

  grow(row: readonly number[]): Column | undefined {
    return this.#inner.grow(row.map((n, i) => Math.max(n, this.#row[i] ?? 1)))
  }
}
