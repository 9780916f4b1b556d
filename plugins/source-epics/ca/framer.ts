// Channel Access byte stream to messages; a message across several chunks is joined once, when it is complete.
import { Command, MAX_COMMAND } from './protocol.js'

/** `view` looks at the same bytes as `bytes`; the payload is bytes[start, end), valid during the call only. */
export type OnMessage = (
  command: number, type: number, count: number, p1: number, p2: number,
  bytes: Buffer, view: DataView, start: number, end: number
) => void // prettier-ignore

/** An update too large to be taken: it is passed over. */
export type OnTooLarge = (subscription: number, size: number) => void

const HEADER = 16
const EXTENDED_HEADER = 24
/** Nothing sound is larger than this: the stream is out of step. */
const PASSED_OVER_BYTES = 1 << 30

export class CaFramer {
  readonly #maxBytes: number
  readonly #onMessage: OnMessage
  readonly #onTooLarge: OnTooLarge
  #chunks: Buffer[] = []
  #length = 0
  #needed = HEADER
  /** Bytes that are still to be passed over. */
  #skip = 0
  /** ms since when the rest of a message is awaited; 0: it is not. */
  waitingSinceMs = 0

  /** Unknown commands, and messages longer than `maxBytes` that are no updates, make `push` throw: the stream must end. */
  constructor(maxBytes: number, onMessage: OnMessage, onTooLarge: OnTooLarge) {
    this.#maxBytes = maxBytes
    this.#onMessage = onMessage
    this.#onTooLarge = onTooLarge
  }

  push(chunk: Buffer): void {
    const skipped = Math.min(this.#skip, chunk.length)
    this.#skip -= skipped
    if (skipped === chunk.length) return
    if (skipped > 0) this.waitingSinceMs = 0
    const rest = skipped === 0 ? chunk : chunk.subarray(skipped)
    if (this.#length === 0) {
      this.#parse(rest)
      return
    }
    this.#chunks.push(rest)
    this.#length += rest.length
    if (this.#length < this.#needed) return
    const whole = Buffer.concat(this.#chunks, this.#length)
    this.#chunks = []
    this.#length = 0
    this.#parse(whole)
  }

  #parse(bytes: Buffer): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const end = bytes.length
    let at = 0
    for (;;) {
      if (end - at < HEADER) return this.#keep(bytes, at, HEADER)
      const command = view.getUint16(at)
      if (command > MAX_COMMAND) throw new RangeError(`CA: unknown command ${command}, the stream is out of step`)
      let size = view.getUint16(at + 2)
      let count = view.getUint16(at + 6)
      let header = HEADER
      if (size === 0xffff && count === 0) {
        if (end - at < EXTENDED_HEADER) return this.#keep(bytes, at, EXTENDED_HEADER)
        size = view.getUint32(at + 16)
        count = view.getUint32(at + 20)
        header = EXTENDED_HEADER
      }
      const start = at + header
      if (size > this.#maxBytes) {
        if (command !== Command.EVENT_ADD || size > PASSED_OVER_BYTES)
          throw new RangeError(`CA: message of ${size} bytes is over the limit of ${this.#maxBytes}`)
        this.#onTooLarge(view.getUint32(at + 12), size)
        at = start + size
        this.#skip = Math.max(0, at - end)
        if (at < end) continue
        this.waitingSinceMs = Date.now()
        return
      }
      if (end - start < size) return this.#keep(bytes, at, header + size)
      const [type, p1, p2] = [view.getUint16(at + 4), view.getUint32(at + 8), view.getUint32(at + 12)]
      this.#onMessage(command, type, count, p1, p2, bytes, view, start, start + size)
      at = start + size
    }
  }

  #keep(bytes: Buffer, at: number, needed: number): void {
    this.#needed = needed
    this.waitingSinceMs = 0
    if (at === bytes.length) return
    this.waitingSinceMs = Date.now()
    // A copy of the small rest, so that the whole chunk is not kept for it.
    this.#chunks.push(at === 0 ? bytes : Buffer.from(bytes.subarray(at)))
    this.#length = bytes.length - at
  }
}
