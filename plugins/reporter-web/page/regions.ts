// Regions of an image: rectangles and polygons, in cells of what is shown. A cell belongs to a polygon when its centre does.
import { clamped, type ImageCells, type Rectangle, sumOf } from './image.js'

export type Corner = readonly [x: number, y: number]
export type ImageRegion = { readonly kind: 'rectangle'; readonly area: Rectangle } | { readonly kind: 'polygon'; readonly corners: readonly Corner[] } // prettier-ignore

/** As many as the service would take, but fewer than anybody can tell apart. */
export const MOST_REGIONS = 20
const MOST_CORNERS = 1000

export const cornersOf = (region: ImageRegion): readonly Corner[] => {
  if (region.kind === 'polygon') return region.corners
  const { x, y, width, height } = region.area
  return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]] // prettier-ignore
}

export function countsIn(cells: ImageCells, region: ImageRegion): number {
  if (region.kind === 'rectangle') return sumOf(cells, clamped(region.area, cells))
  const { width, height, values } = cells
  const { corners } = region
  const ys = corners.map(([, y]) => y)
  let sum = 0
  for (let y = Math.max(0, Math.floor(Math.min(...ys))); y < Math.min(height, Math.ceil(Math.max(...ys))); y++)
    for (const [left, right] of spans(corners, y + 0.5))
      for (let x = Math.max(0, Math.ceil(left - 0.5)); x < Math.min(width, Math.ceil(right - 0.5)); x++)
        sum += values[y * width + x] ?? 0
  return sum
}

/** Where a line of this y runs inside (even-odd rule): from inclusive, to exclusive. */
function spans(corners: readonly Corner[], y: number): [number, number][] {
  const crossings: number[] = []
  for (const [i, [x1, y1]] of corners.entries()) {
    const [x2, y2] = corners[(i + 1) % corners.length] ?? [0, 0]
    if (y1 <= y !== y2 <= y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1))
  }
  crossings.sort((a, b) => a - b)
  return Array.from({ length: crossings.length >> 1 }, (_, i) => [crossings[2 * i] ?? 0, crossings[2 * i + 1] ?? 0])
}

export const textOf = (corners: readonly Corner[]): string => corners.map(([x, y]) => `${x},${y}`).join(' ')

/** `x,y x,y x,y`; undefined: no polygon. */
export function readCorners(text: string): Corner[] | undefined {
  const corners = text.trim().split(/\s+/).map((pair) => pair.split(',').map(Number)) // prettier-ignore
  const isGood = corners.every((pair) => pair.length === 2 && pair.every((n) => Number.isFinite(n)))
  if (!isGood || corners.length < 3 || corners.length > MOST_CORNERS) return undefined
  return corners.map(([x = 0, y = 0]) => [x, y])
}

/** As the service takes them: in pixels of the image, x first. `isFlipped`: what is shown has y along its rows. */
export function forService(region: ImageRegion, bin: number, isFlipped: boolean): object {
  if (region.kind === 'rectangle') {
    const { x, y, width, height } = region.area
    const sides = isFlipped ? [y, x, height, width] : [x, y, width, height]
    return { rectangle: sides.map((n) => n * bin) }
  }
  return { polygon: region.corners.map(([x, y]) => (isFlipped ? [y * bin, x * bin] : [x * bin, y * bin])) }
}
