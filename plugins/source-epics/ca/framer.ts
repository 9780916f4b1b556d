// Channel Access byte stream to messages; a message across several chunks is joined once, when it is complete.
import { MAX_COMMAND } from './protocol.js'

/** `view` looks at the same bytes as `bytes`; the payload is bytes[start, end), valid during the call only. */
export type OnMessage = (
  command: number, type: number, count: number, p1: number, p2: number,
  bytes: Buffer, view: DataView, start: number, end: number
) => void // prettier-ignore

const HEADER = 16
const EXTENDED_HEADER = 24

export class CaFramer {
  readonly #maxBytes: number
  readonly #onMessage: OnMessage
  #chunks: Buffer[] = []
  #length = 0
  #needed = HEADER

  /** Messages longer than `maxBytes` and unknown commands make `push` throw: the stream is damaged and must end. */
  constructor(maxBytes: number, onMessage: OnMessage) {
    this.#maxBytes = maxBytes
    this.#onMessage = onMessage
  }

  push(chunk: Buffer): void {
    if (this.#length === 0) {
      this.#parse(chunk)
      return
    }
    this.#chunks.push(chunk)
    this.#length += chunk.length
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
      if (size > this.#maxBytes)
        throw new RangeError(`CA: message of ${size} bytes is over the limit of ${this.#maxBytes}`)
      const start = at + header
      if (end - start < size) return this.#keep(bytes, at, header + size)
      const [type, p1, p2] = [view.getUint16(at + 4), view.getUint32(at + 8), view.getUint32(at + 12)]
      this.#onMessage(command, type, count, p1, p2, bytes, view, start, start + size)
      at = start + size
    }
  }

  #keep(bytes: Buffer, at: number, needed: number): void {
    this.#needed = needed
    if (at === bytes.length) return
    // A copy of the small rest, so that the whole chunk is not kept for it.
    this.#chunks.push(at === 0 ? bytes : Buffer.from(bytes.subarray(at)))
    this.#length = bytes.length - at
  }
}
