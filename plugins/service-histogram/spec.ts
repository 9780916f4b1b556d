// From what a command says of a histogram to what the thread counts: axes, memory, and what is wrong with it.
import { CodedError } from '../../core/api/plugin.js'
import { evenEdges } from './bins/axis.js'
import { type HistogramCommand } from './histogram-schema.js'
import { pixelMapOf, pixelsOf } from './bins/areas.js'
import { type PixelMap } from './bins/fill.js'

/** One axis of the array that is sent. */
export interface BinDimension {
  readonly name: string
  readonly unit: string
  readonly length: number
  /** Edges (length + 1) or, for rows and regions, their numbers (length). */
  readonly edges: Float64Array | readonly number[]
}

/** A histogram as the thread gets it (structured clone). */
export interface HistogramSpec extends Pick<HistogramCommand, 'kind' | 'data_topic' | 'topic' | 'monitor' | 'fold_ns'> {
  readonly id: string
  readonly source: string
  readonly schemas: readonly string[]
  readonly format: 'hs00' | 'hs01' | 'da00'
  readonly dataType: 'int64' | 'int32' | 'float64'
  readonly sender: string
  readonly show: 'cumulative' | 'current' | 'last'
  readonly lastMs: number
  readonly periods: { readonly count: number; readonly topic: string } | null
  readonly tofEdges: Float64Array | null
  readonly pixelEdges: Float64Array | null
  /** Only these pixels, inclusive. */
  readonly pixels: readonly [number, number] | null
  readonly firstPixel: number
  readonly map: PixelMap | null
  /** Of the cells as they are counted, without periods. */
  readonly cells: number
  /** Of the array that is sent, without periods. */
  readonly dimensions: readonly BinDimension[]
  /** The array that is sent has its two axes the other way round than the cells. */
  readonly turned: boolean
  /** Names of regions. */
  readonly labels: readonly string[]
  /** Memory that it needs. */
  readonly bytes: number
}

/** Slices of the last n seconds. */
export const SLICES = 10
/** A cell in memory, and in the message while it is made and sent. */
const CELL_BYTES = 5
/** An edge in the axis, its table and the message. */
const EDGE_BYTES = 32
const SENT_BYTES = { int64: 8, int32: 4, float64: 8 } as const

/** Throws HISTOGRAM_INVALID. */
export function specOf(command: HistogramCommand, path: string, index: number, sender: string): HistogramSpec {
  const shape = new Shaper(command, path).shape()
  const { format, show = 'cumulative', last_s: lastS, periods = null } = command
  if (show === 'last' && lastS === undefined) refuse(`${path}/last_s`, 'show = last needs it')
  const normal = command.monitor !== undefined || format === 'da00'
  const dataType = normal ? 'float64' : (command.data_type ?? 'int64')
  const all = shape.cells * (periods?.count ?? 1)
  const copies = show === 'last' ? SLICES + 2 : 1
  const layers = shape.map?.layers.reduce((sum, { length }) => sum + 4 * length, 0) ?? 0
  const sent = (format === 'da00' ? 2 : 1) * SENT_BYTES[dataType]
  return {
    ...shape,
    kind: command.kind,
    data_topic: command.data_topic,
    topic: command.topic,
    ...(command.monitor && { monitor: command.monitor }),
    ...(command.fold_ns !== undefined && { fold_ns: command.fold_ns }),
    id: command.id ?? `histogram-${index + 1}`,
    source: (command.source ?? '').trim(),
    schemas: command.schemas ?? ['ev42', 'ev43', 'ev44', 'an44'],
    format: format ?? 'hs01',
    dataType,
    sender,
    show,
    lastMs: (lastS ?? 0) * 1000,
    periods: periods === null ? null : { count: periods.count, topic: periods.topic ?? command.data_topic },
    bytes:
      all * (CELL_BYTES * copies + sent) +
      layers +
      EDGE_BYTES * ((shape.tofEdges?.length ?? 0) + (shape.pixelEdges?.length ?? 0))
  }
}

const refuse = (path: string, message: string): never => {
  throw new CodedError('HISTOGRAM_INVALID', message, { path })
}

/** Nothing is made for a shape that no memory limit can allow. */
const MOST_CELLS = 2 ** 28
/** Ids that a table of pixels may span. */
const MOST_PIXELS = 2 ** 26

function limited(cells: number, path: string): number {
  if (cells <= MOST_CELLS) return cells
  throw new CodedError('HISTOGRAM_MEMORY', `${cells} cells are more than ${MOST_CELLS}, the most of any histogram`, {
    path
  })
}

type Shape = Pick<
  HistogramSpec,
  'tofEdges' | 'pixelEdges' | 'pixels' | 'firstPixel' | 'map' | 'cells' | 'dimensions' | 'turned' | 'labels'
>

const plain = { tofEdges: null, pixelEdges: null, pixels: null, firstPixel: 0, map: null, turned: false, labels: [] }
const axis = (name: string, unit: string, edges: Float64Array): BinDimension =>
  ({ name, unit, length: edges.length - 1, edges }) // prettier-ignore
const count = (n: number): Float64Array => evenEdges(0, n, n)
const numbers = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)

