// Channels waiting to be searched, the one that is due first on top (binary heap with known slots).

export interface Searched {
  readonly name: string
  /** ms (Date.now) of the next search. */
  due: number
  /** Place in the heap; -1 when not queued. */
  slot: number
}

export class SearchQueue<T extends Searched> {
  readonly #heap: T[] = []

  get size(): number {
    return this.#heap.length
  }

  /** The one due first. */
  peek(): T | undefined {
    return this.#heap[0]
  }

  /** Queues or moves `item` to `due`. */
  set(item: T, due: number): void {
    item.due = due
    if (item.slot < 0) {
      item.slot = this.#heap.length
      this.#heap.push(item)
    }
    this.#up(item.slot)
    this.#down(item.slot)
  }

  delete(item: T): boolean {
    const slot = item.slot
    if (slot < 0) return false
    item.slot = -1
    const last = this.#heap.pop()
    if (last !== undefined && last !== item) {
      last.slot = slot
      this.#heap[slot] = last
      this.#up(slot)
      this.#down(last.slot)
    }
    return true
  }

  items(): readonly T[] {
    return this.#heap
  }

  #up(from: number): void {
    let slot = from
    while (slot > 0) {
      const parent = (slot - 1) >> 1
      if (!this.#swapped(parent, slot)) return
      slot = parent
    }
  }

  #down(from: number): void {
    let slot = from
    for (;;) {
      const left = 2 * slot + 1
      const right = left + 1
      const child = this.#dueAt(right) < this.#dueAt(left) ? right : left
      if (child >= this.#heap.length || !this.#swapped(slot, child)) return
      slot = child
    }
  }

  #dueAt(slot: number): number {
    return this.#heap[slot]?.due ?? Infinity
  }

  /** Swaps when the upper is due later than the lower. */
  #swapped(upper: number, lower: number): boolean {
    const a = this.#heap[upper] as T
    const b = this.#heap[lower] as T
    if (a.due <= b.due) return false
    this.#heap[upper] = b
    this.#heap[lower] = a
    b.slot = upper
    a.slot = lower
    return true
  }
}
