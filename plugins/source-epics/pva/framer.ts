// pvAccess byte stream to application messages: chunks joined, segments put together, control messages left out.
import { Flag, MAGIC } from './protocol.js'

/** `view` looks at the same bytes as `bytes`; the payload is bytes[start, end), valid during the call only. */
export type OnMessage = (
  command: number, isBigEndian: boolean, bytes: Buffer, view: DataView, start: number, end: number
) => void // prettier-ignore

const HEADER = 8

export class PvaFramer {
  readonly #maxBytes: number
  readonly #onMessage: OnMessage
  #chunks: Buffer[] = []
  #length = 0
  #needed = HEADER
  #segments: Buffer[] = []
  #segmentsLength = 0
  /** Command and byte order of the segmented message under way; -1: none. */
  #segmented = -1

  /** Messages longer than `maxBytes` and a wrong magic make `push` throw: the stream is damaged and must end. */
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
      if (view.getUint8(at) !== MAGIC) throw new RangeError('PVA: no magic byte, the stream is out of step')
      const flags = view.getUint8(at + 2)
      // A control message has no payload; its size field is a number we have no use for (byte order, markers).
      const size = (flags & Flag.CONTROL) !== 0 ? 0 : view.getUint32(at + 4, (flags & Flag.BIG_ENDIAN) === 0)
      if (size > this.#maxBytes)
        throw new RangeError(`PVA: message of ${size} bytes is over the limit of ${this.#maxBytes}`)
      const start = at + HEADER
      if (end - start < size) return this.#keep(bytes, at, HEADER + size)
      at = start + size
      if ((flags & Flag.CONTROL) !== 0) continue
      const command = view.getUint8(start - HEADER + 3)
      if ((flags & Flag.SEGMENT) !== 0) this.#segment(command, flags, bytes.subarray(start, at))
      else this.#onMessage(command, (flags & Flag.BIG_ENDIAN) !== 0, bytes, view, start, at)
    }
  }

  #segment(command: number, flags: number, payload: Buffer): void {
    const isBigEndian = (flags & Flag.BIG_ENDIAN) !== 0
    const key = command * 2 + (isBigEndian ? 1 : 0)
    const segment = flags & Flag.SEGMENT
    if ((segment === Flag.FIRST) !== this.#segmented < 0 || (segment !== Flag.FIRST && key !== this.#segmented)) {
      throw new RangeError('PVA: segment out of order')
    }
    this.#segmented = key
    this.#segments.push(Buffer.from(payload))
    this.#segmentsLength += payload.length
    if (this.#segmentsLength > this.#maxBytes) {
      throw new RangeError(`PVA: segmented message is over the limit of ${this.#maxBytes} bytes`)
    }
    if (segment !== Flag.LAST) return
    const whole = Buffer.concat(this.#segments, this.#segmentsLength)
    this.#segments = []
    this.#segmentsLength = 0
    this.#segmented = -1
    const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength)
    this.#onMessage(command, isBigEndian, whole, view, 0, whole.length)
  }

  #keep(bytes: Buffer, at: number, needed: number): void {
    this.#needed = needed
    if (at === bytes.length) return
    // A copy of the small rest, so that the whole chunk is not kept for it.
    this.#chunks.push(at === 0 ? bytes : Buffer.from(bytes.subarray(at)))
    this.#length = bytes.length - at
  }
}
