// One appendable dataset of the direct path: bytes go by position into chunks at the end of the file.
import { type CodedError } from '../../../core/api/plugin.js'
import { type BackendColumn, type Publishing } from './backend.js'
import { ChunkIndex } from './chunk-index.js'
import { type ChunkCodec, codecFor } from './codec.js'
import { type Budget, TailColumn } from './column.js'
import { type Disk } from './disk.js'
import { type HeaderMessage, readChunked, readIndex } from './format.js'
import { UNDEFINED } from './messages.js'
import { Slots } from './slots.js'
import { type DatasetLayout } from './wasm.js'
import { type Column } from '../writer-part.js'
import { Unsupported } from './superblock.js'

const PAGE = 4096
const BULK_TAIL = 1 << 17

/** Where the changing parts of a dataset's header are. */
export interface HeaderPlace {
  readonly dimAt: number
  readonly indexAt: number
  /** Headers with a checksum are written whole. */
  readonly dim?: HeaderMessage['block']
  readonly index?: HeaderMessage['block']
}

/** The file as its columns see it. */
export interface Space {
  readonly disk: Disk
  allocate(bytes: number, align: number): number
  /** Frees memory by writing partly filled compressed chunks of other columns. */
  relieve(): void
  /** As Column.grow. */
  grow(column: DirectColumn, row: readonly number[]): Column | undefined
  /** After a failed write nothing more is published. Returns the error to throw. */
  fail(error: unknown): CodedError
}

export class DirectColumn extends TailColumn implements BackendColumn {
  /** Of its object header; 0 until it has a place. */
  address = 0
  place: HeaderPlace | undefined
  root = -1
  publishedRoot = -1
  publishedRows = 0
  /** Shape of the rows that readers see, where it is smaller than the stored one: after growth. */
  shown: readonly number[] | undefined
  /** The header in the file has another shape than `shown`. */
  reshaped = false
  /** Appended to since the checkpoint before last; idle columns give back their memory when it is short. */
  #active = false
  readonly #chunkBytes: number
  readonly #align: number
  readonly #codec: ChunkCodec | undefined
  /** Made at the first chunk: many columns never have one. */
  #index: ChunkIndex | undefined
  /** The last, not yet full chunk of a compressed dataset. */
  #plain: Buffer | undefined
  #partDirty = false
  readonly #slots: Slots | undefined

  readonly #space: Space

  constructor(
    path: string,
    layout: DatasetLayout,
    budget: Budget,
    readonly publishing: Publishing,
    space: Space
  ) {
    super(path, layout, budget, publishing.bulk ? BULK_TAIL : budget.tail)
    this.#space = space

    this.#chunkBytes = layout.chunk * this.rowBytes
    this.#align = publishing.bulk ? PAGE : 8
    this.#codec = codecFor(path, layout.filters)
    this.#slots = this.#codec && new Slots()
  }

  get #chunks(): ChunkIndex {
    const { row, chunk } = this.layout
    return (this.#index ??= new ChunkIndex(1 + row.length, chunk, this.#chunkBytes, this.path, this.#space))
  }

