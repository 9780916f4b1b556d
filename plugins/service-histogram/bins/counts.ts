// The cells of a histogram: 32 bits each until their sum could be more than that, doubles then.

const MOST_32 = 2 ** 32 - 1

export type Cells = Uint32Array | Float64Array

export class BinCounts {
  cells: Cells
  /** Of all cells. */
  sum = 0

  constructor(readonly size: number) {
    this.cells = new Uint32Array(size)
  }

  /** Before up to `events` are counted: no cell can run over. */
  ready(events: number): Cells {
    if (this.sum + events > MOST_32 && this.cells instanceof Uint32Array) this.cells = Float64Array.from(this.cells)
    return this.cells
  }

  clear(): void {
    this.cells.fill(0)
    this.sum = 0
  }

  /** Takes the cells of another away or, with 1, adds them. */
  add(other: BinCounts, sign: 1 | -1): void {
    const cells = this.ready(sign === 1 ? other.sum : 0)
    for (let i = 0; i < this.size; i++) cells[i]! += sign * other.cells[i]!
    this.sum += sign * other.sum
  }
}
