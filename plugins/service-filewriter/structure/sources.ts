// Finds the streams of a message by the bytes of its source name: no string is made per message.
import { type StreamState } from './window.js'

/** Per slot: hash, start and length of the name, 1 + index of its streams (0: the slot is free). */
const SLOT = 4

/** Open addressing, at most half full; slots and names lie together, so that a look-up touches little memory. */
export class SourceTable {
  #slots = new Int32Array(16 * SLOT)
  #names = new DataView(new ArrayBuffer(1024))
  #nameEnd = 0
  readonly #streams: StreamState[][] = []

  add(source: string, stream: StreamState): void {
    const name = Buffer.from(source)
    const known = this.find(name, 0, name.length)
    if (known !== undefined) {
      known.push(stream)
      return
    }
    this.#streams.push([stream])
    if (2 * this.#streams.length > this.#slots.length / SLOT) this.#grow()
    if (this.#nameEnd + name.length > this.#names.byteLength) {
      const more = new Uint8Array(2 * (this.#nameEnd + name.length))
      more.set(new Uint8Array(this.#names.buffer))
      this.#names = new DataView(more.buffer)
    }
    new Uint8Array(this.#names.buffer).set(name, this.#nameEnd)
    const hash = hashOf(this.#names, this.#nameEnd, this.#nameEnd + name.length)
    this.#place(hash, this.#nameEnd, name.length, this.#streams.length)
    this.#nameEnd += name.length
  }

  /** The streams that want messages of the source whose name lies at `start` to `end`; undefined when none does. */
  find(message: Uint8Array, start: number, end: number): StreamState[] | undefined {
    return this.findIn(viewOf(message), start, end)
  }

  /** As `find`, for one who has a view of many messages. */
  findIn(bytes: DataView, start: number, end: number): StreamState[] | undefined {
    const slots = this.#slots,
      names = this.#names
    const hash = hashOf(bytes, start, end)
    const last = slots.length - SLOT
    for (let i = (hash * SLOT) & last; ; i = (i + SLOT) & last) {
      const index = slots[i + 3] ?? 0
      if (index === 0) return undefined
      if (slots[i] === hash && slots[i + 2] === end - start && equal(names, slots[i + 1] ?? 0, bytes, start, end))
        return this.#streams[index - 1]
    }
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(2 * old.length)
    for (let i = 0; i < old.length; i += SLOT) {
      const [hash = 0, start = 0, length = 0, index = 0] = old.subarray(i, i + SLOT)
      if (index > 0) this.#place(hash, start, length, index)
    }
  }

  #place(hash: number, start: number, length: number, index: number): void {
    const slots = this.#slots
    const last = slots.length - SLOT
    let i = (hash * SLOT) & last
    while (slots[i + 3] !== 0) i = (i + SLOT) & last
    slots.set([hash, start, length, index], i)
  }
}

export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

/** As a signed 32-bit number; four bytes at a time. */
function hashOf(bytes: DataView, start: number, end: number): number {
  let hash = 0x811c9dc5
  let at = start
  for (; at + 4 <= end; at += 4) hash = Math.imul(hash ^ bytes.getInt32(at), 0x01000193) ^ (hash >>> 15)
  for (; at < end; at++) hash = Math.imul(hash ^ bytes.getUint8(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}

function equal(names: DataView, from: number, bytes: DataView, start: number, end: number): boolean {
  const shift = from - start
  let at = start
  for (; at + 4 <= end; at += 4) if (names.getInt32(at + shift) !== bytes.getInt32(at)) return false
  for (; at < end; at++) if (names.getUint8(at + shift) !== bytes.getUint8(at)) return false
  return true
}