  /** Reads from the file what the dataset holds, e.g. after the library changed it. Throws Unsupported. */
  load(address: number): void {
    const { disk } = this.#space
    const found = readChunked(disk, address, this.path)
    const { space, layout, dims, chunk } = found
    const spans = chunk.slice(1, -1).every((n, i) => n === this.layout.row[i])
    if (!spans || chunk[0] !== this.layout.chunk)
      throw new Unsupported(`${this.path}: its chunks do not span whole rows`)
    this.place = {
      dimAt: space.block.at + found.dimAt,
      indexAt: layout.block.at + found.indexAt,
      ...(space.block.checksum === undefined ? {} : { dim: space.block }),
      ...(layout.block.checksum === undefined ? {} : { index: layout.block })
    }
    const rows = dims[0] ?? 0
    this.publishedRows = rows
    this.publishedRoot = this.root = found.index === UNDEFINED ? -1 : Number(found.index)
    this.stored = rows * this.rowBytes
    const count = Math.ceil(this.stored / this.#chunkBytes)
    const chunks = readIndex(disk, found, this.path)
    this.#index = undefined
    this.#plain = undefined
    this.#slots?.clear()
    for (let i = 0; i < count; i++) {
      const stored = chunks[i]
      if (!stored && (found.filled || this.#codec)) throw new Unsupported(`${this.path}: a chunk is missing`)
      if (stored) this.#chunks.set(i, stored.address, this.#codec && stored.bytes)
      else this.#chunks.set(i, this.#space.allocate(this.#chunkBytes, this.#align))
    }
    const last = chunks[count - 1]
    if (this.#codec && last && this.stored % this.#chunkBytes !== 0) this.#slots?.found(last)
  }

  grow(row: readonly number[]): Column | undefined {
    return this.#space.grow(this, row)
  }

  /** Rows of a settled column, read back from the file. */
  rows(from: number, n: number): Buffer {
    const { disk } = this.#space
    const out = Buffer.alloc(n * this.rowBytes)
    for (let done = 0; done < out.length;) {
      const at = from * this.rowBytes + done
      const chunk = Math.floor(at / this.#chunkBytes)
      const within = at - chunk * this.#chunkBytes
      const part = Math.min(out.length - done, this.#chunkBytes - within)
      const address = this.#chunks.addresses[chunk] ?? 0
      if (this.#codec) {
        const packed = disk.read(this.#chunks.sizes[chunk] ?? 0, address, this.path)
        this.#codec.expand(packed, this.#chunkBytes).copy(out, done, within, within + part)
      } else disk.read(part, address + within, this.path).copy(out, done)
      done += part
    }
    return out
  }

  protected store(bytes: Uint8Array): void {
    this.#active = true
    try {
      if (this.#codec) this.#storeCompressed(bytes, this.#codec)
      else this.#storePlain(bytes)
    } catch (error) {
      throw this.#space.fail(error)
    }
  }

  #storePlain(bytes: Uint8Array): void {
    const { disk } = this.#space
    const n = bytes.byteLength
    for (let done = 0; done < n;) {
      const at = this.stored + done
      const chunk = Math.floor(at / this.#chunkBytes)
      const within = at - chunk * this.#chunkBytes
      const part = Math.min(n - done, this.#chunkBytes - within)
      let address = this.#chunks.addresses[chunk]
      if (address === undefined)
        this.#chunks.set(chunk, (address = this.#space.allocate(this.#chunkBytes, this.#align)))
      disk.write(part === n ? bytes : bytes.subarray(done, done + part), address + within, this.path)
      done += part
    }
  }

  #storeCompressed(bytes: Uint8Array, codec: ChunkCodec): void {
    const n = bytes.byteLength
    for (let done = 0; done < n;) {
      const at = this.stored + done
      const chunk = Math.floor(at / this.#chunkBytes)
      const within = at - chunk * this.#chunkBytes
      const plain = this.#opened(chunk, codec)
      const part = Math.min(n - done, this.#chunkBytes - within)
      plain.set(bytes.subarray(done, done + part), within)
      done += part
      this.#partDirty = true
      if (within + part < this.#chunkBytes) continue
      const packed = codec.compress(plain)
      const address = this.#space.allocate(packed.length, 8)
      this.#space.disk.write(packed, address, this.path)
      this.#chunks.set(chunk, address, packed.length)
      this.#partDirty = false
      this.#slots?.drop()
      plain.fill(0)
    }
  }

  /** The chunk being filled, expanded again from the file when memory was short. */
  #opened(chunk: number, codec: ChunkCodec): Buffer {
    if (this.#plain) return this.#plain
    if (this.budget.used + this.#chunkBytes > this.budget.limit) this.#space.relieve()
    this.budget.used += this.#chunkBytes
    this.#plain = Buffer.alloc(this.#chunkBytes)
    const address = this.#chunks.addresses[chunk]
    const bytes = this.#chunks.sizes[chunk]
    if (address !== undefined && bytes !== undefined)
      codec.expand(this.#space.disk.read(bytes, address, this.path), this.#chunkBytes).copy(this.#plain)
    return this.#plain
  }

  /** Writes a partly filled compressed chunk; never over the version that is published. */
  #seal(): void {
    if (!this.#partDirty || !this.#plain || !this.#codec || !this.#slots) return
    const packed = this.#codec.compress(this.#plain)
    const { address } = this.#slots.take(packed.length, (bytes) => this.#space.allocate(bytes, 8))
    this.#space.disk.write(packed, address, this.path)
    this.#chunks.set(Math.floor(this.stored / this.#chunkBytes), address, packed.length)
    this.#partDirty = false
  }

  /** Everything appended is in the file, the index too; nothing is published yet. */
  settle(): void {
    this.flush()
    this.#seal()
    if (this.#index?.changed === true) this.root = this.#index.store()
  }

  /** Called when the newest index is published. */
  published(): void {
    this.#slots?.published()
  }

  /** Gives memory back: the tail of an idle column, and the partly filled chunk. */
  relax(force: boolean): void {
    if (!this.#active || force) {
      if (this.fill === 0) this.release()
      if (this.#plain) {
        this.#seal()
        this.#plain = undefined
        this.budget.used -= this.#chunkBytes
      }
    }
    this.#active = false
  }
}
