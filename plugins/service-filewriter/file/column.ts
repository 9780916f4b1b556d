// What all appendable datasets share: checks and the tail, a small buffer that gathers appends until they are worth a write.
import { typedArrays } from '../../../schemas/numbers.js'
import { CodedError } from '../../../core/api/plugin.js'
import { type VectorType } from '../../../schemas/index.js'
import { cutText, elements, elementSize, numberTypes } from './types.js'
import { type DatasetLayout } from './wasm.js'
import { type Column } from '../writer-part.js'

const SLAB_BYTES = 1 << 20
const NO_NUMBERS = new Uint8Array(0)
const NO_WORDS = new BigUint64Array(0)
const NO_HALVES = new Int32Array(0)

type NumberKind = Exclude<VectorType, 'int64' | 'uint64'>
type NumberView = InstanceType<(typeof typedArrays)[NumberKind]>

/** Memory of many tails. They share its views: an array object of its own per tail would be a cache miss more per value. */
class Slab {
  readonly memory: ArrayBuffer
  readonly words: BigUint64Array
  readonly halves: Int32Array
  readonly #made = new Map<NumberKind, NumberView>()

  constructor(bytes: number) {
    this.memory = new ArrayBuffer(bytes)
    this.words = new BigUint64Array(this.memory)
    this.halves = new Int32Array(this.memory)
  }

  numbers(dtype: NumberKind): NumberView {
    let view = this.#made.get(dtype)
    if (view === undefined) this.#made.set(dtype, (view = new typedArrays[dtype](this.memory)))
    return view
  }
}

/** A piece of a slab. */
interface Piece {
  readonly slab: Slab
  readonly offset: number
}

/** Memory that all tails of a file may use together; small tails are cut from slabs, since thousands of buffers of their own cost more. */
export class Budget {
  used = 0
  #slab = new Slab(0)
  #cut = 0
  readonly #idle = new Map<number, Piece[]>()

  constructor(
    readonly limit: number,
    /** Most bytes for one tail. */
    readonly tail: number
  ) {}

  /** `bytes` at a multiple of 8. */
  take(bytes: number): Piece {
    this.used += bytes
    const room = (bytes + 7) & ~7
    if (room > SLAB_BYTES / 8) return { slab: new Slab(room), offset: 0 }
    const known = this.#idle.get(room)?.pop()
    if (known) return known
    if (this.#cut + room > this.#slab.memory.byteLength) {
      this.#slab = new Slab(SLAB_BYTES)
      this.#cut = 0
    }
    const piece = { slab: this.#slab, offset: this.#cut }
    this.#cut += room
    return piece
  }

  give(piece: Piece, bytes: number): void {
    this.used -= bytes
    const room = (bytes + 7) & ~7
    if (room > SLAB_BYTES / 8) return
    const list = this.#idle.get(room)
    if (list) list.push(piece)
    else this.#idle.set(room, [piece])
  }
}

const NOTHING = Buffer.alloc(0)
const FIRST_TAIL = 256
/** From here on copying costs more than a write of its own. */
const DIRECT_BYTES = 1 << 16

/** Rows wait in `tail` until `store` takes them. */
export abstract class TailColumn implements Column {
  // What each value needs comes first: it lies together in memory
  protected fill = 0
  #capacity = 0
  readonly itemBytes: number
  /** Of the bytes of an element, where that is a power of two. */
  readonly #shift: number
  readonly #single: boolean
  readonly #kind: 'number' | 'word' | 'text'
  /** Of the tail in its slab; the views are those of the slab. */
  #offset = 0
  #numbers: NumberView = NO_NUMBERS
  #halves: Int32Array = NO_HALVES
  #words: BigUint64Array = NO_WORDS
  readonly rowBytes: number
  protected tail: Buffer = NOTHING
  /** Bytes taken by `store` so far, those found in the file included. */
  protected stored = 0
  #piece: Piece | undefined

  readonly #most: number

  constructor(
    readonly path: string,
    readonly layout: DatasetLayout,
    protected readonly budget: Budget,
    /** Most bytes for this tail. */
    most: number = budget.tail
  ) {
    this.#most = most

    const { dtype, row } = layout
    this.itemBytes = elementSize(dtype)
    this.rowBytes = this.itemBytes * elements(row)
    this.#single = elements(row) === 1
    this.#shift = Math.log2(this.itemBytes)
    if (typeof dtype !== 'string') this.#kind = 'text'
    else this.#kind = numberTypes[dtype].size === 8 && !numberTypes[dtype].float ? 'word' : 'number'
  }

  /** Takes whole rows to the file (not yet visible to readers); the bytes are used up when it returns. */
  protected abstract store(bytes: Uint8Array): void

  abstract grow(row: readonly number[]): Column | undefined

