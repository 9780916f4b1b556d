// Histograms of any schema in one form, and their numbers as a browser takes them.
import { type DataArrayRecord, type HistogramRecord, msOf, numbersIn, type Vector } from '../../../schemas/index.js'
import { type HistogramHead, type HistogramRow } from '../wire.js'

/** A histogram as its message has it; vectors are views. */
export interface Pictured {
  readonly source: string
  readonly timeMs: number
  readonly shape: readonly number[]
  readonly axes: HistogramRow['axes']
  readonly edges: readonly (Vector | Float64Array | null)[]
  readonly data: Vector | Float64Array
  readonly info: Readonly<Record<string, unknown>>
}

function infoOf(text: string): Pictured['info'] {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Pictured['info']) : {}
  } catch {
    return {} // Others put plain words there
  }
}

export const ofHistogram = ({
  source,
  timestampNs,
  currentShape,
  dimensions,
  data,
  info
}: HistogramRecord): Pictured => ({
  source,
  timeMs: msOf(timestampNs),
  shape: currentShape,
  axes: dimensions.map(({ label, unit }) => ({ label, unit })),
  edges: dimensions.map(({ edges }) => edges),
  data,
  info: infoOf(info)
})

/** Undefined for one without a signal. */
export function ofDataArray({ source, timestampNs, variables }: DataArrayRecord): Pictured | undefined {
  const signal = variables.find(({ name }) => name === 'signal')
  if (signal === undefined) return undefined
  const axes = signal.axes.map((axis) => variables.find(({ name }) => name === axis))
  const info = variables.find(({ name, isText }) => name === 'info' && isText)
  return {
    source,
    timeMs: msOf(timestampNs),
    shape: signal.shape,
    axes: axes.map((axis, i) => ({ label: axis?.label ?? signal.axes[i] ?? '', unit: axis?.unit ?? '' })),
    edges: axes.map((axis) => axis?.data ?? null),
    data: signal.data,
    info: info === undefined ? {} : infoOf(Buffer.from(info.data.bytes).toString('utf8'))
  }
}

/** As numbers of JavaScript. */
export function cellsOf(vector: Pictured['data']): Float64Array {
  if (vector instanceof Float64Array) return vector
  const from = numbersIn(vector)
  const out = new Float64Array(from.length)
  for (let i = 0; i < out.length; i++) out[i] = Number(from[i])
  return out
}

/** Sums blocks of `bin` × `bin` cells of an image. */
export function shrunk(cells: Float64Array, [rows = 1, columns = 1]: readonly number[], bin: number): Float64Array {
  const [h, w] = [Math.ceil(rows / bin), Math.ceil(columns / bin)]
  const out = new Float64Array(h * w)
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const at = Math.floor(y / bin) * w + Math.floor(x / bin)
      out[at] = (out[at] ?? 0) + (cells[y * columns + x] ?? 0)
    }
  return out
}

/** Most edges that are told. */
const MOST_EDGES = 100_001

/** Head and numbers as one body: length of the head (uint32), head (JSON, to a multiple of 4), numbers; all little-endian. */
export function bodyOf(
  row: HistogramRow,
  picture: Pictured,
  { bin: wanted, layout }: Readonly<Pick<HistogramHead, 'bin' | 'layout'>>
): Uint8Array {
  const isImage = picture.shape.length === 2
  const bin = isImage ? Math.max(1, Math.min(64, wanted)) : 1
  const all = cellsOf(picture.data)
  const cells = bin === 1 ? all : shrunk(all, picture.shape, bin)
  let [min, max, isWhole] = [Infinity, -Infinity, true]
  for (const cell of cells) {
    if (cell < min) min = cell
    if (cell > max) max = cell
    if (isWhole && (cell < 0 || cell > 4_294_967_295 || !Number.isInteger(cell))) isWhole = false
  }
  const edges = picture.edges.map((one) => (one === null || one.length > MOST_EDGES ? null : [...cellsOf(one)]))
  const shape = picture.shape.map((n) => Math.ceil(n / bin))
  const [type, numbers] = isWhole ? (['uint32', Uint32Array.from(cells)] as const) : (['float32', Float32Array.from(cells)] as const) // prettier-ignore
  const isEmpty = cells.length === 0
  const ends = { min: isEmpty ? 0 : min, max: isEmpty ? 0 : max }
  const head: HistogramHead = { ...row, shape, axes: picture.axes, type, ...ends, bin, layout, edges }
  const text = Buffer.from(JSON.stringify(head))
  const start = 4 + Math.ceil(text.length / 4) * 4
  const body = Buffer.alloc(start + numbers.byteLength, ' ')
  body.writeUInt32LE(start - 4, 0)
  text.copy(body, 4)
  Buffer.from(numbers.buffer).copy(body, start)
  return body
}
