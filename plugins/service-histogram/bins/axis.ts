// One axis of a histogram: from whole numbers (ns, pixel ids) to bins, exactly as its edges say; the last bin has its upper edge, too.
import { createHash } from 'node:crypto'

/** Edges of n equal bins: n + 1. */
export function evenEdges(low: number, high: number, bins: number): Float64Array {
  const width = (high - low) / bins
  const edges = Float64Array.from({ length: bins + 1 }, (_, i) => low + i * width)
  edges[bins] = high
  return edges
}

/** How far within one whole number the edges may be moved for the sake of the multiplication, in parts of it. */
const nudges = [0.5, 0.1, 1e-2, 1e-3, 1e-4]
/** Cells of the lookup table per bin, and at most. */
const CELLS_PER_BIN = 4
const MOST_CELLS = 1 << 16
/** What int32 and uint32 can be. */
const signedEnds = [-(2 ** 31), 2 ** 31 - 1] as const
const unsignedEnds = [0, 2 ** 32 - 1] as const

/**
 * `d = (value - first) | 0`, and inside when `d >>> 0 <= span`: one comparison for both ends, and the same for signed and unsigned
 * numbers.
 */
export class BinAxis {
  readonly bins: number
  /** Least whole number inside. */
  readonly first: number
  /** Whole numbers inside, less one; -1: none. */
  readonly span: number
  /** `bin = (d * scale + shift) | 0`, when `isEven`. */
  readonly scale: number = 0
  readonly shift: number = 0
  /** The multiplication gives the right bin for every whole number: looked at for each edge when the axis is made. */
  readonly isEven: boolean
  /** `d` from which on each bin begins. */
  readonly #starts: Float64Array
  /** Bin of the first `d` of each cell. */
  readonly #cells: Int32Array
  readonly #cellScale: number

  /**
   * @param edges - rising
   * @param ends - least and greatest number there is
   */
  constructor(
    readonly edges: Float64Array,
    [least, most]: readonly [number, number]
  ) {
    this.bins = edges.length - 1
    this.first = Math.max(least, Math.ceil(edges[0]!))
    this.span = Math.max(-1, Math.min(most, Math.floor(edges[this.bins]!)) - this.first)
    this.#starts = edges.map((edge) => Math.ceil(edge) - this.first)
    const even = this.#findEven()
    this.isEven = even !== undefined
    if (even !== undefined) [this.scale, this.shift] = even
    const cells = this.isEven ? 0 : Math.min(MOST_CELLS, CELLS_PER_BIN * this.bins)
    this.#cellScale = cells / (this.span + 1)
    this.#cells = new Int32Array(cells)
    for (let cell = 0, bin = 0; cell < cells; cell++) {
      // One less: the multiplication may fall into the cell before
      const least = Math.floor(cell / this.#cellScale) - 1
      while (bin < this.bins - 1 && this.#starts[bin + 1]! <= least) bin++
      this.#cells[cell] = bin
    }
  }

  /** The bin of each of `values`, `bins` outside. */
  map(values: Int32Array, out: Int32Array): void {
    const { first, span, scale, shift, bins } = this
    const { length } = values
    if (span < 0) out.fill(bins, 0, length)
    else if (!this.isEven) this.#look(values, out)
    else
      for (let i = 0; i < length; i++) {
        const d = ((values[i]! - first) | 0) >>> 0
        out[i] = d <= span ? (d * scale + shift) | 0 : bins
      }
  }

  /** By the lookup table, corrected by the edges. */
  #look(values: Int32Array, out: Int32Array): void {
    const { first, span, bins } = this
    const [cells, starts, cellScale] = [this.#cells, this.#starts, this.#cellScale]
    for (let i = 0; i < values.length; i++) {
      const d = ((values[i]! - first) | 0) >>> 0
      if (d > span) {
        out[i] = bins
        continue
      }
      let bin = cells[(d * cellScale) | 0]!
      while (bin < bins - 1 && d >= starts[bin + 1]!) bin++
      out[i] = bin
    }
  }

  #findEven(): [scale: number, shift: number] | undefined {
    const { bins, edges } = this
    if (this.span < 0) return undefined
    const low = edges[0]!
    const width = (edges[bins]! - low) / bins
    for (const nudge of nudges) {
      // A little flatter and higher than the line through the edges, so that the upper edge falls into the last bin
      const flat = nudge / (width * bins)
      const scale = (1 - flat) / width
      const shift = (bins - 0.5) * flat + (this.first - low) * scale
      if (this.#isExact(scale, shift)) return [scale, shift]
    }
    return undefined
  }

  /** The line rises, so it is right everywhere when it is right on both sides of each edge. */
  #isExact(scale: number, shift: number): boolean {
    const at = (d: number): number => Math.floor(d * scale + shift)
    if (at(0) !== this.#binOf(0) || at(this.span) !== this.#binOf(this.span)) return false
    for (let bin = 1; bin < this.bins; bin++) {
      const start = this.#starts[bin]!
      // Bins narrower than a whole number: some have none
      if (start < 1 || start > this.span || start === this.#starts[bin - 1] || start === this.#starts[bin + 1])
        return false
      if (at(start) !== bin || at(start - 1) !== bin - 1) return false
    }
    return true
  }

  /** Of the two ends only. */
  #binOf(d: number): number {
    return d === 0 && this.span > 0 ? 0 : this.bins - 1
  }
}

const known = new Map<string, WeakRef<AxisPair>>()
const forgotten = new FinalizationRegistry<string>((key) => known.get(key)?.deref() ?? known.delete(key))

/** An axis for signed and for unsigned numbers; the same for all histograms with the same edges, which then find its bins once. */
export class AxisPair {
  readonly signed: BinAxis
  readonly #unsigned: BinAxis

  private constructor(edges: Float64Array) {
    this.signed = new BinAxis(edges, signedEnds)
    const isBoth = edges[0]! > -1 && edges.at(-1)! < 2 ** 31
    this.#unsigned = isBoth ? this.signed : new BinAxis(edges, unsignedEnds)
  }

  static for(edges: Float64Array): AxisPair {
    const key = createHash('sha1')
      .update(new Uint8Array(edges.buffer, edges.byteOffset, edges.byteLength))
      .digest('hex')
    const found = known.get(key)?.deref()
    if (found !== undefined) return found
    const made = new AxisPair(edges)
    known.set(key, new WeakRef(made))
    forgotten.register(made, key)
    return made
  }

  of(isUnsigned: boolean): BinAxis {
    return isUnsigned ? this.#unsigned : this.signed
  }
}
