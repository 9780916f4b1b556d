// Which histograms belong to which detectors: by what jobs of this daemon count, or by what the messages of others say.
import { type JobInfo } from '../../core/api/plugin.js'
import { type DetectorGrid } from './detectors.js'
import { type GridLayout } from './thread/protocol.js'
import { type Grid, type GridView, type HistogramRow } from './wire.js'

/** What a job of this daemon says of a histogram. */
interface Input {
  readonly kind?: unknown
  readonly data_topic?: unknown
  readonly source?: unknown
  readonly first_pixel?: unknown
  readonly order?: unknown
}

/** Jobs come and go; the oldest are forgotten. */
const MOST_KNOWN = 1000

export class Layouts {
  readonly #known = new Map<string, Input>()

  constructor(readonly detectors: readonly DetectorGrid[]) {}

  /** True when it knows more than before. */
  learn(jobs: readonly JobInfo[]): boolean {
    let isNew = false
    for (const job of this.detectors.length === 0 ? [] : jobs) {
      if (job['service'] !== 'histogram') continue
      for (const one of (job['histograms'] ?? []) as readonly (Input & { id?: unknown; topic?: unknown })[]) {
        const key = `${String(one.topic)}:${String(one.id)}`
        const { kind, data_topic, source, first_pixel, order } = one
        const input = { kind, data_topic, source, first_pixel, order }
        if (JSON.stringify(this.#known.get(key)) === JSON.stringify(input)) continue
        this.#known.set(key, input)
        if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value ?? '')
        isNew = true
      }
    }
    return isNew
  }

  gridsOf(row: HistogramRow): Grid[] {
    const input = this.#known.get(row.key)
    return this.detectors
      .filter((detector) => belongs(detector, row, input) && fits(detector.grid, row, input))
      .map(({ grid }) => grid)
  }

  /** Of `GRID:VIEW`; undefined where it does not belong to the histogram. */
  layoutOf(row: HistogramRow, name: string): GridLayout | undefined {
    const [id, view] = name.split(':')
    const grid = this.gridsOf(row).find((one) => String(one.id) === id)
    if (grid === undefined || !isView(view)) return undefined
    const input = this.#known.get(row.key)
    return { grid, view, first: firstOf(grid, input), isTurned: isTurned(grid, row, input) }
  }
}

const views: readonly GridView[] = ['xy', 'xz', 'yz']
const isView = (name: string | undefined): name is GridView => views.some((view) => view === name)

function belongs({ topic, sources, histogram }: DetectorGrid, row: HistogramRow, input: Input | undefined): boolean {
  const isOf = (name: string): boolean => name === row.id || name === row.source
  if (histogram !== undefined) return isOf(histogram)
  if (input === undefined) return sources.some(isOf) || (sources.length === 0 && row.topic === topic)
  const { data_topic: events, source } = input
  if (events !== topic) return false
  return sources.length === 0 || source === '' || sources.some((name) => name === source)
}

const firstOf = ({ offset }: Grid, input: Input | undefined): number =>
  typeof input?.first_pixel === 'number' ? input.first_pixel : offset + 1

/** Axes of time and regions are no pixels. A histogram that does not say its pixels has as many as the grid. */
function fits({ size, offset }: Grid, { shape, axes }: HistogramRow, input: Input | undefined): boolean {
  if (shape.length === 0 || shape.length > 2) return false
  if (axes.some(({ unit, label }) => /^(ns|us|µs|ms|s)$/.test(unit) || /tof|time|region|period/i.test(label)))
    return false
  if (input?.kind !== undefined && input.kind !== 'image' && input.kind !== 'copy') return false
  if (shape.length === 1 && /pixel|detector|spectrum/i.test(axes[0]?.label ?? '')) return true
  const cells = shape.reduce((product, n) => product * n, 1)
  const pixels = size[0] * size[1] * size[2]
  if (input?.kind !== 'image') return cells === pixels
  // A bank may be a part of what is counted, and an image may begin at pixel 0
  const first = firstOf({ size, offset, id: 0, name: '' }, input)
  const common = Math.min(first + cells, offset + 1 + pixels) - Math.max(first, offset + 1)
  return 2 * common >= pixels
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
