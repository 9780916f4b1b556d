// Reads pvData primitives from one message, in its byte order, never beyond its end.
import { READ_BYTES, spares } from '../shared/gatherer.js'
import { decodeText } from '../shared/text.js'
import { type Vector, type VectorType, LARGE_BYTES } from '../../../schemas/index.js'

/** Structures made per message at most: a few bytes can ask for very many empty ones. */
const MAX_STRUCTURES = 1_000_000
const NULL_SIZE = 0xff
const LONG_SIZE = 0xfe
const STATUS_OK = 0xff
/** Length of a record's string that did not fit its field: servers send what there is of it. */
const CUT_BYTES = 39

export interface PvaStatus {
  readonly ok: boolean
  readonly message: string
}

const OK: PvaStatus = { ok: true, message: '' }

export class PvaReader {
  #bytes: Buffer = Buffer.alloc(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #little = true
  #at = 0
  #end = 0
  #structures = 0
  #lent: Buffer | undefined
  /** A vector of this message is a view of its bytes. */
  isViewed = false

  /** From now on reads bytes[start, end). */
  reset(bytes: Buffer, view: DataView, start: number, end: number, isBigEndian: boolean): this {
    this.#bytes = bytes
    this.#view = view
    this.#at = start
    this.#end = end
    this.#little = !isBigEndian
    this.#structures = 0
    this.#lent = undefined
    this.isViewed = false
    return this
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#end - this.#at
  }

  /** Position after skipping `n` bytes is checked, position before them is given. */
  #take(n: number): number {
    const at = this.#at
    if (at + n > this.#end) throw new RangeError('PVA: message too short')
    this.#at = at + n
    return at
  }

  skip(n: number): void {
    this.#take(n)
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }
  i8(): number {
    return this.#view.getInt8(this.#take(1))
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), this.#little)
  }
  i16(): number {
    return this.#view.getInt16(this.#take(2), this.#little)
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), this.#little)
  }
  i32(): number {
    return this.#view.getInt32(this.#take(4), this.#little)
  }
  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), this.#little)
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), this.#little)
  }
  /** An int64 as number (seconds). */
  i64AsNumber(): number {
    const at = this.#take(8)
    const low = this.#view.getUint32(this.#little ? at : at + 4, this.#little)
    return this.#view.getInt32(this.#little ? at + 4 : at, this.#little) * 4_294_967_296 + low
  }
  f32(): number {
    return this.#view.getFloat32(this.#take(4), this.#little)
  }
  f64(): number {
    return this.#view.getFloat64(this.#take(8), this.#little)
  }

  /** A size; -1 for null. */
  size(): number {
    const first = this.u8()
    if (first < LONG_SIZE) return first
    if (first === NULL_SIZE) return -1
    const size = this.u32()
    if (size >= 0x7fffffff) throw new RangeError('PVA: size over 2 GiB')
    return size
  }

  /** A number of elements of which each takes at least `bytesEach`; null counts as none. */
  count(bytesEach: number): number {
    const n = this.size()
    if (n * bytesEach > this.left) throw new RangeError('PVA: message too short')
    return n < 0 ? 0 : n
  }

  text(): string {
    const n = this.count(1)
    if (n === 0) return ''
    const at = this.#take(n)
    return decodeText(this.#bytes, at, at + n, n === CUT_BYTES)
  }

  /** `n` bytes as hexadecimal digits. */
  hex(n: number): string {
    const at = this.#take(n)
    return this.#bytes.toString('hex', at, at + n)
  }

  address(): string {
    const at = this.#take(16)
    const bytes = this.#bytes.subarray(at, at + 16)
    const isV4 = bytes.subarray(0, 10).every((b) => b === 0)
    if (isV4) return bytes.subarray(12).join('.')
    return Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(':')
  }

  status(): PvaStatus {
    const type = this.u8()
    if (type === STATUS_OK) return OK
    const message = this.text()
    this.text() // Call stack of the server
    return { ok: type < 2, message }
  }

  /** `n` elements of `width` bytes as little-endian bytes that stay valid. */
  vector(dtype: VectorType, width: number, n: number): Vector {
    const size = n * width
    const at = this.#take(size)
    const view = this.#bytes.subarray(at, at + size)
    // A view keeps its whole buffer alive: only worth it when it is most of it (images). Smaller ones may lie where we read next.
    if (this.#little && size > READ_BYTES && size * 2 > this.#bytes.buffer.byteLength) {
      this.isViewed = true
      this.#lent = view
      return { dtype, length: n, bytes: view }
    }
    const bytes = spares.take(size)
    if (size >= LARGE_BYTES) this.#lent = bytes
    view.copy(bytes)
    if (!this.#little) {
      if (width === 2) bytes.swap16()
      else if (width === 4) bytes.swap32()
      else if (width === 8) bytes.swap64()
    }
    return { dtype, length: n, bytes }
  }

  /** The memory of the last large vector, once. */
  lent(): Buffer | undefined {
    const lent = this.#lent
    this.#lent = undefined
    return lent
  }

  /** Start of the bit mask that comes next (skipped); `maskByte` reads it. */
  mask(): { readonly at: number; readonly length: number } {
    const length = this.count(1)
    return { at: this.#take(length), length }
  }

  /** Whether any bit of the mask that comes next is set. */
  anyInMask(): boolean {
    let length = this.count(1)
    for (let at = this.#take(length); length > 0; at++, length--) if (this.#view.getUint8(at) !== 0) return true
    return false
  }

  /** Byte `i` of a mask: whole 8-byte words follow the byte order, the tail is byte by byte. */
  maskByte(at: number, length: number, i: number): number {
    const isSwapped = !this.#little && (i | 7) < length
    return this.#view.getUint8(at + (isSwapped ? (i & ~7) + 7 - (i & 7) : i))
  }

  /** To be called for every structure made; throws when a message asks for too many. */
  countStructure(): void {
    if (++this.#structures > MAX_STRUCTURES) throw new RangeError('PVA: too many structures in one message')
  }
}
