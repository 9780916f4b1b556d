// From what a command says of a histogram to what the thread counts: axes, memory, and what is wrong with it.
import { CodedError } from '../../core/api/plugin.js'
import { evenEdges } from './bins/axis.js'
import { arraySchemas, type HistogramCommand } from './histogram-schema.js'
import { pixelMapOf, type PlacedRun, runsOf, workOf } from './bins/areas.js'
import { type MemoryLeft } from './memory.js'
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
export interface HistogramSpec extends Pick<
  HistogramCommand,
  'kind' | 'data_topic' | 'topic' | 'monitor' | 'fold_ns' | 'format' | 'show' | 'max_cells'
> {
  readonly id: string
  readonly source: string
  readonly schemas: readonly string[]
  readonly dataType: 'int64' | 'int32' | 'float64'
  readonly sender: string
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

/** Throws HISTOGRAM_INVALID, and HISTOGRAM_MEMORY before anything large is made. */
export function specOf(
  command: HistogramCommand,
  { path, index, sender }: { readonly path: string; readonly index: number; readonly sender: string },
  memory: MemoryLeft
): HistogramSpec {
  const { kind, format, show, last_s: lastS, periods = null } = command
  if (command.tof_window !== undefined && kind !== 'image') refuse(`${path}/tof_window`, 'is for images')
  const normal = command.monitor !== undefined || format === 'da00'
  const dataType = normal ? 'float64' : command.data_type
  const copies = show === 'last' ? SLICES + 2 : 1
  const sent = (format === 'da00' ? 2 : 1) * SENT_BYTES[dataType]
  let bytes = 0
  const shaper = new Shaper(command, path, (periods?.count ?? 1) * (CELL_BYTES * copies + sent), (more) => {
    memory.allow(bytes + more, path)
    bytes += more
  })
  const schemas = schemasOf(command, path)
  const shape = shaper.shape()
  if (show === 'last' && lastS === undefined) refuse(`${path}/last_s`, 'show = last needs it')
  if (kind === 'copy' && (periods ?? command.monitor) !== null && (periods ?? command.monitor) !== undefined)
    refuse(path, 'copy has neither periods nor a monitor')
  memory.take(bytes)
  return {
    ...shape,
    ...{ kind, format, show, dataType, schemas, sender, bytes },
    data_topic: command.data_topic,
    topic: command.topic,
    max_cells: command.max_cells,
    ...(command.monitor && { monitor: command.monitor }),
    ...(command.fold_ns !== undefined && { fold_ns: command.fold_ns }),
    id: command.id ?? `histogram-${index + 1}`,
    source: command.source.trim(),
    lastMs: (lastS ?? 0) * 1000,
    periods: periods === null ? null : { count: periods.count, topic: periods.topic ?? command.data_topic }
  }
}

const isArray = (schema: string): boolean => arraySchemas.some((one) => one === schema)

/** Those that the kind can count. */
function schemasOf({ kind, schemas, tof_window: window }: HistogramCommand, path: string): readonly string[] {
  const given = schemas.filter(isArray)
  if (kind === 'copy') return given.length > 0 ? given : arraySchemas
  const wrong = given.find((schema) => schema !== 'da00' || (kind !== 'tof' && kind !== 'image'))
  if (window !== undefined && given.length > 0) refuse(`${path}/schemas`, `with tof_window images count no ${given[0]}`)
  return wrong === undefined ? schemas : refuse(`${path}/schemas`, `${kind} counts no ${wrong}`)
}

const refuse = (path: string, message: string): never => {
  throw new CodedError('HISTOGRAM_INVALID', message, { path })
}

/** Nothing is made for a shape that no memory limit can allow. */
const MOST_CELLS = 2 ** 28
/** Commands are answered meanwhile: a second or so of work. */
const MOST_CROSSINGS = 2 ** 24
/** Ids that a table of pixels may span. */
const MOST_PIXELS = 2 ** 26

function limit(cells: number, path: string): void {
  if (cells <= MOST_CELLS) return
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

/** An axis that is not made yet. */
interface Bins {
  readonly bins: number
  readonly edges: () => Float64Array
}

/** Axes and cells by the kind. */
class Shaper {
  constructor(
    readonly command: HistogramCommand,
    readonly path: string,
    readonly bytesPerCell: number,
    /** Throws when so many further bytes are not to be had. */
    readonly allow: (bytes: number) => void
  ) {}

  shape(): Shape {
    const { kind } = this.command
    if (kind === 'tof') return this.#tof()
    if (kind === 'tof_pixel') return this.#tofPixel()
    if (kind === 'image') return this.#image()
    if (kind === 'spectra') return this.#spectra()
    if (kind === 'copy') return this.#copy()
    return kind === 'rows' ? this.#rows() : this.#roi()
  }

  #tof(): Shape {
    const time = this.#tofBins()
    const { det_range: range } = this.command
    const pixels = range === undefined ? null : this.#whole(range, 'det_range')
    const cells = this.#allowed(time.bins, time)
    const tofEdges = time.edges()
    return { ...plain, tofEdges, pixels, cells, dimensions: [axis('time_of_flight', 'ns', tofEdges)] }
  }

  #tofPixel(): Shape {
    const time = this.#tofBins()
    const pixel = this.#bins('pixel_edges', 'det_range', 1)
    const cells = this.#allowed(time.bins * pixel.bins, time, pixel)
    const [tofEdges, pixelEdges] = [time.edges(), pixel.edges()]
    const dimensions = [axis('time_of_flight', 'ns', tofEdges), axis('pixel', '', pixelEdges)]
    return { ...plain, tofEdges, pixelEdges, cells, dimensions }
  }

  #spectra(): Shape {
    const { first_pixel: firstPixel, height = 1 } = this.command
    const pixels = this.#need('width') * height
    const time = this.#tofBins()
    const cells = this.#allowed(pixels * time.bins, time, { bins: pixels })
    const tofEdges = time.edges()
    const pixelAxis = axis('pixel', '', evenEdges(firstPixel, firstPixel + pixels, pixels))
    return { ...plain, firstPixel, tofEdges, cells, dimensions: [pixelAxis, axis('time_of_flight', 'ns', tofEdges)] }
  }

  /** Memory for the largest; its axes come with each message. */
  #copy(): Shape {
    // What came, with errors; its cells and what is sent are counted with all kinds
    this.allow(this.command.max_cells * (2 * SENT_BYTES.float64))
    this.#allowed(this.command.max_cells)
    return { ...plain, cells: 0, dimensions: [] }
  }

  #image(): Shape {
    const { first_pixel: firstPixel, order, tof_window: window } = this.command
    const [low = 0, high = 0] = window ?? []
    if (window !== undefined && !(high > low))
      refuse(`${this.path}/tof_window`, 'the upper end must be above the lower')
    const tofEdges = window === undefined ? null : Float64Array.of(low, high)
    const [width, height] = [this.#need('width'), this.#need('height')]
    const cells = this.#allowed(width * height)
    const both = [axis('y', 'pixel', count(height)), axis('x', 'pixel', count(width))]
    const turned = order === 'xy'
    return { ...plain, firstPixel, tofEdges, cells, turned, dimensions: turned ? both.toReversed() : both }
  }

  #rows(): Shape {
    const { left_edges: lefts, order } = this.command
    const width = this.#need('width')
    if (lefts === undefined) return refuse(`${this.path}/left_edges`, 'rows needs it')
    const rows = lefts.length
    const cells = this.#allowed(rows * width)
    const [first, last] = [Math.min(...lefts), Math.max(...lefts)]
    if (last - first > MOST_PIXELS) refuse(`${this.path}/left_edges`, `span more than ${MOST_PIXELS} pixels`)
    // Cells are [row, pixel]
    const runs = lefts.map((pixel, row) => ({ pixel, length: width, place: row * width, step: 1 as const }))
    const both: BinDimension[] = [
      { name: 'row', unit: '', length: rows, edges: numbers(rows) },
      { name: 'x', unit: 'pixel', length: width, edges: numbers(width) }
    ]
    const turned = order === 'xy'
    const map = pixelMapOf([first, last + width - 1], runs, this.allow)
    return { ...plain, map, cells, turned, dimensions: turned ? both.toReversed() : both }
  }

  #roi(): Shape {
    const { first_pixel: first, regions } = this.command
    const [width, height] = [this.#need('width'), this.#need('height')]
    if (regions === undefined) return refuse(`${this.path}/regions`, 'roi needs it')
    const time = this.#tofBins()
    limit(width * height + regions.length * time.bins, this.path)
    if (workOf(regions, height) > MOST_CROSSINGS)
      refuse(`${this.path}/regions`, `corners × rows of the polygons are more than ${MOST_CROSSINGS}`)
    const cells = this.#allowed(regions.length * time.bins, time)
    let [start, end] = [Infinity, 0]
    for (const [i, region] of regions.entries()) {
      let isEmpty = true
      for (const { pixel, length } of runsOf(region, width, height)) {
        isEmpty = false
        start = Math.min(start, pixel)
        end = Math.max(end, pixel + length)
      }
      if (isEmpty) refuse(`${this.path}/regions/${i}`, 'has no pixel of the image')
    }
    const places = function* (): Generator<PlacedRun> {
      for (const [place, region] of regions.entries())
        for (const { pixel, length } of runsOf(region, width, height))
          yield { pixel: first + pixel, length, place, step: 0 }
    }
    const map = pixelMapOf([first + start, first + end - 1], places(), this.allow)
    const tofEdges = time.edges()
    const dimensions = [
      { name: 'region', unit: '', length: regions.length, edges: numbers(regions.length) },
      axis('time_of_flight', 'ns', tofEdges)
    ]
    const labels = regions.map(({ name }, i) => name ?? `region ${i + 1}`)
    return { ...plain, tofEdges, map, cells, dimensions, labels }
  }

  /** So many cells, with the edges of these axes. Throws HISTOGRAM_MEMORY. */
  #allowed(cells: number, ...axes: readonly Pick<Bins, 'bins'>[]): number {
    limit(cells, this.path)
    this.allow(cells * this.bytesPerCell + EDGE_BYTES * axes.reduce((sum, { bins }) => sum + bins + 1, 0))
    return cells
  }

  #tofBins(): Bins {
    return this.#bins('tof_edges', 'tof_range', 0)
  }

  #bins(own: 'tof_edges' | 'pixel_edges', range: 'tof_range' | 'det_range', which: 0 | 1): Bins {
    const given = this.command[own]
    if (given !== undefined) {
      if (given.some((edge, i) => i > 0 && !(edge > given[i - 1]!))) refuse(`${this.path}/${own}`, 'must rise')
      return { bins: given.length - 1, edges: () => Float64Array.from(given) }
    }
    const { num_bins: wanted, [range]: ends } = this.command
    if (ends === undefined || wanted === undefined)
      return refuse(`${this.path}/${ends === undefined ? range : 'num_bins'}`, `needed, or ${own}`)
    const [low, high] = ends as [number, number]
    if (!(high > low)) refuse(`${this.path}/${range}`, 'the upper end must be above the lower')
    const bins = typeof wanted === 'number' ? wanted : wanted[which]!
    return { bins, edges: () => evenEdges(low, high, bins) }
  }

  #whole([low, high]: readonly number[], key: string): readonly [number, number] {
    if (high! < low!) refuse(`${this.path}/${key}`, 'the upper end must not be below the lower')
    return [Math.ceil(low!), Math.floor(high!)]
  }

  #need(key: 'width' | 'height'): number {
    return this.command[key] ?? refuse(`${this.path}/${key}`, `${this.command.kind} needs it`)
  }
}
