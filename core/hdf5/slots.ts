// Places for the partly filled last chunk of a compressed dataset, which is written anew at each checkpoint.

interface Slot {
  readonly address: number
  readonly bytes: number
}

/** A place is used again only two publications after it was left, so that readers with an older view find what they expect. */
export class Slots {
  private current: Slot | undefined
  private isPublished = false
  private free: Slot[] = []
  private leaving: Slot[] = []
  private left: Slot[] = []

  clear(): void {
    this.current = undefined
    this.free = []
    this.leaving = []
    this.left = []
  }

  /** The place that the file has now. */
  found(slot: Slot): void {
    this.current = slot
    this.isPublished = true
  }

  /** A place of at least `bytes` for the next version. */
  take(bytes: number, allocate: (bytes: number) => number): Slot {
    this.drop()
    const i = this.free.findIndex((slot) => slot.bytes >= bytes)
    if (i >= 0) [this.current] = this.free.splice(i, 1)
    else {
      const room = Math.ceil(bytes * 1.5) + 64
      this.current = { address: allocate(room), bytes: room }
    }
    this.isPublished = false
    return this.current as Slot
  }

  /** The chunk is full and stored elsewhere. */
  drop(): void {
    if (this.current) (this.isPublished ? this.leaving : this.free).push(this.current)
    this.current = undefined
  }

  published(): void {
    this.free.push(...this.left)
    this.left = this.leaving
    this.leaving = []
    this.isPublished = true
  }
}
