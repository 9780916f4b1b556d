// Places for the partly filled last chunk of a compressed dataset, which is written anew at each checkpoint.

interface Slot {
  readonly address: number
  readonly bytes: number
}

/** A reader that opened the file before a checkpoint has so long to read what its view of the file leads to. */
const HOLD_MS = 10_000

/** A place that was published is used again only when readers have had time to leave it. */
export class Slots {
  #current: Slot | undefined
  #isPublished = false
  #free: Slot[] = []
  /** Still to be replaced by the next publication. */
  #leaving: Slot[] = []
  readonly #left: { readonly slot: Slot; readonly untilMs: number }[] = []

  readonly #nowMs: () => number

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  clear(): void {
    this.#current = undefined
    this.#free = []
    this.#leaving = []
    this.#left.length = 0
  }

  /** The place that the file has now. */
  found(slot: Slot): void {
    this.#current = slot
    this.#isPublished = true
  }

  /** A place of at least `bytes` for the next version. */
  take(bytes: number, allocate: (bytes: number) => number): Slot {
    this.drop()
    const now = this.#nowMs()
    while (this.#left[0] !== undefined && this.#left[0].untilMs <= now) this.#free.push(this.#left.shift()!.slot)
    const i = this.#free.findIndex((slot) => slot.bytes >= bytes)
    if (i >= 0) [this.#current] = this.#free.splice(i, 1)
    else {
      const room = Math.ceil(bytes * 1.5) + 64
      this.#current = { address: allocate(room), bytes: room }
    }
    this.#isPublished = false
    return this.#current as Slot
  }

  /** The chunk is full and stored elsewhere. */
  drop(): void {
    if (this.#current) (this.#isPublished ? this.#leaving : this.#free).push(this.#current)
    this.#current = undefined
  }

  published(): void {
    const untilMs = this.#nowMs() + HOLD_MS
    for (const slot of this.#leaving.splice(0)) this.#left.push({ slot, untilMs })
    this.#isPublished = true
  }
}
