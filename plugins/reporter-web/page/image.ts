// A histogram of two axes as an image: numbers to colours, and what lies within a rectangle.
export interface ImageCells {
  readonly width: number
  readonly height: number
  readonly values: ArrayLike<number>
}
/** ImageCells from x, y on; both ends lie within the image. */
export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Colours at even distances, dark to light. */
const tables: Readonly<Record<string, readonly string[]>> = {
  viridis: ['440154', '482878', '3e4a89', '31688e', '26828e', '1f9e89', '35b779', '6ece58', 'b5de2b', 'fde725'],
  magma: ['000004', '180f3d', '440f76', '721f81', '9e2f7f', 'cd4071', 'f1605d', 'fd9668', 'feca8d', 'fcfdbf'],
  grey: ['000000', 'ffffff'],
  hot: ['000000', '8b0000', 'ff4500', 'ffa500', 'ffff66', 'ffffff'],
  ice: ['000010', '08306b', '2171b5', '6baed6', 'c6dbef', 'ffffff']
}
export const gradients = Object.keys(tables)

const channel = (hex: string, i: number): number => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)

/** 256 colours as they lie in an ImageData. */
function colours(name: string): Uint32Array {
  const stops = tables[name] ?? tables['viridis'] ?? []
  return Uint32Array.from({ length: 256 }, (_, n) => {
    const at = (n / 255) * (stops.length - 1)
    const [a = '', b = ''] = [stops[Math.floor(at)], stops[Math.ceil(at)]]
    const mix = (i: number): number => Math.round(channel(a, i) + (channel(b, i) - channel(a, i)) * (at % 1))
    return ((255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0)) >>> 0
  })
}

interface Look {
  readonly gradient: string
  readonly log: boolean
  /** Ends of the colours, in counts. */
  readonly min: number
  readonly max: number
}

/** Paints the cells, row 0 at the bottom as on a graph. */
export function paint(
  canvas: HTMLCanvasElement,
  { width, height, values }: ImageCells,
  { gradient, log, min, max }: Look
): void {
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  if (context === null) return
  const picture = context.createImageData(width, height)
  const pixels = new Uint32Array(picture.data.buffer)
  const table = colours(gradient)
  const place = (value: number): number => (log ? Math.log1p(Math.max(0, value)) : value)
  const least = place(min)
  const scale = 255 / Math.max(1e-12, place(max) - least)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = values[y * width + x] ?? 0
      const level = Math.max(0, Math.min(255, Math.round((place(value) - least) * scale)))
      pixels[(height - 1 - y) * width + x] = table[level] ?? 0
    }
  context.putImageData(picture, 0, 0)
}

export function sumOf({ width, values }: ImageCells, area: Rectangle): number {
  let sum = 0
  for (let y = area.y; y < area.y + area.height; y++)
    for (let x = area.x; x < area.x + area.width; x++) sum += values[y * width + x] ?? 0
  return sum
}

/** Sums along one axis: of each column (x) or row (y). */
export function projection({ width, height, values }: ImageCells, axis: 'x' | 'y'): number[] {
  const sums = new Array<number>(axis === 'x' ? width : height).fill(0)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = axis === 'x' ? x : y
      sums[at] = (sums[at] ?? 0) + (values[y * width + x] ?? 0)
    }
  return sums
}

/** Within the image, and at least one cell. */
export function clamped({ x, y, width, height }: Rectangle, cells: Pick<ImageCells, 'width' | 'height'>): Rectangle {
  const whole = (n: number, low: number, high: number): number => Math.max(low, Math.min(high, Math.round(n) || 0))
  const [left, bottom] = [whole(x, 0, cells.width - 1), whole(y, 0, cells.height - 1)]
  return {
    x: left,
    y: bottom,
    width: whole(width, 1, cells.width - left),
    height: whole(height, 1, cells.height - bottom)
  }
}

/** Swaps the axes. */
export function turned({ width, height, values }: ImageCells): ImageCells {
  const out = new Float64Array(width * height)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[x * height + y] = values[y * width + x] ?? 0
  return { width: height, height: width, values: out }
}
