// Which histograms belong to which detectors: by what jobs of this daemon count, or by what the messages of others say.
import { type JobInfo } from '../../../core/api/plugin.js'
import { type DetectorGrid } from './description.js'
import { type Grid, type GridLayout } from '../thread/protocol.js'
import { type GridRow, type GridView, type HistogramInput, type HistogramRow } from '../wire.js'

/** What a job of this daemon says of a histogram. */
interface Input {
  readonly kind?: unknown
  readonly data_topic?: unknown
  readonly source?: unknown
  readonly first_pixel?: unknown
  readonly order?: unknown
  readonly tof_range?: unknown
  readonly start_ms?: unknown
  readonly job_id?: unknown
}

/** Jobs come and go; the oldest are forgotten. */
const MOST_KNOWN = 1000

export class Layouts {
  readonly #known = new Map<string, Input>()

  constructor(readonly detectors: readonly DetectorGrid[]) {}

  /** True when it knows more than before. */
  learn(jobs: readonly JobInfo[]): boolean {
    let isNew = false
    for (const job of jobs) {
      if (job['service'] !== 'histogram') continue
      for (const one of (job['histograms'] ?? []) as readonly (Input & { id?: unknown; topic?: unknown })[]) {
        const key = `${String(one.topic)}:${String(one.id)}`
        const { kind, data_topic, source, first_pixel, order, tof_range } = one
        const input = {
          kind,
          data_topic,
          source,
          first_pixel,
          order,
          tof_range,
          start_ms: job['start_time_ms'],
          job_id: job['job_id']
        }
        if (JSON.stringify(this.#known.get(key)) === JSON.stringify(input)) continue
        this.#known.set(key, input)
        if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value ?? '')
        isNew = true
      }
    }
    return isNew
  }

  /** With all that is known of it here. */
  known(row: HistogramRow): HistogramRow {
    const input = this.#known.get(row.key)
    const range = input?.tof_range
    return {
      ...row,
      input: input === undefined ? null : inputOf(row, input),
      tof_range: Array.isArray(range) ? (range as [number, number]) : null,
      grids: this.gridsOf(row)
    }
  }

  gridsOf(row: HistogramRow): GridRow[] {
    const input = this.#known.get(row.key)
    return this.#gridsOf(row, input).map((grid) => {
      const { id, name, size, first, places } = grid
      return { id, name, size, first: places === null ? first : null, isWhole: isWhole(grid, row, input) }
    })
  }

  /** Of `GRID:VIEW`; undefined where it does not belong to the histogram. */
  layoutOf(row: HistogramRow, name: string): GridLayout | undefined {
    const [id, view] = name.split(':')
    const input = this.#known.get(row.key)
    const grid = this.#gridsOf(row, input).find((one) => String(one.id) === id)
    if (grid === undefined || !isView(view)) return undefined
    return { grid, view, first: firstOf(grid, input), isTurned: isTurned(grid, row, input) }
  }

  #gridsOf(row: HistogramRow, input: Input | undefined): Grid[] {
    return this.detectors
      .filter((detector) => belongs(detector, row, input) && fits(detector.grid, row, input))
      .map(({ grid }) => grid)
  }
}

function inputOf({ shape }: HistogramRow, input: Input): HistogramInput | null {
  const { kind, data_topic: topic, source, first_pixel: first, order, start_ms: start } = input
  const [rows, columns, ...more] = shape
  if (kind !== 'image' || typeof topic !== 'string' || typeof first !== 'number') return null
  // With periods it is more than one image
  if (rows === undefined || columns === undefined || more.length > 0) return null
  const [width, height] = order === 'xy' ? [rows, columns] : [columns, rows]
  return {
    ...{ data_topic: topic, source: typeof source === 'string' ? source : '', first_pixel: first, width, height },
    ...{
      job_id: String(input.job_id),
      order: order === 'xy' ? 'xy' : 'yx',
      start_ms: typeof start === 'number' ? start : null
    }
  }
}

const views: readonly GridView[] = ['xy', 'xz', 'yz']
const isView = (name: string | undefined): name is GridView => views.some((view) => view === name)

function belongs({ topic, sources, histogram }: DetectorGrid, row: HistogramRow, input: Input | undefined): boolean {
  const isOf = (name: string): boolean => name === row.id || name === row.source
  if (histogram !== undefined) return isOf(histogram)
  if (input === undefined) return sources.some(isOf) || (sources.length === 0 && row.topic === topic)
  const { data_topic: events, source } = input
  // One that names no events is found by the numbers of its pixels
  if (topic === undefined) return input.kind === 'image'
  if (events !== topic) return false
  return sources.length === 0 || source === '' || sources.some((name) => name === source)
}

const firstOf = ({ first }: Grid, input: Input | undefined): number =>
  typeof input?.first_pixel === 'number' ? input.first_pixel : first

const cellsOf = ({ shape }: HistogramRow): number => shape.reduce((product, n) => product * n, 1)
const pixelsOf = ({ size: [x, y, z] }: Grid): number => x * y * z
const spanOf = (grid: Grid): number => grid.places?.length ?? pixelsOf(grid)

/** Axes of time and regions are no pixels. A histogram that does not say its pixels has as many as the grid. */
function fits(grid: Grid, row: HistogramRow, input: Input | undefined): boolean {
  const { shape, axes } = row
  if (shape.length === 0 || shape.length > 2) return false
  if (axes.some(({ unit, label }) => /^(ns|us|µs|ms|s)$/.test(unit) || /tof|time|region|period/i.test(label)))
    return false
  if (input?.kind !== undefined && input.kind !== 'image' && input.kind !== 'copy') return false
  if (shape.length === 1 && /pixel|detector|spectrum/i.test(axes[0]?.label ?? '')) return true
  if (input?.kind !== 'image') return cellsOf(row) === pixelsOf(grid) && spanOf(grid) === pixelsOf(grid)
  // A bank may be a part of what is counted, and an image may begin at pixel 0
  const first = firstOf(grid, input)
  const common = Math.min(first + cellsOf(row), grid.first + spanOf(grid)) - Math.max(first, grid.first)
  return 2 * common >= spanOf(grid)
}

function isWhole(grid: Grid, row: HistogramRow, input: Input | undefined): boolean {
  if (spanOf(grid) !== pixelsOf(grid)) return false
  const first = firstOf(grid, input)
  return first >= grid.first && first + cellsOf(row) <= grid.first + spanOf(grid)
}

/** Of an image that says nothing, by its shape; just-bin-it sends x × y. */
function isTurned({ size }: Grid, { shape, axes, source }: HistogramRow, input: Input | undefined): boolean {
  if (input?.order !== undefined) return input.order === 'xy'
  const label = axes[0]?.label ?? ''
  if (label !== '') return label === 'x'
  const [width, height] = size
  if (source === 'just-bin-it') return true
  return width !== height && shape[0] === width && shape[1] === height
}
