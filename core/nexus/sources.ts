// Finds the streams of a message by the bytes of its source name: no string is made per message.
import { type StreamState } from './window.js'

/** Per slot: hash, start and length of the name, 1 + index of its streams (0: the slot is free). */
const SLOT = 4

/** Open addressing on FNV-1a, at most half full; slots and names lie together, so that a look-up touches little memory. */
export class SourceTable {
  private slots = new Int32Array(16 * SLOT)
  private names = new Uint8Array(1024)
  private nameEnd = 0
  private readonly streams: StreamState[][] = []

  add(source: string, stream: StreamState): void {
    const name = Buffer.from(source)
    const known = this.find(name, 0, name.length)
    if (known !== undefined) {
      known.push(stream)
      return
    }
    this.streams.push([stream])
    if (2 * this.streams.length > this.slots.length / SLOT) this.grow()
    if (this.nameEnd + name.length > this.names.length) {
      const more = new Uint8Array(2 * (this.nameEnd + name.length))
      more.set(this.names)
      this.names = more
    }
    this.names.set(name, this.nameEnd)
    this.place(hashOf(name, 0, name.length), this.nameEnd, name.length, this.streams.length)
    this.nameEnd += name.length
  }

  /** The streams that want messages of the source whose name lies at `start` to `end`; undefined when none does. */
  find(message: Buffer, start: number, end: number): StreamState[] | undefined {
    const { slots, names } = this
    const hash = hashOf(message, start, end)
    const last = slots.length - SLOT
    for (let i = (hash * SLOT) & last; ; i = (i + SLOT) & last) {
      const index = slots[i + 3] ?? 0
      if (index === 0) return undefined
      if (slots[i] === hash && slots[i + 2] === end - start && equal(names, slots[i + 1] ?? 0, message, start, end))
        return this.streams[index - 1]
    }
  }

  private grow(): void {
    const old = this.slots
    this.slots = new Int32Array(2 * old.length)
    for (let i = 0; i < old.length; i += SLOT) {
      const [hash = 0, start = 0, length = 0, index = 0] = old.subarray(i, i + SLOT)
      if (index > 0) this.place(hash, start, length, index)
    }
  }

  private place(hash: number, start: number, length: number, index: number): void {
    const { slots } = this
    const last = slots.length - SLOT
    let i = (hash * SLOT) & last
    while (slots[i + 3] !== 0) i = (i + SLOT) & last
    slots.set([hash, start, length, index], i)
  }
}

/** As a signed 32-bit number. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193)
  return hash ^ (hash >>> 15)
}

function equal(names: Uint8Array, at: number, message: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (names[at + i - start] !== message[i]) return false
  return true
}
