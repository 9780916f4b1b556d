// Areas of a detector: which pixels they hold, and tables from pixels to areas.
import { type PixelMap } from './fill.js'

export interface Region {
  readonly rectangle?: readonly number[]
  readonly polygon?: readonly (readonly number[])[]
}

/** Numbers y * width + x of the pixels of an image that lie in a region. */
export function pixelsOf({ rectangle, polygon }: Region, width: number, height: number): number[] {
  const pixels: number[] = []
  if (rectangle !== undefined) {
    const [x = 0, y = 0, w = 0, h = 0] = rectangle
    for (let row = Math.max(0, y); row < Math.min(height, y + h); row++)
      for (let column = Math.max(0, x); column < Math.min(width, x + w); column++) pixels.push(row * width + column)
  } else if (polygon !== undefined) {
    for (let row = 0; row < height; row++)
      for (const [from, to] of spans(polygon, row + 0.5))
        for (let x = Math.max(0, Math.ceil(from - 0.5)); x < width && x + 0.5 < to; x++) pixels.push(row * width + x)
  }
  return pixels
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

/** Tables from pixel to place; a pixel with several places stands in several layers. */
export function pixelMapOf(entries: readonly (readonly [pixel: number, place: number])[]): PixelMap {
  let [first, last] = [Infinity, -Infinity]
  for (const [pixel] of entries) {
    first = Math.min(first, pixel)
    last = Math.max(last, pixel)
  }
  const layers: Int32Array[] = []
  for (const [pixel, place] of entries) {
    let layer = layers.find((one) => one[pixel - first] === -1)
    if (layer === undefined) layers.push((layer = new Int32Array(last - first + 1).fill(-1)))
    layer[pixel - first] = place
  }
  return { first, layers }
}
