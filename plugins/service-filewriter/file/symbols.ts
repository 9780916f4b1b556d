// Old-style group content: local heap of names, symbol nodes and the B-tree above them (File Format Specification, III.A to III.D).
import { padded, put64, putAddress, zeroed } from './messages.js'

/** A link of a group: to an object, or soft. */
export interface Symbol {
  readonly name: string
  readonly address?: number
  readonly soft?: string
}

const PER_NODE = 8
const NODE_BYTES = 8 + 40 * PER_NODE
const PER_TREE = 32
const TREE_BYTES = 24 + 8 * PER_TREE + 8 * (PER_TREE + 1)
const HEAP_HEAD = 32
/** The library's mark for "no free block" in a local heap. */
const NO_FREE = 1n

const textSize = (text: string): number => padded(Buffer.byteLength(text) + 1)
/** From here on the order of UTF-16 is not that of UTF-8. */
const unusual = /[\ud800-\uffff]/

function treeCounts(nodes: number): number[] {
  const counts = [Math.max(1, Math.ceil(nodes / PER_TREE))]
  while ((counts.at(-1) ?? 1) > 1) counts.push(Math.ceil((counts.at(-1) ?? 1) / PER_TREE))
  return counts
}

/** Bytes that the table of these links needs; soft links have a target. */
export function symbolTableSize(
  symbols: Iterable<readonly [name: string, { readonly kind: string; readonly target?: string }]>
): number {
  let texts = 8
  let count = 0
  for (const [name, { target }] of symbols) {
    texts += textSize(name) + (target === undefined ? 0 : textSize(target))
    count++
  }
  return tableSize(count, texts)
}

function tableSize(count: number, texts: number): number {
  const nodes = Math.ceil(count / PER_NODE)
  const trees = treeCounts(nodes).reduce((sum, n) => sum + n, 0)
  return HEAP_HEAD + texts + nodes * NODE_BYTES + trees * TREE_BYTES
}

/** Where the table of a group has its heap and the root of its tree; the tree comes first, root node first. */
export const tableParts = (at: number): { tree: number; heap: number } => ({ tree: at, heap: at + TREE_BYTES })

/** The table of a group at a file address. */
export function symbolTable(symbols: readonly Symbol[], at: number): Buffer {
  const byBytes = symbols.some(({ name }) => unusual.test(name))
  const sorted = [...symbols].sort((a, b) =>
    byBytes ? Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) : a.name < b.name ? -1 : 1
  )
  const sizes = symbols.reduce((sum, { name, soft }) => sum + textSize(name) + (soft === undefined ? 0 : textSize(soft)), 8) // prettier-ignore
  const bytes = zeroed(tableSize(symbols.length, sizes))
  const texts = TREE_BYTES + HEAP_HEAD
  let textEnd = 8
  const addText = (text: string): number => {
    const offset = textEnd
    bytes.write(text, texts + offset)
    textEnd += textSize(text)
    return offset
  }
  const places = sorted.map((symbol) => ({
    name: addText(symbol.name),
    soft: symbol.soft === undefined ? 0 : addText(symbol.soft)
  }))
  bytes.write('HEAP', TREE_BYTES, 'latin1')
  put64(bytes, textEnd, TREE_BYTES + 8)
  bytes.writeBigUInt64LE(NO_FREE, TREE_BYTES + 16)
  put64(bytes, at + texts, TREE_BYTES + 24)
  const nodesAt = texts + textEnd
  const nodes: Child[] = []
  for (let i = 0; i < sorted.length; i += PER_NODE) {
    const node = nodesAt + nodes.length * NODE_BYTES
    const count = Math.min(PER_NODE, sorted.length - i)
    bytes.write('SNOD', node, 'latin1')
    bytes[node + 4] = 1
    bytes.writeUInt16LE(count, node + 6)
    for (let j = 0; j < count; j++) {
      const symbol = sorted[i + j]
      const place = places[i + j]
      if (symbol && place) putSymbol(bytes, node + 8 + 40 * j, symbol, place)
    }
    nodes.push({ address: at + node, last: places[i + count - 1]?.name ?? 0 })
  }
  putTree(bytes, at, nodesAt + nodes.length * NODE_BYTES, nodes)
  return bytes
}

/** Nothing of a group is cached here: its header alone says where its table is, so that it can get another one. */
function putSymbol(bytes: Buffer, at: number, symbol: Symbol, place: { name: number; soft: number }): void {
  put64(bytes, place.name, at)
  putAddress(bytes, symbol.address, at + 8)
  if (symbol.soft !== undefined) {
    bytes.writeUInt32LE(2, at + 16)
    bytes.writeUInt32LE(place.soft, at + 24)
  }
}

interface Child {
  readonly address: number
  /** Heap offset of the greatest name below. */
  readonly last: number
}

/** Levels from the leaves up; the root lies at the start of the table, all others behind the symbol nodes. */
function putTree(bytes: Buffer, at: number, from: number, leaves: readonly Child[]): void {
  let children = leaves
  let free = from
  treeCounts(leaves.length).forEach((count, level) => {
    const parents: Child[] = []
    const first = count === 1 ? 0 : free
    free += count === 1 ? 0 : count * TREE_BYTES
    for (let k = 0; k < count; k++) {
      const part = children.slice(k * PER_TREE, (k + 1) * PER_TREE)
      const start = first + k * TREE_BYTES
      bytes.write('TREE', start, 'latin1')
      bytes[start + 5] = level
      bytes.writeUInt16LE(part.length, start + 6)
      putAddress(bytes, k > 0 ? at + start - TREE_BYTES : undefined, start + 8)
      putAddress(bytes, k + 1 < count ? at + start + TREE_BYTES : undefined, start + 16)
      put64(bytes, k === 0 ? 0 : (children[k * PER_TREE - 1]?.last ?? 0), start + 24)
      part.forEach(({ address, last }, i) => {
        put64(bytes, address, start + 32 + 16 * i)
        put64(bytes, last, start + 40 + 16 * i)
      })
      parents.push({ address: at + start, last: part.at(-1)?.last ?? 0 })
    }
    children = parents
  })
}
