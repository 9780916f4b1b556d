// Curves along an axis: spectra of histograms, times of flight also as wavelengths and energies.
import { type Flight, flightUnits, fromTime, toTime } from '../flight.js'
import { type HistogramRow } from '../wire.js'
import { type TimeRange } from './ask.js'
import { Chart } from './chart.js'
import { whole, words } from './format.js'
import { type HistogramNumbers, useNumbers } from './histogram-data.js'
import { html, type Markup } from './html.js'

/** Middles of the cells of an axis, in ms where they are ns. */
function axisOf({ head }: HistogramNumbers, i: number): { x: number[]; label: string } {
  const { label = '', unit = '' } = head.axes[i] ?? {}
  const n = head.shape[i] ?? 0
  const edges = head.edges[i]
  const isNs = unit === 'ns'
  const x = Array.from({ length: n }, (_, k) => {
    const middle = edges === null || edges === undefined ? k : edges.length > n ? ((edges[k] ?? 0) + (edges[k + 1] ?? 0)) / 2 : (edges[k] ?? k) // prettier-ignore
    return isNs ? middle / 1e6 : middle
  })
  return { x, label: `${words(label)}${unit === '' ? '' : ` (${isNs ? 'ms' : unit})`}` }
}

/** The axis as wavelengths or energies, rising; which bin each is. */
function flown(times: readonly number[], flight: Flight): { places: number[]; x: number[]; label: string } {
  const all = times.map((ms, i) => [fromTime(ms, flight), i] as const).filter(([value]) => Number.isFinite(value))
  if (flight.scale === 'energy') all.reverse()
  return {
    places: all.map(([, i]) => i),
    x: all.map(([value]) => value),
    label: `${flight.scale} (${flightUnits[flight.scale]})`
  }
}

/** Ms, to the microsecond. */
function timesOf({ from, to }: TimeRange, flight: Flight): TimeRange {
  const [a, b] = [from, to].map((value) => Math.round(toTime(value, flight) * 1000) / 1000) as [number, number]
  return { from: Math.min(a, b), to: Math.max(a, b) }
}

interface SpectrumProps {
  readonly row: HistogramRow
  readonly log: boolean
  readonly flight: Flight
  /** Hears of the times that are zoomed into. */
  readonly onWindow: (window: TimeRange | undefined) => void
}

export function Spectrum({ row, log, flight, onWindow }: SpectrumProps): Markup {
  const numbers = useNumbers(row)
  if (numbers === undefined) return html`<section class="card"><h3>${row.id}</h3></section>`
  const isTable = row.shape.length === 2
  const axis = isTable ? 1 : 0
  const { x: times, label: timeLabel } = axisOf(numbers, axis)
  const isTime = row.axes[axis]?.unit === 'ns'
  const { places, x, label } = isTime && flight.scale !== 'time' ? flown(times, flight) : { places: times.map((_, i) => i), x: times, label: timeLabel } // prettier-ignore
  const zoomed = (range: TimeRange | undefined): void =>
    onWindow(range === undefined ? undefined : timesOf(range, flight))
  const curves = Array.from({ length: isTable ? (row.shape[0] ?? 0) : 1 }, (_, k) => ({
    label: isTable ? `region ${k + 1}` : 'counts',
    values: places.map((i) => numbers.values[k * times.length + i] ?? 0)
  }))
  return html`<section class="card" data-spectrum=${row.id}>
    <header>
      <h3>${row.id}</h3>
      <span class="muted">${whole(row.sum ?? 0)} counts</span>
    </header>
    <${Chart}
      x=${x}
      curves=${curves}
      xLabel=${label || 'bin'}
      yLabel="counts"
      log=${log}
      onRange=${isTime ? zoomed : undefined}
      xLog=${isTime && flight.scale === 'energy'}
    />
  </section>`
}
