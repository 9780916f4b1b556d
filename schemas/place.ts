// Row-major blocks inside row-major arrays.

/**
 * Calls `line` for each run of elements that lies in one piece in both: `from` and `to` are the positions of its first element in
 * the block and in the array. Ranks are equal and the block lies inside.
 */
export function eachLine(
  shape: readonly number[],
  full: readonly number[],
  offset: readonly number[],
  line: (from: number, to: number, length: number) => void
): void {
  if (shape.includes(0)) return
  const last = shape.length - 1
  const strides = full.map((_, i) => full.slice(i + 1).reduce((product, n) => product * n, 1))
  const length = shape[last] ?? 1
  let from = 0
  const walk = (axis: number, to: number): void => {
    if (axis >= last) {
      line(from, to + (offset[last] ?? 0), length)
      from += length
      return
    }
    for (let i = 0; i < (shape[axis] ?? 0); i++) walk(axis + 1, to + ((offset[axis] ?? 0) + i) * (strides[axis] ?? 0))
  }
  walk(0, 0)
}

interface Block {
  readonly bytes: Uint8Array
  readonly shape: readonly number[]
  /** Where its first element goes; the beginning when not given. */
  readonly offset?: readonly number[]
}

/** Copies a block into an array of shape `full`; elements have `width` bytes. */
export function place(
  { bytes, shape, offset = shape.map(() => 0) }: Block,
  into: Uint8Array,
  full: readonly number[],
  width: number
): void {
  eachLine(shape, full, offset, (from, to, length) =>
    into.set(bytes.subarray(from * width, (from + length) * width), to * width)
  )
}

/** Rows per chunk as asked for, as far as a chunk of 64 MiB (8 bytes an element) holds them; at least one. */
export const rowsPerChunk = (rows: number, elements: number): number =>
  Math.max(1, Math.min(rows, Math.floor(2 ** 23 / elements)))

/** Number of elements of a shape. */
export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)
