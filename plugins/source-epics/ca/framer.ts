// Channel Access byte stream to messages; a message across several chunks is joined once, when it is complete.
import { Framer, PASSED_OVER_BYTES } from '../shared/framer.js'
import { Command, MAX_COMMAND } from './protocol.js'

/**
 * One message; the same object for each, valid during the call only. `view` looks at the same bytes as `bytes`, the payload is
 * bytes[start, end).
 */
export interface CaMessage {
  command: number
  type: number
  count: number
  p1: number
  p2: number
  bytes: Buffer
  view: DataView
  start: number
  end: number
}
export type OnCaMessage = (message: CaMessage) => void

/** An update too large to be taken: it is passed over. */
export type OnCaTooLarge = (subscription: number, size: number) => void

const HEADER = 16
const EXTENDED_HEADER = 24

export class CaFramer extends Framer {
  readonly #onMessage: OnCaMessage
  readonly #message: CaMessage = {
    ...{ command: 0, type: 0, count: 0, p1: 0, p2: 0, start: 0, end: 0 },
    ...{ bytes: Buffer.alloc(0), view: new DataView(new ArrayBuffer(0)) }
  }
  readonly #onTooLarge: OnCaTooLarge

  /** Unknown commands, and messages longer than `maxBytes` that are no updates, make `push` throw: the stream must end. */
  constructor(maxBytes: number, onMessage: OnCaMessage, onTooLarge: OnCaTooLarge) {
    super(maxBytes)
    this.#onMessage = onMessage
    this.#onTooLarge = onTooLarge
  }

  protected parse(bytes: Buffer): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const end = bytes.length
    const message = this.#message
    message.bytes = bytes
    message.view = view
    let at = 0
    for (;;) {
      if (end - at < HEADER) return this.keep(bytes, at, HEADER)
      const command = view.getUint16(at)
      if (command > MAX_COMMAND) throw new RangeError(`CA: unknown command ${command}, the stream is out of step`)
      let size = view.getUint16(at + 2)
      let count = view.getUint16(at + 6)
      let header = HEADER
      if (size === 0xffff && count === 0) {
        if (end - at < EXTENDED_HEADER) return this.keep(bytes, at, EXTENDED_HEADER)
        size = view.getUint32(at + 16)
        count = view.getUint32(at + 20)
        header = EXTENDED_HEADER
      }
      const start = at + header
      if (size > this.maxBytes) {
        if (command !== Command.EVENT_ADD || size > PASSED_OVER_BYTES)
          throw new RangeError(`CA: message of ${size} bytes is over the limit of ${this.maxBytes}`)
        this.#onTooLarge(view.getUint32(at + 12), size)
        at = start + size
        if (at <= end) continue
        return this.passOver(at - end)
      }
      if (end - start < size) return this.keep(bytes, at, header + size)
      message.command = command
      message.type = view.getUint16(at + 4)
      message.count = count
      message.p1 = view.getUint32(at + 8)
      message.p2 = view.getUint32(at + 12)
      message.start = start
      message.end = at = start + size
      this.#onMessage(message)
    }
  }
}
