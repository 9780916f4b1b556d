// The cells of a histogram: 32 bits each, which are carried over into doubles before any could be more than that.
import { kernel } from './wasm/kernel.js'

const MOST_32 = 2 ** 32 - 1

export type Cells = Uint32Array | Float64Array

/** How the cells are laid out: `low` for large images, `kernel` for what the kernel counts. */
export type CellLayout = 'plain' | 'low' | 'kernel'

export class BinCounts {
  /** What is counted into; see `settled`. */
  readonly cells: Uint32Array
  /**
   * Of large images: the low byte of each cell, which carries over into `cells`. A quarter of the memory is a fifth of the time when
   * pixels come at random.
   */
  readonly low: Uint8Array | undefined
  /** Byte offset of the cells in the kernel's memory. */
  readonly place: number | undefined
  /** Of all cells. */
  sum = 0
  /** All that had been counted when `#carried` was the sum. */
  #high: Float64Array | undefined
  #carried = 0

  constructor(
    readonly size: number,
    layout: CellLayout = 'plain'
  ) {
    this.place = layout === 'kernel' ? kernel?.take(size) : undefined
    this.cells = this.place === undefined ? new Uint32Array(size) : kernel!.cells(this.place, size)
    this.low = layout === 'low' ? new Uint8Array(size) : undefined
  }

  /** Before up to `events` are counted: no cell can run over. */
  ready(events: number): this {
    if (this.sum - this.#carried + events > MOST_32) this.#carry()
    return this
  }

  /** All that was counted. */
  settled(): Cells {
    if (this.#high !== undefined) this.#carry()
    else this.#settleLow()
    return this.#high ?? this.cells
  }

  /** What is no whole number is counted there, too. */
  doubles(): Float64Array {
    this.#carry()
    return this.#high!
  }

  clear(): void {
    this.cells.fill(0)
    this.low?.fill(0)
    this.#high = undefined
    this.sum = this.#carried = 0
  }

  /** Takes the counts of another away, which are among these. */
  subtract(other: BinCounts): void {
    const [cells, others] = [this.settled(), other.settled()]
    for (let i = 0; i < this.size; i++) cells[i]! -= others[i]!
    this.sum -= other.sum
    if (this.#high !== undefined) this.#carried = this.sum
  }

  /** Nothing is counted here any more. */
  release(): void {
    if (this.place !== undefined) kernel!.give(this.place, this.size)
  }

  #carry(): void {
    this.#settleLow()
    const { cells } = this
    if (this.#high === undefined) this.#high = Float64Array.from(cells)
    else for (let i = 0; i < cells.length; i++) this.#high[i]! += cells[i]!
    cells.fill(0)
    this.#carried = this.sum
  }

  #settleLow(): void {
    const { low, cells } = this
    if (low === undefined) return
    for (let i = 0; i < low.length; i++) cells[i]! += low[i]!
    low.fill(0)
  }
}
