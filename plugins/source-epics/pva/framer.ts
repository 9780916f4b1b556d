// pvAccess byte stream to application messages: chunks joined, segments put together, control messages left out.
import { Framer, PASSED_OVER_BYTES } from '../shared/framer.js'
import { Command, Control, Flag, MAGIC } from './protocol.js'
import { PvaReader } from './reader.js'

/** The reader stands at the payload and is the same for each message: valid during the call only. */
export type OnPvaMessage = (command: number, reader: PvaReader) => void

/** An update too large to be taken: it is passed over. */
export type OnPvaTooLarge = (ioid: number, size: number) => void

const HEADER = 8
const IOID = 4

export class PvaFramer extends Framer {
  readonly #onMessage: OnPvaMessage
  readonly #reader = new PvaReader()
  readonly #onTooLarge: OnPvaTooLarge
  #segments: Buffer[] = []
  #segmentsLength = 0
  /** Command and byte order of the segmented message under way; -1: none. */
  #segmented = -1
  /** The segmented message under way is too large: its segments are passed over. */
  #isDropping = false
  #asksBigEndian = false

  /** A wrong magic, and messages longer than `maxBytes` that are no updates, make `push` throw: the stream must end. */
  constructor(maxBytes: number, onMessage: OnPvaMessage, onTooLarge: OnPvaTooLarge) {
    super(maxBytes)
    this.#onMessage = onMessage
    this.#onTooLarge = onTooLarge
  }

  /** The byte order in which the sender wants to be spoken to. */
  get asksBigEndian(): boolean {
    return this.#asksBigEndian
  }

  protected parse(bytes: Buffer): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const end = bytes.length
    let at = 0
    for (;;) {
      if (end - at < HEADER) return this.keep(bytes, at, HEADER)
      if (view.getUint8(at) !== MAGIC) throw new RangeError('PVA: no magic byte, the stream is out of step')
      const flags = view.getUint8(at + 2)
      // A control message has no payload; its size field is a number we have no use for.
      const size = (flags & Flag.CONTROL) !== 0 ? 0 : view.getUint32(at + 4, (flags & Flag.BIG_ENDIAN) === 0)
      const start = at + HEADER
      if (size > this.maxBytes) {
        this.#checkPassedOver(view.getUint8(at + 3), flags & Flag.SEGMENT, size)
        if (end - start < IOID) return this.keep(bytes, at, HEADER + IOID)
        this.#onTooLarge(view.getUint32(start, (flags & Flag.BIG_ENDIAN) === 0), size)
        at = start + size
        if (at <= end) continue
        return this.passOver(at - end)
      }
      if (end - start < size) return this.keep(bytes, at, HEADER + size)
      at = start + size
      const command = view.getUint8(start - HEADER + 3)
      if ((flags & Flag.CONTROL) !== 0) {
        if (command === Control.BYTE_ORDER) this.#asksBigEndian = (flags & Flag.BIG_ENDIAN) !== 0
        continue
      }
      if ((flags & Flag.SEGMENT) !== 0) this.#segment(command, flags, bytes.subarray(start, at))
      else this.#hand(command, this.#reader.reset(bytes, view, start, at, (flags & Flag.BIG_ENDIAN) !== 0))
    }
  }

  #hand(command: number, reader: PvaReader): void {
    this.#onMessage(command, reader)
    if (reader.isViewed) this.isTaken = true
  }

  #segment(command: number, flags: number, payload: Buffer): void {
    const isBigEndian = (flags & Flag.BIG_ENDIAN) !== 0
    const key = command * 2 + (isBigEndian ? 1 : 0)
    const segment = flags & Flag.SEGMENT
    if ((segment === Flag.FIRST) !== this.#segmented < 0 || (segment !== Flag.FIRST && key !== this.#segmented)) {
      throw new RangeError('PVA: segment out of order')
    }
    this.#segmented = key
    if (!this.#isDropping) this.#segments.push(Buffer.from(payload))
    this.#segmentsLength += payload.length
    if (this.#segmentsLength > this.maxBytes) this.#drop(command, isBigEndian)
    if (segment !== Flag.LAST) return
    const wasDropped = this.#isDropping
    const segments = this.#segments
    this.#isDropping = false
    this.#segments = []
    this.#segmentsLength = 0
    this.#segmented = -1
    if (wasDropped) return
    const whole = Buffer.concat(segments)
    const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength)
    this.#hand(command, this.#reader.reset(whole, view, 0, whole.length, isBigEndian))
  }

  /** Lets go of the segments so far and of those to come. */
  #drop(command: number, isBigEndian: boolean): void {
    this.#checkPassedOver(command, 0, this.#segmentsLength)
    if (this.#isDropping) return
    const start = Buffer.concat(this.#segments).subarray(0, IOID)
    this.#segments = []
    this.#isDropping = true
    this.#onTooLarge(isBigEndian ? start.readUInt32BE() : start.readUInt32LE(), this.#segmentsLength)
  }

  #checkPassedOver(command: number, segment: number, size: number): void {
    if (command === Command.MONITOR && segment === 0 && size <= PASSED_OVER_BYTES) return
    throw new RangeError(`PVA: message of ${size} bytes is over the limit of ${this.maxBytes}`)
  }
}