  get length(): number {
    return (this.stored + this.fill) / this.rowBytes
  }

  append(rows: Uint8Array): void {
    const n = rows.byteLength
    if (n % this.rowBytes !== 0) throw this.refuse(`${n} bytes are not whole rows of ${this.rowBytes}`)
    if (n >= DIRECT_BYTES || (n > this.#capacity - this.fill && !this.#room(n))) {
      this.flush()
      if (n >= DIRECT_BYTES || n > this.#capacity) {
        if (n > 0) this.#take(rows)
        return
      }
    }
    this.tail.set(rows, this.fill)
    this.fill += n
  }

  appendNumber(value: number): void {
    if (this.fill + this.itemBytes > this.#capacity || !this.#single) this.#roomForOne()
    if (this.#kind === 'number') this.#numbers[(this.#offset + this.fill) >>> this.#shift] = value
    else {
      if (this.#kind === 'text' || !Number.isSafeInteger(value))
        throw this.refuse(`${value} is not a whole number below 2^53`)
      this.#words[(this.#offset + this.fill) >>> 3] = BigInt(value)
    }
    this.fill += this.itemBytes
  }

  appendBigInt(value: bigint): void {
    if (this.fill + this.itemBytes > this.#capacity || !this.#single) this.#roomForOne()
    if (this.#kind !== 'word') throw this.refuse('it does not hold 64-bit integers')
    this.#words[(this.#offset + this.fill) >>> 3] = value
    this.fill += this.itemBytes
  }

  appendHalves(high: number, low: number): void {
    if (this.fill + this.itemBytes > this.#capacity || !this.#single) this.#roomForOne()
    if (this.#kind !== 'word') throw this.refuse('it does not hold 64-bit integers')
    const at = (this.#offset + this.fill) >>> 2
    this.#halves[at] = low
    this.#halves[at + 1] = high
    this.fill += this.itemBytes
  }

  appendString(text: string): void {
    if (this.#kind !== 'text') throw this.refuse('it does not hold strings')
    if (this.fill + this.itemBytes > this.#capacity || !this.#single) this.#roomForOne()
    const end = this.fill + this.itemBytes
    const bytes = cutText(text, this.itemBytes)
    this.tail.set(bytes, this.fill)
    this.tail.fill(0, this.fill + bytes.length, end)
    this.fill = end
  }

  /** Hands the tail on to `store`. */
  flush(): void {
    const n = this.fill
    if (n === 0) return
    this.fill = 0
    this.#take(this.tail.subarray(0, n))
  }

  /** Gives the tail's memory back. */
  release(): void {
    if (this.#piece) this.budget.give(this.#piece, this.#capacity)
    this.#piece = undefined
    this.#capacity = 0
    this.tail = NOTHING
    this.#numbers = NO_NUMBERS
    this.#words = NO_WORDS
    this.#halves = NO_HALVES
  }

  #take(bytes: Uint8Array): void {
    this.store(bytes)
    this.stored += bytes.byteLength
  }

  #roomForOne(): void {
    if (!this.#single) throw this.refuse(`a row has ${elements(this.layout.row)} elements; append whole rows`)
    if (this.#room(this.itemBytes)) return
    this.flush()
    // A first element fits even when the budget is used up: a column without any tail could not take single values
    if (this.#capacity < this.itemBytes) this.#grow(this.itemBytes)
  }

  /** Makes the tail bigger if bounds allow; true when `n` more bytes fit. */
  #room(n: number): boolean {
    const needed = this.fill + n
    if (needed <= this.#capacity) return true
    if (needed > this.#most) return false
    const wanted = Math.min(Math.max(needed, FIRST_TAIL, 2 * this.#capacity), this.#most)
    if (this.budget.used + wanted - this.#capacity > this.budget.limit) return false
    this.#grow(wanted)
    return true
  }

  #grow(bytes: number): void {
    const capacity = Math.ceil(bytes / this.itemBytes) * this.itemBytes
    const piece = this.budget.take(capacity)
    const tail = Buffer.from(piece.slab.memory, piece.offset, capacity)
    this.tail.copy(tail, 0, 0, this.fill)
    if (this.#piece) this.budget.give(this.#piece, this.#capacity)
    this.#piece = piece
    this.tail = tail
    this.#capacity = capacity
    const { slab, offset } = piece
    this.#offset = offset
    if (this.#kind === 'word') {
      this.#words = slab.words
      this.#halves = slab.halves
    } else if (this.#kind === 'number') this.#numbers = slab.numbers(this.layout.dtype as NumberKind)
  }

  protected refuse(message: string): CodedError {
    return new CodedError('HDF5_FAILED', `${this.path}: ${message}`, { path: this.path })
  }
}
