// Finds the streams of a message by the bytes of its source name: no string is made per message.
import { type StreamState } from './window.js'

interface Entry {
  readonly name: Buffer
  readonly hash: number
  readonly streams: StreamState[]
}

/** Open addressing on FNV-1a; at most half full. */
export class SourceTable {
  private slots: (Entry | undefined)[] = new Array<Entry | undefined>(16).fill(undefined)
  private size = 0

  add(source: string, stream: StreamState): void {
    const name = Buffer.from(source)
    const found = this.entry(name, 0, name.length)
    if (found !== undefined) {
      found.streams.push(stream)
      return
    }
    if (2 * ++this.size > this.slots.length) this.grow()
    this.place({ name, hash: hashOf(name, 0, name.length), streams: [stream] })
  }

  /** The streams that want messages of the source whose name lies at `start` to `end`; undefined when none does. */
  find(message: Buffer, start: number, end: number): readonly StreamState[] | undefined {
    return this.entry(message, start, end)?.streams
  }

  private entry(message: Buffer, start: number, end: number): Entry | undefined {
    const hash = hashOf(message, start, end)
    const mask = this.slots.length - 1
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const entry = this.slots[i]
      if (entry === undefined) return undefined
      if (entry.hash === hash && equal(entry.name, message, start, end)) return entry
    }
  }

  private grow(): void {
    const old = this.slots
    this.slots = new Array<Entry | undefined>(2 * old.length).fill(undefined)
    for (const entry of old) if (entry !== undefined) this.place(entry)
  }

  private place(entry: Entry): void {
    const mask = this.slots.length - 1
    let i = entry.hash & mask
    while (this.slots[i] !== undefined) i = (i + 1) & mask
    this.slots[i] = entry
  }
}

function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

function equal(name: Buffer, message: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) if (name[i] !== message[start + i]) return false
  return true
}
