// A histogram as the image of a detector: each cell goes where the grid has its pixel.
import { type Pictured, cellsOf } from './numbers.js'
import { type GridLayout } from './protocol.js'

/** Axes of which the coordinates are numbers of pixels. */
const isPixels = (label: string): boolean => /pixel|detector|spectrum/i.test(label)

/** Pixel of each cell: by the axis of pixels where there is one, by its place otherwise. */
function pixelsOf({ shape, axes, edges }: Pictured, { first, isTurned }: GridLayout): (cell: number) => number {
  const [axis] = edges
  if (shape.length === 1 && axis !== null && axis !== undefined && isPixels(axes[0]?.label ?? '')) {
    const numbers = cellsOf(axis)
    return (cell) => Math.ceil(numbers[cell] ?? -1)
  }
  const [rows = 1, columns = 1] = shape
  return isTurned && shape.length === 2
    ? (cell) => first + (cell % columns) * rows + Math.floor(cell / columns)
    : (cell) => first + cell
}

/** Rows are along the second axis of the view, columns along the first; pixels outside of the grid are left out. */
export function laidOut(picture: Pictured, layout: GridLayout): Pictured {
  const { grid, view } = layout
  const [nx, ny, nz] = grid.size
  const sizes = { x: nx, y: ny, z: nz }
  const [across, up] = [view[0] as 'x' | 'y', view[1] as 'y' | 'z']
  const columns = sizes[across]
  const out = new Float64Array(columns * sizes[up])
  const pixelOf = pixelsOf(picture, layout)
  const cells = cellsOf(picture.data)
  const { first, places } = grid
  const count = places?.length ?? nx * ny * nz
  for (let cell = 0; cell < cells.length; cell++) {
    const pixel = pixelOf(cell) - first
    const index = pixel >= 0 && pixel < count ? (places === null ? pixel : (places[pixel] ?? -1)) : -1
    if (index < 0) continue
    const at = { x: index % nx, y: Math.floor(index / nx) % ny, z: Math.floor(index / (nx * ny)) }
    const place = at[up] * columns + at[across]
    out[place] = (out[place] ?? 0) + (cells[cell] ?? 0)
  }
  return {
    ...picture,
    shape: [sizes[up], columns],
    axes: [up, across].map((label) => ({ label, unit: 'pixel' })),
    edges: [null, null],
    data: out
  }
}