/** Axes and cells by the kind. */
class Shaper {
  constructor(
    readonly command: HistogramCommand,
    readonly path: string
  ) {}

  shape(): Shape {
    const { kind } = this.command
    if (kind === 'tof') return this.#tof()
    if (kind === 'tof_pixel') return this.#tofPixel()
    if (kind === 'image') return this.#image()
    return kind === 'rows' ? this.#rows() : this.#roi()
  }

  #tof(): Shape {
    const tofEdges = this.#tofEdges()
    const { det_range: range } = this.command
    const pixels = range === undefined ? null : this.#whole(range, 'det_range')
    return {
      ...plain,
      tofEdges,
      pixels,
      cells: tofEdges.length - 1,
      dimensions: [axis('time_of_flight', 'ns', tofEdges)]
    }
  }

  #tofPixel(): Shape {
    const tofEdges = this.#tofEdges()
    const pixelEdges = this.#edges('pixel_edges', 'det_range', 1)
    const dimensions = [axis('time_of_flight', 'ns', tofEdges), axis('pixel', '', pixelEdges)]
    return {
      ...plain,
      tofEdges,
      pixelEdges,
      cells: limited((tofEdges.length - 1) * (pixelEdges.length - 1), this.path),
      dimensions
    }
  }

  #image(): Shape {
    const { first_pixel: firstPixel = 1, order } = this.command
    const [width, height] = [this.#need('width'), this.#need('height')]
    const both = [axis('y', 'pixel', count(height)), axis('x', 'pixel', count(width))]
    const turned = order === 'xy'
    return {
      ...plain,
      firstPixel,
      cells: limited(width * height, this.path),
      turned,
      dimensions: turned ? both.toReversed() : both
    }
  }

  #rows(): Shape {
    const { left_edges: lefts, order } = this.command
    const width = this.#need('width')
    if (lefts === undefined) return refuse(`${this.path}/left_edges`, 'rows needs it')
    const rows = lefts.length
    const cells = limited(rows * width, this.path)
    if (Math.max(...lefts) - Math.min(...lefts) > MOST_PIXELS)
      refuse(`${this.path}/left_edges`, `span more than ${MOST_PIXELS} pixels`)
    // Cells are [row, pixel]
    const pixels = lefts.map((left, row) =>
      Array.from({ length: width }, (_, x) => [left + x, row * width + x] as const)
    )
    const both: BinDimension[] = [
      { name: 'row', unit: '', length: rows, edges: numbers(rows) },
      { name: 'x', unit: 'pixel', length: width, edges: numbers(width) }
    ]
    const turned = order === 'xy'
    const map = pixelMapOf(pixels.flat())
    return { ...plain, map, cells, turned, dimensions: turned ? both.toReversed() : both }
  }

  #roi(): Shape {
    const { first_pixel: first = 1, regions } = this.command
    const [width, height] = [this.#need('width'), this.#need('height')]
    if (regions === undefined) return refuse(`${this.path}/regions`, 'roi needs it')
    const tofEdges = this.#tofEdges()
    limited(width * height + regions.length * (tofEdges.length - 1), this.path)
    const places = regions.flatMap((region, i) => {
      const inside = pixelsOf(region, width, height)
      if (inside.length === 0) refuse(`${this.path}/regions/${i}`, 'has no pixel of the image')
      return inside.map((pixel) => [first + pixel, i] as const)
    })
    const dimensions = [
      { name: 'region', unit: '', length: regions.length, edges: numbers(regions.length) },
      axis('time_of_flight', 'ns', tofEdges)
    ]
    const labels = regions.map(({ name }, i) => name ?? `region ${i + 1}`)
    const cells = regions.length * (tofEdges.length - 1)
    return { ...plain, tofEdges, map: pixelMapOf(places), cells, dimensions, labels }
  }

  #tofEdges(): Float64Array {
    return this.#edges('tof_edges', 'tof_range', 0)
  }

  #edges(own: 'tof_edges' | 'pixel_edges', range: 'tof_range' | 'det_range', which: 0 | 1): Float64Array {
    const given = this.command[own]
    if (given !== undefined) {
      if (given.some((edge, i) => i > 0 && !(edge > given[i - 1]!))) refuse(`${this.path}/${own}`, 'must rise')
      return Float64Array.from(given)
    }
    const { num_bins: bins, [range]: ends } = this.command
    if (ends === undefined || bins === undefined)
      return refuse(`${this.path}/${ends === undefined ? range : 'num_bins'}`, `needed, or ${own}`)
    const [low, high] = ends as [number, number]
    if (!(high > low)) refuse(`${this.path}/${range}`, 'the upper end must be above the lower')
    return evenEdges(low, high, typeof bins === 'number' ? bins : bins[which]!)
  }

  #whole([low, high]: readonly number[], key: string): readonly [number, number] {
    if (high! < low!) refuse(`${this.path}/${key}`, 'the upper end must not be below the lower')
    return [Math.ceil(low!), Math.floor(high!)]
  }

  #need(key: 'width' | 'height'): number {
    return this.command[key] ?? refuse(`${this.path}/${key}`, `${this.command.kind} needs it`)
  }
}
