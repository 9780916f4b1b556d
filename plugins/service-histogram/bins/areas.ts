// Areas of a detector: which pixels they hold, and tables from pixels to areas.
import { type PixelMap } from './fill.js'

export interface Region {
  readonly rectangle?: readonly number[]
  readonly polygon?: readonly (readonly number[])[]
}

/** Pixels that follow each other: the first one's number, and how many. */
export interface PixelRun {
  readonly pixel: number
  readonly length: number
}

/** Runs of the pixels (numbers y * width + x) of an image that lie in a region. */
export function* runsOf({ rectangle, polygon }: Region, width: number, height: number): Generator<PixelRun> {
  if (rectangle !== undefined) {
    const [x = 0, y = 0, w = 0, h = 0] = rectangle
    const from = Math.max(0, x)
    const length = Math.min(width, x + w) - from
    if (length <= 0) return
    for (let row = Math.max(0, y); row < Math.min(height, y + h); row++) yield { pixel: row * width + from, length }
  } else if (polygon !== undefined) {
    const [first, last] = rowsOf(polygon, height)
    for (let row = first; row < last; row++)
      for (const [left, right] of spans(polygon, row + 0.5)) {
        const from = Math.max(0, Math.ceil(left - 0.5))
        const length = Math.min(width, Math.ceil(right - 0.5)) - from
        if (length > 0) yield { pixel: row * width + from, length }
      }
  }
}

/** Rows that a polygon may reach: from inclusive, to exclusive. */
function rowsOf(corners: readonly (readonly number[])[], height: number): readonly [number, number] {
  const ys = corners.map(([, y = 0]) => y)
  return [Math.max(0, Math.floor(Math.min(...ys))), Math.min(height, Math.ceil(Math.max(...ys)))]
}

/** Crossings that are looked for to find the runs of regions. */
export function workOf(regions: readonly Region[], height: number): number {
  return regions.reduce((sum, { polygon }) => {
    if (polygon === undefined) return sum
    const [first, last] = rowsOf(polygon, height)
    return sum + polygon.length * Math.max(0, last - first)
  }, 0)
}

/** Where a line of this y runs inside a polygon (even-odd rule): from inclusive, to exclusive. */
function spans(corners: readonly (readonly number[])[], y: number): [number, number][] {
  const crossings: number[] = []
  corners.forEach(([x1 = 0, y1 = 0], i) => {
    const [x2 = 0, y2 = 0] = corners[(i + 1) % corners.length]!
    if (y1 <= y !== y2 <= y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1))
  })
  crossings.sort((a, b) => a - b)
  return Array.from({ length: crossings.length >> 1 }, (_, i) => [crossings[2 * i]!, crossings[2 * i + 1]!])
}

/** Where a run of pixels goes: the place of its first one, and whether each further one has the next. */
export interface PlacedRun extends PixelRun {
  readonly place: number
  readonly step: 0 | 1
}

/**
 * Tables from pixel to place; a pixel with several places stands in several layers.
 *
 * @param last - of the pixels, as `first`; each run lies within, and no pixel has more than 65536 places
 * @param allow - throws when so many further bytes are not to be had
 */
export function pixelMapOf(
  [first, last]: readonly [first: number, last: number],
  runs: Iterable<PlacedRun>,
  allow: (bytes: number) => void
): PixelMap {
  const span = last - first + 1
  const layers: Int32Array[] = []
  let places: Uint16Array | undefined
  for (const { pixel, length, place, step } of runs)
    for (let i = 0; i < length; i++) {
      const at = pixel - first + i
      const layer = places?.[at] ?? 0
      if (layer === layers.length) {
        allow(Int32Array.BYTES_PER_ELEMENT * span)
        layers.push(new Int32Array(span).fill(-1))
      }
      places ??= new Uint16Array(span)
      layers[layer]![at] = place + i * step
      places[at]!++
    }
  return { first, layers }
}
