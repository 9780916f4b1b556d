// The events of a message as arrays of whole numbers, where they lie in the network buffer if that is aligned; their bins, once for each axis.
import { type EventRecord, type Vector } from '../../../schemas/index.js'
import { type BinAxis } from './axis.js'
import { kernel, MOST_EVENTS } from './wasm/kernel.js'

/** Memory that grows and is used again for each message. */
export class Scratch {
  #memory = new Int32Array(0)

  take(length: number): Int32Array {
    if (this.#memory.length < length) this.#memory = new Int32Array(Math.max(1 << 16, length + (length >> 2)))
    return new Int32Array(this.#memory.buffer, 0, length)
  }
}

/** What of a message is counted. */
export type EventVectors = Pick<EventRecord, 'timeOfFlight' | 'pixelId'>

/** Times of flight (0), the same modulo a period in ns, or pixels. */
export type EventColumn = 'pixel' | number

/** Bins of the events along an axis; `axis.bins` stands for outside. */
export interface EventBins {
  readonly numbers: Int32Array
  /** Where they are in the kernel's memory. */
  readonly at: number
}

interface KnownBins extends EventBins {
  axis?: BinAxis
  column?: EventColumn
}

/** Pieces of a message that `Events` takes. */
export function* piecesOf(vectors: EventVectors): Generator<EventVectors> {
  const { timeOfFlight, pixelId } = vectors
  if (timeOfFlight.length <= MOST_EVENTS) {
    yield vectors
    return
  }
  const cut = (vector: Vector, from: number): Vector => {
    const length = Math.max(0, Math.min(MOST_EVENTS, vector.length - from))
    return { dtype: vector.dtype, length, bytes: vector.bytes.subarray(4 * from, 4 * (from + length)) }
  }
  for (let from = 0; from < timeOfFlight.length; from += MOST_EVENTS)
    yield { timeOfFlight: cut(timeOfFlight, from), pixelId: cut(pixelId, from) }
}

export class Events {
  #vectors!: EventVectors
  readonly #copies = { tof: new Scratch(), pixel: new Scratch(), folded: new Scratch() }
  #tof: Int32Array | undefined
  #pixel: Int32Array | undefined
  #foldedBy = 0
  #folded: Int32Array | undefined
  /** What the kernel has. */
  #loaded: EventColumn | undefined
  readonly #bins: KnownBins[] = kernel?.columns() ?? Array.from({ length: 2 }, () => ({ at: -1, numbers: new Int32Array(MOST_EVENTS) })) // prettier-ignore
  #next = 0

  /** The next piece of a message; what was given before is void. */
  set(vectors: EventVectors): this {
    this.#vectors = vectors
    this.#tof = this.#pixel = this.#folded = this.#loaded = undefined
    this.#foldedBy = 0
    for (const known of this.#bins) delete known.axis
    return this
  }

  get count(): number {
    return this.#vectors.timeOfFlight.length
  }

  /** Numbers from 2^31 on look negative. */
  isUnsigned(column: EventColumn): boolean {
    const { timeOfFlight, pixelId } = this.#vectors
    return (column === 'pixel' ? pixelId : timeOfFlight).dtype === 'uint32'
  }

  get tof(): Int32Array {
    return (this.#tof ??= numbers(this.#vectors.timeOfFlight, this.#copies.tof))
  }

  /** Empty when the message names no pixels (a monitor). */
  get pixel(): Int32Array {
    return (this.#pixel ??= numbers(this.#vectors.pixelId, this.#copies.pixel))
  }

  /** As they are until another seven are asked for. */
  bins(axis: BinAxis, column: EventColumn): EventBins {
    const found = this.#bins.find((one) => one.axis === axis && one.column === column)
    if (found !== undefined) return found
    const known = this.#bins[this.#next]!
    this.#next = (this.#next + 1) % this.#bins.length
    known.axis = axis
    known.column = column
    const values = this.#values(column)
    if (kernel === undefined || !axis.isEven || !kernel.fits(axis)) axis.map(values, known.numbers)
    else {
      if (this.#loaded !== column) kernel.load(values)
      this.#loaded = column
      kernel.bins(axis, values.length, known.at)
    }
    return known
  }

  #values(column: EventColumn): Int32Array {
    if (column === 'pixel') return this.pixel
    return column === 0 ? this.tof : this.#foldedTo(column)
  }

  /** Times of flight modulo a period in ns, never negative. */
  #foldedTo(period: number): Int32Array {
    if (this.#folded !== undefined && this.#foldedBy === period) return this.#folded
    const { tof } = this
    const out = this.#copies.folded.take(tof.length)
    const isUnsigned = this.isUnsigned(0)
    for (let i = 0; i < tof.length; i++) {
      const rest = (isUnsigned ? tof[i]! >>> 0 : tof[i]!) % period
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
