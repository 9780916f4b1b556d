// Channel Access byte stream to messages; a message across several chunks is joined once, when it is complete.
import { Gatherer } from '../gatherer.js'
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
  readonly #gatherer = new Gatherer()
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

  /** `chunk` is used up when the call returns. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at)
        this.#skip -= skipped
        at += skipped
        if (this.#skip === 0) this.waitingSinceMs = 0
      } else if (this.#gatherer.isActive) {
        at += this.#gatherer.add(chunk, at)
        const whole = this.#gatherer.take()
        if (whole !== undefined) this.#parse(whole)
      } else {
        this.#parse(at === 0 ? chunk : chunk.subarray(at))
        return
      }
    }
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
    this.waitingSinceMs = 0
    if (at === bytes.length) return
    this.waitingSinceMs = Date.now()
    this.#gatherer.begin(bytes.subarray(at), needed)
  }
}
