// The cells of a histogram: 32 bits each until their sum could be more than that, doubles then.

const MOST_32 = 2 ** 32 - 1

export type Cells = Uint32Array | Float64Array

export class BinCounts {
  /** Without what is still in `low`. */
  cells: Cells
  /**
   * Of large images: the low byte of each cell, which carries over into `cells`. A quarter of the memory is a fifth of the time when
   * pixels come at random.
   */
  readonly low: Uint8Array | undefined
  /** Of all cells. */
  sum = 0

  constructor(
    readonly size: number,
    withLow = false
  ) {
    this.cells = new Uint32Array(size)
    this.low = withLow ? new Uint8Array(size) : undefined
  }

  /** Before up to `events` are counted: no cell can run over. */
  ready(events: number): this {
    if (this.sum + events > MOST_32 && this.cells instanceof Uint32Array) this.cells = Float64Array.from(this.cells)
    return this
  }

  /** All that was counted. */
  settled(): Cells {
    const { low, cells } = this
    if (low === undefined) return cells
    for (let i = 0; i < low.length; i++) cells[i]! += low[i]!
    low.fill(0)
    return cells
  }

  clear(): void {
    this.cells.fill(0)
    this.low?.fill(0)
    this.sum = 0
  }

  /** Takes the counts of another away. */
  subtract(other: BinCounts): void {
    const [cells, others] = [this.settled(), other.settled()]
    for (let i = 0; i < this.size; i++) cells[i]! -= others[i]!
    this.sum -= other.sum
  }
}
