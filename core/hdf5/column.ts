// What all appendable datasets share: checks and the tail, a small buffer that gathers appends until they are worth a write.
import { CodedError } from '../errors.js'
import { type Column } from '../plugin.js'
import { cutText, elements, elementSize, numberTypes } from './types.js'
import { type Layout } from './wasm.js'

/** Memory that all tails of a file may use together. */
export class Budget {
  used = 0
  constructor(
    readonly limit: number,
    /** Most bytes for one tail. */
    readonly tail: number
  ) {}
}

type NumberView =
  Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array

const views: Readonly<Record<string, (buffer: ArrayBuffer) => NumberView>> = {
  int8: (buffer) => new Int8Array(buffer),
  int16: (buffer) => new Int16Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  uint8: (buffer) => new Uint8Array(buffer),
  uint16: (buffer) => new Uint16Array(buffer),
  uint32: (buffer) => new Uint32Array(buffer),
  float32: (buffer) => new Float32Array(buffer),
  float64: (buffer) => new Float64Array(buffer)
}
const WORD = 0x100000000
const FIRST_TAIL = 256
/** From here on copying costs more than a write of its own. */
const DIRECT_BYTES = 1 << 16

/** Rows wait in `tail` until `store` takes them. */
export abstract class TailColumn implements Column {
  readonly rowBytes: number
  protected readonly itemBytes: number
  protected tail: Buffer = Buffer.alloc(0)
  protected fill = 0
  /** Bytes taken by `store` so far, those found in the file included. */
  protected stored = 0
  private capacity = 0
  private readonly kind: 'number' | 'word' | 'text'
  private numbers: NumberView = new Uint8Array(0)
  private words: Int32Array = new Int32Array(0)
  private readonly single: boolean

  constructor(
    readonly path: string,
    readonly layout: Layout,
    protected readonly budget: Budget,
    /** Most bytes for this tail. */
    private readonly most: number = budget.tail
  ) {
    const { dtype, row } = layout
    this.itemBytes = elementSize(dtype)
    this.rowBytes = this.itemBytes * elements(row)
    this.single = elements(row) === 1
    if (typeof dtype !== 'string') this.kind = 'text'
    else this.kind = numberTypes[dtype].size === 8 && !numberTypes[dtype].float ? 'word' : 'number'
  }

  /** Takes whole rows to the file (not yet visible to readers); the bytes are used up when it returns. */
  protected abstract store(bytes: Uint8Array): void

  get length(): number {
    return (this.stored + this.fill) / this.rowBytes
  }

  append(rows: Uint8Array): void {
    const n = rows.byteLength
    if (n % this.rowBytes !== 0) throw this.refuse(`${n} bytes are not whole rows of ${this.rowBytes}`)
    if (n >= DIRECT_BYTES || (n > this.capacity - this.fill && !this.room(n))) {
      this.flush()
      if (n >= DIRECT_BYTES || n > this.capacity) {
        if (n > 0) this.take(rows)
        return
      }
    }
    this.tail.set(rows, this.fill)
    this.fill += n
  }

  appendNumber(value: number): void {
    if (this.fill + this.itemBytes > this.capacity || !this.single) this.roomForOne()
    if (this.kind === 'number') this.numbers[this.fill / this.itemBytes] = value
    else {
      if (this.kind === 'text' || !Number.isSafeInteger(value))
        throw this.refuse(`${value} is not a whole number below 2^53`)
      const at = this.fill >>> 2
      this.words[at] = value
      this.words[at + 1] = Math.floor(value / WORD)
    }
    this.fill += this.itemBytes
  }

  appendBigInt(value: bigint): void {
    if (this.fill + this.itemBytes > this.capacity || !this.single) this.roomForOne()
    if (this.kind !== 'word') throw this.refuse('it does not hold 64-bit integers')
    this.tail.writeBigUInt64LE(BigInt.asUintN(64, value), this.fill)
    this.fill += this.itemBytes
  }

  appendString(text: string): void {
    if (this.kind !== 'text') throw this.refuse('it does not hold strings')
    if (this.fill + this.itemBytes > this.capacity || !this.single) this.roomForOne()
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
    this.take(this.tail.subarray(0, n))
  }

  /** Gives the tail's memory back. */
  release(): void {
    this.budget.used -= this.capacity
    this.hold(0)
  }

  private take(bytes: Uint8Array): void {
    this.store(bytes)
    this.stored += bytes.byteLength
  }

  private roomForOne(): void {
    if (!this.single) throw this.refuse(`a row has ${elements(this.layout.row)} elements; append whole rows`)
    if (this.room(this.itemBytes)) return
    this.flush()
    // A first element fits even when the budget is used up: a column without any tail could not take single values
    if (this.capacity < this.itemBytes) this.grow(this.itemBytes)
  }

  /** Makes the tail bigger if bounds allow; true when `n` more bytes fit. */
  private room(n: number): boolean {
    const needed = this.fill + n
    if (needed <= this.capacity) return true
    if (needed > this.most) return false
    const wanted = Math.min(Math.max(needed, FIRST_TAIL, 2 * this.capacity), this.most)
    if (this.budget.used + wanted - this.capacity > this.budget.limit) return false
    this.grow(wanted)
    return true
  }

  private grow(bytes: number): void {
    const capacity = Math.ceil(bytes / this.itemBytes) * this.itemBytes
    this.budget.used += capacity - this.capacity
    this.hold(capacity)
  }

  private hold(capacity: number): void {
    const memory = new ArrayBuffer(capacity)
    const tail = Buffer.from(memory)
    this.tail.copy(tail, 0, 0, this.fill)
    this.tail = tail
    this.capacity = capacity
    const { dtype } = this.layout
    if (this.kind === 'word') this.words = new Int32Array(memory)
    else if (this.kind === 'number') this.numbers = views[dtype as string]?.(memory) ?? this.numbers
  }

  protected refuse(message: string): CodedError {
    return new CodedError('HDF5_FAILED', `${this.path}: ${message}`, { path: this.path })
  }
}
