// Pixels of an NXdetector as a grid: by their offsets where these make one, else as `detector_number` has them.
import { type Grid } from '../thread/protocol.js'
import { MOST_PIXELS, MOST_SIDE } from './description.js'

/** NumberLists in lists of one length each. */
export interface NumberLists {
  readonly shape: readonly number[]
  readonly values: Float64Array
}

type PixelPlaces = Pick<Grid, 'size' | 'first' | 'places'>

const MOST_PIXEL = 4_294_967_295
/** Offsets that differ by less than this part of their range are the same. */
const SAME = 1e-5

/** Undefined: it is something else. */
export function numbersOf(value: unknown): NumberLists | undefined {
  const shape: number[] = []
  for (let list = value; Array.isArray(list); list = list[0] as unknown) shape.push(list.length)
  const count = shape.reduce((product, n) => product * n, 1)
  if (shape.length > 4 || count > MOST_PIXELS) return undefined
  const values = new Float64Array(count)
  let at = 0
  const take = (list: unknown, depth: number): boolean => {
    if (depth === shape.length) {
      if (typeof list !== 'number') return false
      values[at++] = list
      return true
    }
    return Array.isArray(list) && list.length === shape[depth] && list.every((one) => take(one, depth + 1))
  }
  return take(value, 0) ? { shape, values } : undefined
}

/**
 * @param offsets - x, y and z of the pixels: one for each, or one for each place along its axis
 *
 * Throws what is wrong with the pixels.
 */
export function gridOf(pixels: NumberLists, offsets: readonly (NumberLists | undefined)[]): PixelPlaces {
  const { values, shape } = pixels
  if (values.length === 0) throw new Error('has no pixels')
  if (shape.length > 3) throw new Error(`has ${shape.length} axes; the page shows up to three`)
  let [first, last] = [Infinity, 0]
  for (const pixel of values) {
    if (!Number.isInteger(pixel) || pixel < 0 || pixel > MOST_PIXEL)
      throw new Error(`has the value ${pixel}; pixels are whole numbers from 0 to ${MOST_PIXEL}`)
    first = Math.min(first, pixel)
    last = Math.max(last, pixel)
  }
  const span = last - first + 1
  if (span > MOST_PIXELS) throw new Error(`spans ${span} numbers; the page takes up to ${MOST_PIXELS}`)
  const { size, at } = byOffsets(pixels, offsets) ?? byOrder(shape)
  if (Math.max(...size) > MOST_SIDE) throw new Error(`has ${size.join(' × ')} pixels; a side may have ${MOST_SIDE}`)
  const places = new Int32Array(new SharedArrayBuffer(span * Int32Array.BYTES_PER_ELEMENT)).fill(-1)
  let isPlain = span === values.length
  for (const [i, pixel] of values.entries()) {
    const place = at(i)
    if (places[pixel - first] !== -1) throw new Error(`has pixel ${pixel} twice`)
    places[pixel - first] = place
    isPlain &&= place === pixel - first
  }
  return { size, first, places: isPlain ? null : places }
}

interface Arrangement {
  readonly size: Grid['size']
  /** Place of the pixel that stands there in `detector_number`. */
  readonly at: (index: number) => number
}

/** The last axis is x. */
function byOrder(shape: readonly number[]): Arrangement {
  const [x = 1, y = 1, z = 1] = shape.toReversed()
  return { size: [x, y, z], at: (index) => index }
}

/** Undefined: the offsets make no grid. Rows go up, columns to the right, as the offsets grow. */
function byOffsets(pixels: NumberLists, offsets: readonly (NumberLists | undefined)[]): Arrangement | undefined {
  const { length } = pixels.values
  const sides = offsets.map((one) => one?.values.length ?? 1)
  // A list of all pixels, and offsets of columns and rows: x runs first
  const isFlat = pixels.shape.length === 1 && sides.reduce((product, n) => product * n, 1) === length
  const shape = isFlat ? sides.toReversed() : pixels.shape
  const axes = offsets.map((one, axis) => (one === undefined ? undefined : rankOf(one, { shape, length }, axis)))
  if (axes[0] === undefined && axes[1] === undefined) return undefined
  const [nx, ny, nz] = axes.map((one) => one?.count ?? 1) as [number, number, number]
  if (nx * ny * nz !== length) return undefined
  const [x, y, z] = axes
  const at = (i: number): number => ((z?.ranks[i] ?? 0) * ny + (y?.ranks[i] ?? 0)) * nx + (x?.ranks[i] ?? 0)
  // Two at one place are no grid
  const taken = new Uint8Array(length)
  for (let i = 0; i < taken.length; i++) {
    const place = at(i)
    if (taken[place] !== 0) return undefined
    taken[place] = 1
  }
  return { size: [nx, ny, nz], at }
}

/** How many different offsets come before that of each pixel; undefined: there are not as many as pixels, nor as places along the axis. */
function rankOf(
  { values }: NumberLists,
  { shape, length }: { readonly shape: readonly number[]; readonly length: number },
  axis: number
): { readonly count: number; readonly ranks: Int32Array } | undefined {
  const along = shape.length - 1 - axis
  const stride = shape.slice(along + 1).reduce((product, n) => product * n, 1)
  const isForAxis = values.length !== length && along >= 0 && values.length === shape[along]
  if (values.length !== length && !isForAxis) return undefined
  const sorted = values.toSorted()
  const range = sorted.at(-1)! - sorted[0]!
  const steps: number[] = []
  for (const value of sorted) if (steps.length === 0 || value - steps.at(-1)! > SAME * range) steps.push(value)
  const rank = (value: number): number => {
    let [low, high] = [0, steps.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (steps[middle]! <= value) low = middle
      else high = middle - 1
    }
    return low
  }
  const ranks = Int32Array.from({ length }, (_, i) =>
    rank(values[isForAxis ? Math.floor(i / stride) % shape[along]! : i]!)
  )
  return { count: steps.length, ranks }
}
