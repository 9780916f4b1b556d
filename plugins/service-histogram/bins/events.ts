// The events of a message as arrays of whole numbers: where they lie in the network buffer if that is aligned, else copied once.
import { type EventRecord, type Vector } from '../../../schemas/index.js'

/** Memory that grows and is used again for each message. */
export class Scratch {
  #memory = new Int32Array(1 << 16)

  take(length: number): Int32Array {
    if (this.#memory.length < length) this.#memory = new Int32Array(length + (length >> 2))
    return new Int32Array(this.#memory.buffer, 0, length)
  }
}

/** What of a message is counted. */
export type EventVectors = Pick<EventRecord, 'timeOfFlight' | 'pixelId'>

export class Events {
  #vectors!: EventVectors
  readonly #copies = { tof: new Scratch(), pixel: new Scratch(), folded: new Scratch() }
  #tof: Int32Array | undefined
  #pixel: Int32Array | undefined
  #foldedBy = 0
  #folded: Int32Array | undefined

  /** The next message; what was given before is void. */
  set(vectors: EventVectors): this {
    this.#vectors = vectors
    this.#tof = this.#pixel = this.#folded = undefined
    this.#foldedBy = 0
    return this
  }

  get count(): number {
    return this.#vectors.timeOfFlight.length
  }

  /** Unsigned numbers (ev42, ev43) keep their bits. */
  get tof(): Int32Array {
    return (this.#tof ??= numbers(this.#vectors.timeOfFlight, this.#copies.tof))
  }

  /** Empty when the message names no pixels (a monitor). */
  get pixel(): Int32Array {
    return (this.#pixel ??= numbers(this.#vectors.pixelId, this.#copies.pixel))
  }

  /** Times of flight modulo a period in ns, never negative. */
  folded(period: number): Int32Array {
    if (this.#folded !== undefined && this.#foldedBy === period) return this.#folded
    const { tof } = this
    const out = this.#copies.folded.take(tof.length)
    for (let i = 0; i < tof.length; i++) {
      const rest = tof[i]! % period
      out[i] = rest < 0 ? rest + period : rest
    }
    this.#foldedBy = period
    return (this.#folded = out)
  }
}

function numbers({ bytes, length }: Vector, copy: Scratch): Int32Array {
  if ((bytes.byteOffset & 3) === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, length)
  const aligned = copy.take(length)
  new Uint8Array(aligned.buffer, 0, 4 * length).set(bytes)
  return aligned
}
