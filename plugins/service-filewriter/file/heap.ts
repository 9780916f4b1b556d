// Variable-length strings of a new file: global heap collections (File Format Specification, III.E).
import { padded, put64, zeroed } from './messages.js'

const HEAD = 16
const OBJECT_HEAD = 16
const FIRST_BYTES = 4096
const MOST_BYTES = 1 << 16

/** Collects texts; `place` gives a buffer its file address and keeps it until everything is written. */
export class HeapWriter {
  #collection = Buffer.alloc(0)
  #address = 0
  #fill = 0
  #count = 0
  #next = FIRST_BYTES

  readonly #place: (bytes: Buffer) => number

  constructor(place: (bytes: Buffer) => number) {
    this.#place = place
  }

  /** The 16-byte references of texts, as elements of an attribute or dataset hold them. */
  references(texts: readonly string[]): Buffer {
    const out = zeroed(16 * texts.length)
    this.put(texts, out, 0)
    return out
  }

  /** Fills in the references at a place that is zero. */
  put(texts: readonly string[], out: Buffer, at: number): void {
    for (const [i, text] of texts.entries()) this.#put(text, out, at + 16 * i)
  }

  #put(text: string, out: Buffer, at: number): void {
    const length = Buffer.byteLength(text)
    // An empty text has no object: length and address stay 0
    if (length === 0) return
    const needed = OBJECT_HEAD + padded(length)
    if (this.#fill + needed > this.#collection.length || this.#count === 0xffff) this.#open(needed)
    const start = this.#fill
    this.#count++
    this.#collection.writeUInt16LE(this.#count, start)
    this.#collection.writeUInt16LE(1, start + 2)
    put64(this.#collection, length, start + 8)
    this.#collection.write(text, start + OBJECT_HEAD)
    this.#fill += needed
    this.#markFree()
    out.writeUInt32LE(length, at)
    put64(out, this.#address, at + 4)
    out.writeUInt32LE(this.#count, at + 12)
  }

  #open(needed: number): void {
    this.#collection = Buffer.alloc(Math.max(this.#next, HEAD + needed))
    this.#next = Math.min(2 * this.#next, MOST_BYTES)
    this.#collection.write('GCOL', 0, 'latin1')
    this.#collection[4] = 1
    this.#collection.writeBigUInt64LE(BigInt(this.#collection.length), 8)
    this.#address = this.#place(this.#collection)
    this.#fill = HEAD
    this.#count = 0
  }

  /** Object 0 is the free rest; less than a head's worth needs no mark. */
  #markFree(): void {
    const rest = this.#collection.length - this.#fill
    if (rest >= OBJECT_HEAD) {
      put64(this.#collection, rest, this.#fill + 8)
    }
  }
}
