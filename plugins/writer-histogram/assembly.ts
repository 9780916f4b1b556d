// Puts histograms together that come in parts: parts of one time belong together, none may overlap.
import { BadMessage } from '../../core/api/plugin.js'
import { type VectorType } from '../../schemas/index.js'
import { eachLine, elementsOf, place } from '../../schemas/place.js'
import { widthOf } from '../../schemas/numbers.js'

export interface HistogramPart {
  readonly timestampNs: bigint
  readonly shape: readonly number[]
  readonly offset: readonly number[]
  readonly data: Uint8Array
  readonly errors: Uint8Array
}

/** A histogram that waits for its other parts. */
export interface HistogramSlot {
  readonly timestampNs: bigint
  readonly data: Uint8Array
  readonly errors: Uint8Array
  readonly done: Uint8Array
  missing: number
}

/** Histograms that may be incomplete at one time, as the field's writer has it. */
const MOST_SLOTS = 4
/** Written histograms whose late parts are known for what they are. */
const MOST_WRITTEN = 64

export class Assembly {
  readonly #slots = new Map<bigint, HistogramSlot>()
  readonly #written: bigint[] = []

  readonly #full: readonly number[]
  readonly #types: { readonly data: VectorType; readonly errors: VectorType }
  readonly #emit: (slot: Pick<HistogramSlot, 'timestampNs' | 'data' | 'errors'>, complete: boolean) => void

  constructor(
    full: readonly number[],
    types: { readonly data: VectorType; readonly errors: VectorType },
    emit: (slot: Pick<HistogramSlot, 'timestampNs' | 'data' | 'errors'>, complete: boolean) => void
  ) {
    this.#full = full
    this.#types = types
    this.#emit = emit
  }

  /** Throws BadMessage `histogram_shape` or `overlap` before anything is taken over. */
  add(part: HistogramPart): void {
    const { timestampNs, shape, offset } = part
    const full = this.#full
    const inside = (n: number, i: number): boolean => (offset[i] ?? -1) >= 0 && (offset[i] ?? 0) + n <= (full[i] ?? 0)
    if (shape.includes(0) || shape.length !== full.length || offset.length !== full.length || !shape.every(inside))
      throw new BadMessage('histogram_shape', `a part of ${shape.join(' × ')} at ${offset.join(', ')} is not in ${full.join(' × ')}`) // prettier-ignore
    if (this.#written.includes(timestampNs))
      throw new BadMessage('overlap', 'a histogram of this time has been written')
    const whole = shape.every((n, i) => n === full[i])
    if (whole && !this.#slots.has(timestampNs)) return this.#write(part, true)
    const slot = this.#slots.get(timestampNs) ?? this.#open(timestampNs)
    this.#take(slot, part)
    if (slot.missing === 0) this.#finish(slot, true)
  }

  /** Writes what is not complete, in the order in which it began. */
  flush(): void {
    for (const slot of [...this.#slots.values()]) this.#finish(slot, false)
  }

  #open(timestampNs: bigint): HistogramSlot {
    const [oldest] = this.#slots.values()
    if (this.#slots.size >= MOST_SLOTS && oldest !== undefined) this.#finish(oldest, false)
    const elements = elementsOf(this.#full)
    const slot: HistogramSlot = {
      timestampNs,
      data: new Uint8Array(elements * widthOf(this.#types.data)),
      errors: new Uint8Array(elements * widthOf(this.#types.errors)),
      done: new Uint8Array(elements),
      missing: elements
    }
    this.#slots.set(timestampNs, slot)
    return slot
  }

  #take(slot: HistogramSlot, { shape, offset, data, errors }: HistogramPart): void {
    const full = this.#full,
      types = this.#types
    let overlaps = false
    eachLine(shape, full, offset, (_, to, length) => {
      overlaps ||= slot.done.subarray(to, to + length).includes(1)
    })
    if (overlaps) throw new BadMessage('overlap', 'a part overlaps another one of the same time')
    eachLine(shape, full, offset, (_, to, length) => slot.done.fill(1, to, to + length))
    place({ bytes: data, shape, offset }, slot.data, full, widthOf(types.data))
    place({ bytes: errors, shape, offset }, slot.errors, full, widthOf(types.errors))
    slot.missing -= elementsOf(shape)
  }

  #finish(slot: HistogramSlot, complete: boolean): void {
    this.#slots.delete(slot.timestampNs)
    this.#write(slot, complete)
  }

  #write(slot: Pick<HistogramSlot, 'timestampNs' | 'data' | 'errors'>, complete: boolean): void {
    this.#written.push(slot.timestampNs)
    if (this.#written.length > MOST_WRITTEN) this.#written.shift()
    this.#emit(slot, complete)
  }
}
