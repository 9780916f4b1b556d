// The chunk index of one dataset: a version 1 B-tree that is never changed where a reader may look at it.
import { type Disk } from './disk.js'
import { put64, putAddress } from './messages.js'

/** Children per node: 2 × the default "indexed storage internal node K" of every superblock without an own value. */
const PER_NODE = 64

let scratch = Buffer.alloc(0)

interface Node {
  address: number
  /** The place of the version before: the next version goes there, so a root that a reader holds stays sound. */
  spare: number
}

/**
 * Nodes on the right edge alternate between two places: a new version never overwrites the one that the published root
 * leads to. Both places of a node only ever hold versions of that node, so even a reader with an old root finds all it can ask for.
 */
export class ChunkIndex {
  readonly addresses: number[] = []
  /** Bytes of each stored chunk; only kept for filtered datasets. */
  readonly sizes: number[] = []
  readonly #levels: Node[][] = []
  #dirty = 0
  readonly #keyBytes: number
  readonly #nodeBytes: number

  readonly #rows: number
  readonly #chunkBytes: number
  readonly #path: string
  readonly #space: { readonly disk: Disk; allocate(bytes: number, align: number): number }

  constructor(
    rank: number,
    rows: number,
    /** Bytes of an unfiltered chunk. */
    chunkBytes: number,
    path: string,
    space: { readonly disk: Disk; allocate(bytes: number, align: number): number }
  ) {
    this.#rows = rows
    this.#chunkBytes = chunkBytes
    this.#path = path
    this.#space = space

    this.#keyBytes = 8 + 8 * (rank + 1)
    this.#nodeBytes = 24 + PER_NODE * 8 + (PER_NODE + 1) * this.#keyBytes
  }

  /** Records where chunk `i` is stored. */
  set(i: number, address: number, bytes?: number): void {
    this.addresses[i] = address
    if (bytes !== undefined) this.sizes[i] = bytes
    if (i < this.#dirty) this.#dirty = i
  }

  get changed(): boolean {
    return this.#dirty < this.addresses.length
  }

  /** Writes what changed; returns the address of the root to publish. */
  store(): number {
    const total = this.addresses.length
    let children: readonly number[] = this.addresses
    let first = this.#dirty
    let span = 1
    for (let level = 0; ; level++) {
      const nodes = (this.#levels[level] ??= [])
      const count = Math.ceil(children.length / PER_NODE)
      const from = Math.floor(first / PER_NODE)
      for (let k = from; k < count; k++) this.#move(nodes, k)
      for (let k = from; k < count; k++) this.#storeNode(level, k, children, span, total)
      const left = nodes[from - 1]
      if (left) this.#write(addressBytes(nodes[from]?.address ?? 0), left.address + 16)
      if (count === 1) {
        this.#dirty = total
        return nodes[0]?.address ?? 0
      }
      children = nodes.map(({ address }) => address)
      first = from
      span *= PER_NODE
    }
  }

  #write(bytes: Buffer, position: number): void {
    this.#space.disk.write(bytes, position, `${this.#path} (chunk index)`)
  }

  #move(nodes: Node[], k: number): void {
    const node = nodes[k]
    if (!node) {
      nodes[k] = { address: this.#space.allocate(this.#nodeBytes, 8), spare: 0 }
      return
    }
    const place = node.spare === 0 ? this.#space.allocate(this.#nodeBytes, 8) : node.spare
    node.spare = node.address
    node.address = place
  }

  #storeNode(level: number, k: number, children: readonly number[], span: number, total: number): void {
    const nodes = this.#levels[level] ?? []
    const start = k * PER_NODE
    const used = Math.min(PER_NODE, children.length - start)
    // Behind the last key a node may hold anything
    const size = 24 + used * (8 + this.#keyBytes) + this.#keyBytes
    const out = scratch.length < size ? (scratch = Buffer.alloc(this.#nodeBytes)) : scratch.fill(0, 0, size)
    out.write('TREE', 0, 'latin1')
    out[4] = 1
    out[5] = level
    out.writeUInt16LE(used, 6)
    const left = nodes[k - 1]
    const right = nodes[k + 1]
    putAddress(out, left?.address, 8)
    putAddress(out, right?.address, 16)
    let p = 24
    for (let i = start; i < start + used; i++) {
      const chunk = i * span
      this.#key(out, p, chunk, this.sizes[chunk] ?? this.#chunkBytes)
      put64(out, children[i] ?? 0, p + this.#keyBytes)
      p += this.#keyBytes + 8
    }
    this.#key(out, p, Math.min(total, (start + used) * span), 0)
    this.#write(out.subarray(0, size), nodes[k]?.address ?? 0)
  }

  #key(out: Buffer, p: number, chunk: number, bytes: number): void {
    out.writeUInt32LE(bytes, p)
    // Rows can exceed 2^32; the other offsets and the filter mask stay 0
    const row = chunk * this.#rows
    out.writeUInt32LE(row % 0x100000000, p + 8)
    out.writeUInt32LE(Math.floor(row / 0x100000000), p + 12)
  }
}

export function addressBytes(address: number): Buffer {
  const out = Buffer.allocUnsafe(8)
  put64(out, address, 0)
  return out
}
