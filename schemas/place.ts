// Row-major blocks inside row-major arrays.

/**
 * Copies a block of shape `shape` into an array of shape `full`, its first element at `offset`. Ranks are equal and the block
 * lies inside; elements have `width` bytes.
 */
export function place(
  block: Uint8Array,
  shape: readonly number[],
  into: Uint8Array,
  full: readonly number[],
  offset: readonly number[],
  width: number
): void {
  // strides of the array in bytes
  const strides: number[] = []
  let stride = width
  for (let i = full.length - 1; i >= 0; i--) {
    strides[i] = stride
    stride *= full[i] ?? 1
  }
  const last = shape.length - 1
  const line = (shape[last] ?? 1) * width
  let from = 0
  const copy = (axis: number, to: number): void => {
    if (axis >= last) {
      into.set(block.subarray(from, from + line), to + (offset[last] ?? 0) * width)
      from += line
      return
    }
    for (let i = 0; i < (shape[axis] ?? 0); i++) copy(axis + 1, to + ((offset[axis] ?? 0) + i) * (strides[axis] ?? 0))
  }
  if (!shape.includes(0)) copy(0, 0)
}
