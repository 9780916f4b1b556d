// Curves: uPlot for those one reads, plain SVG for small ones.
import { useEffect, useRef } from 'preact/hooks'
import UPlot from 'uplot'
import { clock, scaled, whole } from './format.js'
import { html, type Markup } from './html.js'

export interface Curve {
  readonly label: string
  readonly values: readonly number[]
}
interface ChartProps {
  readonly x: readonly number[]
  readonly curves: readonly Curve[]
  readonly xLabel: string
  readonly yLabel: string
  /** X is a time in seconds since 1970. */
  readonly time?: boolean
  readonly log?: boolean
  /** The same of x, all of which is above 0. */
  readonly xLog?: boolean
  readonly height?: number
  /** Hears which x one has zoomed into; undefined: all are shown. */
  readonly onRange?: ((range: { readonly from: number; readonly to: number } | undefined) => void) | undefined
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const LARGE = 100_000
const palette = ['--accent', '--warn', '--good', '--bad', '--muted']

/** Large ones short, others with as many digits as tell them apart. Null: on a logarithmic axis, without room. */
function tickTexts(ticks: readonly (number | null)[], step: number): string[] {
  const isLarge = ticks.some((tick) => Math.abs(tick ?? 0) >= LARGE)
  const digits = Math.max(0, Math.min(9, -Math.floor(Math.log10(step || 1))))
  return ticks.map((tick) => {
    if (tick === null) return ''
    if (isLarge) return scaled(tick)
    return digits === 0 ? whole(tick) : tick.toFixed(digits)
  })
}

/** Time of day; seconds where they tell ticks apart. */
const timeText = (tick: number, step: number): string => clock(tick * 1000).slice(0, step < 60 ? 8 : 5)

const thousandths = (n: number): number => Math.round(n * 1000) / 1000

/** What is shown of x; undefined: all of it. */
function zoomOf({ scales, data: [x] }: UPlot): { readonly from: number; readonly to: number } | undefined {
  const { min, max } = scales['x'] ?? {}
  const [first, last] = [x[0] ?? 0, x.at(-1) ?? 0]
  return min === undefined || max === undefined || (min <= first && max >= last)
    ? undefined
    : { from: thousandths(min), to: thousandths(max) }
}

function make(
  element: HTMLElement,
  { x, curves, xLabel, yLabel, time = false, log = false, xLog = false, height = 240, onRange }: ChartProps
): UPlot {
  const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line'), width: 1 } } // prettier-ignore
  let told = ''
  const tell = (plot: UPlot, key: string): void => {
    const range = key === 'x' ? zoomOf(plot) : undefined
    const text = range === undefined ? '' : `${range.from} ${range.to}`
    if (key !== 'x' || text === told) return
    told = text
    onRange?.(range)
  }
  const options: UPlot.Options = {
    hooks: { setScale: [tell] },
    width: Math.max(200, element.clientWidth),
    height,
    scales: { x: { time, distr: xLog ? 3 : 1 }, y: { distr: log ? 3 : 1 } },
    axes: [
      {
        ...axis,
        ...(xLabel !== '' && { label: xLabel, labelSize: 18 }),
        size: 34,
        ...(time && { values: (_, ticks, _axis, _space, step) => ticks.map((tick) => timeText(tick, step)), space: 70 })
      },
      {
        ...axis,
        label: yLabel,
        labelSize: 18,
        size: 62,
        values: (_, ticks, _axis, _space, step) => tickTexts(ticks, step)
      }
    ],
    series: [
      { label: xLabel || 'time', ...(time && { value: (_, at) => (at === null ? '--' : clock(at * 1000)) }) },
      ...curves.map(({ label }, i) => ({ label, stroke: colour(palette[i % palette.length] ?? ''), width: 1.5, points: { show: false } })) // prettier-ignore
    ]
  }
  // What is not above 0 has no place on a logarithmic axis
  const data = curves.map(({ values }) => values.map((value) => (log && value <= 0 ? null : value)))
  return new UPlot(options, [[...x], ...data] as UPlot.AlignedData, element)
}

export function Chart(props: ChartProps): Markup {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | undefined>(undefined)
  const { x, curves, log = false } = props
  const shape = `${curves.map(({ label }) => label).join()} ${log} ${props.xLabel} ${props.yLabel}`
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const draw = (): void => {
      plot.current?.destroy()
      plot.current = make(element, props)
    }
    draw()
    const size = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(200, element.clientWidth), height: props.height ?? 240 })) // prettier-ignore
    size.observe(element)
    addEventListener('themechange', draw)
    return () => {
      size.disconnect()
      removeEventListener('themechange', draw)
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [shape])
  useEffect(() => {
    const data = curves.map(({ values }) => values.map((value) => (log && value <= 0 ? null : value)))
    // New data leave what one has zoomed into
    const zoom = plot.current === undefined ? undefined : zoomOf(plot.current)
    plot.current?.setData([[...x], ...data] as UPlot.AlignedData, zoom === undefined)
    if (zoom !== undefined) plot.current?.setScale('x', { min: zoom.from, max: zoom.to })
  }, [x, curves])
  return html`<div class="chart" ref=${place}></div>`
}

/** The last values as a small line. */
export function Sparkline({ history }: { history: readonly (readonly [number, number])[] }): Markup {
  if (history.length < 2) return html`<span class="muted">–</span>`
  const values = history.map(([, value]) => value)
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const [from = 0, to = 1] = [history[0]?.[0], history.at(-1)?.[0]]
  const points = history.map(([at, value]) => {
    const x = (100 * (at - from)) / Math.max(1, to - from)
    return `${x.toFixed(1)},${(20 - (18 * (value - low)) / (high - low || 1) - 1).toFixed(1)}`
  })
  return html`<svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
    <polyline points=${points.join(' ')} />
  </svg>`
}
