// The two loops that cost most, in WebAssembly, four events at a time: bins by multiplication, and counting them.
import { assemble } from './assemble.js'

const half = (source: string): string => `
      (i32x4.trunc_sat_f64x2_s_zero (f64x2.add
        (f64x2.mul (f64x2.convert_low_i32x4_s ${source}) (f64x2.splat (local.get $scale)))
        (f64x2.splat (local.get $shift))))`

const count = [0, 4, 8, 12]
  .map(
    (at) => `
    (local.set $cell (i32.add (local.get $cells) (i32.shl (i32.load ${at} (local.get $from)) (i32.const 2))))
    (i32.store (local.get $cell) (i32.add (i32.load (local.get $cell)) (i32.const 1)))`
  )
  .join('')

const loop = (body: string): string => `
  (loop $next ${body}
    (local.set $from (i32.add (local.get $from) (i32.const 16)))
    (br_if $next (i32.lt_u (local.get $from) (local.get $end))))`

// Both run from $from to $end (multiples of 16 apart, not the same); the arithmetic is that of BinAxis, bit for bit
const source = `
(func $bins (param $from i32) (param $end i32) (param $first i32) (param $span i32) (param $scale f64) (param $shift f64)
  (param $none i32) (param $to i32) (local $d v128)
  ${loop(`
    (local.set $d (i32x4.sub (v128.load (local.get $from)) (i32x4.splat (local.get $first))))
    (v128.store (local.get $to) (v128.bitselect
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 ${half('(local.get $d)')}
        ${half('(i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $d) (local.get $d))')})
      (i32x4.splat (local.get $none))
      (i32x4.le_u (local.get $d) (i32x4.splat (local.get $span)))))
    (local.set $to (i32.add (local.get $to) (i32.const 16)))`)})
(func $count (param $from i32) (param $end i32) (param $cells i32) (local $cell i32)
  ${loop(count)})`

/** Byte offsets into the memory. */
interface Loops {
  bins(from: number, end: number, first: number, span: number, scale: number, shift: number, none: number, to: number): void
  count(from: number, end: number, cells: number): void
} // prettier-ignore

/** What of it is used here; the types of Node.js lack it. */
interface Wasm {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Loops }
}

const PAGE = 65_536
/** What is never touched takes no memory. */
const PAGES = 2048
/** Events that are looked at at once. */
export const MOST_EVENTS = 1 << 17
const COLUMN_BYTES = 4 * MOST_EVENTS
/** Lists of bins that are kept of the same events. */
const COLUMNS = 8
const MOST_SPAN = 2 ** 31 - 1
/** Larger ones are counted elsewhere. */
const MOST_CELLS = 1 << 20

const up = (bytes: number): number => (bytes + 15) & ~15

export interface EvenBins {
  readonly first: number
  readonly span: number
  readonly scale: number
  readonly shift: number
  readonly bins: number
}

export class Kernel {
  readonly #loops: Loops
  readonly #numbers: Int32Array
  readonly #buffer: ArrayBuffer
  /** Cells that were given back, by their bytes. */
  readonly #free = new Map<number, number[]>()
  #end = (1 + COLUMNS) * COLUMN_BYTES

  constructor() {
    const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly
    const memory = new Memory({ initial: PAGES, maximum: PAGES })
    const module = new Module(assemble(source, PAGES))
    this.#loops = new Instance(module, { env: { memory } }).exports
    this.#buffer = memory.buffer
    this.#numbers = new Int32Array(memory.buffer)
  }

  /** Room for bins, `MOST_EVENTS` each. */
  columns(): { readonly at: number; readonly numbers: Int32Array }[] {
    return Array.from({ length: COLUMNS }, (_, i) => {
      const at = (1 + i) * COLUMN_BYTES
      return { at, numbers: this.#numbers.subarray(at / 4, at / 4 + MOST_EVENTS) }
    })
  }

  /** Takes over the values whose bins are wanted. */
  load(values: Int32Array): void {
    this.#numbers.set(values)
  }

  fits({ span }: EvenBins): boolean {
    return span <= MOST_SPAN
  }

  /** Bins of the first `count` values that were loaded; `bins` stands for outside. */
  bins({ first, span, scale, shift, bins }: EvenBins, count: number, to: number): void {
    if (count > 0) this.#loops.bins(0, up(4 * count), first, span, scale, shift, bins, to)
  }

  /**
   * Counts so many bins of a column into cells that were taken here; gives how many were inside.
   *
   * @param size - of the cells: the bin that stands for outside
   */
  count(column: number, count: number, cells: number, size: number): number {
    if (count === 0) return 0
    const whole = up(4 * count)
    const numbers = this.#numbers
    const outside = cells / 4 + size
    numbers.fill(size, column / 4 + count, (column + whole) / 4)
    numbers[outside] = 0
    this.#loops.count(column, column + whole, cells)
    return whole / 4 - numbers[outside]
  }

  /** Byte offset of so many cells, all 0, and one for what is outside; undefined: there is no room. */
  take(size: number): number | undefined {
    if (size > MOST_CELLS) return undefined
    const bytes = bytesFor(size)
    const at = this.#free.get(bytes)?.pop() ?? this.#end
    if (at + bytes > PAGES * PAGE) return undefined
    if (at === this.#end) this.#end += bytes
    this.#numbers.fill(0, at / 4, (at + bytes) / 4)
    return at
  }

  cells(at: number, size: number): Uint32Array {
    return new Uint32Array(this.#buffer, at, size)
  }

  /** What `take` gave is not used any more. */
  give(at: number, size: number): void {
    const bytes = bytesFor(size)
    const free = this.#free.get(bytes) ?? []
    this.#free.set(bytes, free)
    free.push(at)
  }
}

/** Powers of two, so that what was given back fits others. */
const bytesFor = (size: number): number => Math.max(64, 2 ** Math.ceil(Math.log2(4 * (size + 1))))

/** One for all histograms of a thread; none where the processor lacks what it takes. */
export const kernel: Kernel | undefined = (() => {
  try {
    return new Kernel()
  } catch {
    return undefined
  }
})()
