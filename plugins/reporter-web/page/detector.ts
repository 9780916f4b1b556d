// Detector: an image, regions of it, spectra and the rate, as they grow.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { type Flight } from '../flight.js'
import { type HistogramRow } from '../wire.js'
import { Ask, isOver, type TimeRange } from './ask.js'
import { Canvas, type ImageLook } from './canvas.js'
import { Chart } from './chart.js'
import { Controls } from './detector-controls.js'
import { whole } from './format.js'
import { type HistogramNumbers, useHistograms, useNumbers } from './histogram-data.js'
import { html, type Markup } from './html.js'
import { type ImageCells, projection, turned } from './image.js'
import { gridOf, inputOf, isImage, layoutOf, shapeOf } from './layout.js'
import { Empty } from './parts.js'
import { Regions } from './region-list.js'
import { type Corner, MOST_REGIONS, type ImageRegion } from './regions.js'
import { Spectrum } from './spectrum.js'

/** ImageCells along the longer side that a browser is sent. */
const MOST_CELLS = 1024

const cellsOf = ({ head, values }: HistogramNumbers): ImageCells => ({
  width: head.shape[1] ?? 1,
  height: head.shape[0] ?? 1,
  values
})

interface PictureProps {
  readonly row: HistogramRow
  readonly look: ImageLook
  readonly layout: string
  /** Of spectra, in ms. */
  readonly span: TimeRange
  readonly window: TimeRange | undefined
  readonly onWindow: (window: TimeRange | undefined) => void
  readonly onImage: (key: string) => void
}

function Picture({ row, look, layout, ...asked }: PictureProps): Markup {
  const shape = shapeOf(row, layout)
  const bin = Math.ceil(Math.max(...shape) / MOST_CELLS)
  const numbers = useNumbers(row, bin, layout)
  const [{ regions, chosen }, setRegions] = useState<{ readonly regions: readonly ImageRegion[]; readonly chosen: number }>({ regions: [], chosen: -1 }) // prettier-ignore
  const [corners, setCorners] = useState<readonly Corner[] | undefined>(undefined)
  const cells = useMemo(() => {
    const all = numbers === undefined ? undefined : cellsOf(numbers)
    return all !== undefined && look.isTurned ? turned(all) : all
  }, [numbers, look.isTurned])
  if (numbers === undefined || cells === undefined) return html`<section class="card">The image comes …</section>`
  const onRegions = (next: readonly ImageRegion[], at: number): void => setRegions({ regions: next, chosen: at })
  const onRectangle = (region: ImageRegion): void => {
    if (regions[chosen]?.kind === 'rectangle') onRegions(regions.with(chosen, region), chosen)
    else if (regions.length < MOST_REGIONS) onRegions([...regions, region], regions.length)
  }
  const onClosed = (): void => {
    if (corners !== undefined) onRegions([...regions, { kind: 'polygon', corners }], regions.length)
    setCorners(undefined)
  }
  const [grid, input] = [gridOf(row, layout), inputOf(row, layout)]
  const axes = grid === undefined ? ['x', 'y'] : [...layout.slice(-2)]
  const [x, y] = grid !== undefined && look.isTurned ? axes.toReversed() : axes
  const along = (axis: 'x' | 'y'): Markup =>
    html`<${Sum} axis=${axis} names=${[x, y]} values=${projection(cells, axis)} bin=${bin} log=${look.log} />`
  return html`<div class="detector">
    <div>
      <section class="card">
        <header>
          <h3>${grid === undefined ? row.id : `${grid.name}, ${x}–${y}`}</h3>
          <span class="muted"
            >${shape[1]} × ${shape[0]} pixels${bin > 1 ? `, ${bin} × ${bin} in one` : ''},
            ${` at most ${whole(numbers.head.max)}`}</span
          >
        </header>
        <${Canvas} ...${{ cells, look, regions, chosen, corners, onRectangle, onClosed }} onCorners=${setCorners} />
      </section>
      ${along('x')}
    </div>
    <div>
      <${Regions}
        ...${{ cells, bin, regions, chosen, corners, onRegions, onClosed }}
        names=${[x, y]}
        onCorners=${setCorners}
      />
      ${input !== null && html`<${Ask} ...${{ row, input, bin, regions, ...asked }} isFlipped=${look.isTurned !== (input.order === 'xy')} />`}
      ${along('y')}
    </div>
  </div>`
}

interface SumProps {
  readonly axis: 'x' | 'y'
  /** Of x and y. */
  readonly names: readonly [string, string]
  readonly values: readonly number[]
  readonly bin: number
  readonly log: boolean
}

const Sum = ({ axis, names: [x, y], values, bin, log }: SumProps): Markup =>
  html`<section class="card">
    <h3>Sum along ${axis === 'x' ? y : x}</h3>
    <${Chart}
      x=${values.map((_, i) => i * bin)}
      curves=${[{ label: 'counts', values }]}
      xLabel=${`${axis === 'x' ? x : y} (pixel)`}
      yLabel="counts"
      log=${log}
      height=${170}
    />
  </section>`

/** Rates of the last minutes, as the messages told them. */
function useRates(row: HistogramRow | undefined): readonly (readonly [number, number])[] {
  const [rates, setRates] = useState<readonly (readonly [number, number])[]>([])
  useEffect(() => {
    if (row?.rate !== null && row !== undefined)
      setRates((old) => [...old.slice(-600), [row.time_ms / 1000, Number((row.rate ?? 0).toPrecision(4))]])
  }, [row?.version])
  useEffect(() => setRates([]), [row?.key])
  return rates
}

/** Ms of the spectra that there are, or of the slowest sources. */
function spanOf(rows: readonly HistogramRow[]): TimeRange {
  const range = rows.find((row) => row.tof_range !== null && !isImage(row))?.tof_range
  return range === null || range === undefined ? { from: 0, to: 100 } : { from: range[0] / 1e6, to: range[1] / 1e6 }
}

const nothing = html`<${Empty} title="No histogram has come yet">
  <p>
    Start one (or name topics with hs00, hs01 or da00 in <code>reporters.web.histogram_topics</code>), for a detector of
    256 × 256 pixels:
  </p>
  <pre>
nexstream start histogram 'histograms=[{"id": "detector", "kind": "image", "data_topic": "EVENTS", "topic": "HISTOGRAMS", "width": 256, "height": 256}]'</pre>
  <p>The service <code>[services.histogram]</code> must be in the config.</p>
<//>`

export function Detector(): Markup {
  const rows = useHistograms()?.filter((row) => !isOver(row))
  const [key, setKey] = useState('')
  const [wanted, setWanted] = useState<string | undefined>(undefined)
  const [look, setLook] = useState<ImageLook>({
    log: false,
    gradient: 'viridis',
    isTurned: false,
    low: undefined,
    high: undefined
  })
  const [flight, setFlight] = useState<Flight>({ scale: 'time', metres: 30, offsetMs: 0 })
  const [window, setWindow] = useState<TimeRange | undefined>(undefined)
  const choose = (other: string): void => {
    setKey(other)
    setWanted(undefined)
  }
  const images = (rows ?? []).filter(isImage)
  const chosen = images.find((row) => row.key === key) ?? images[0]
  const first = chosen ?? rows?.[0]
  const layout = chosen === undefined ? '' : layoutOf(chosen, wanted)
  const rates = useRates(first)
  if (rows === undefined || first === undefined) return nothing
  const curves = rows.filter((row) => !isImage(row) && row.shape.length <= 2)
  const rate = [{ label: 'events/s', values: rates.map(([, events]) => events) }]
  return html`
    <${Controls}
      ...${{ images, chosen, first, look, layout, flight }}
      onKey=${choose}
      onLayout=${setWanted}
      onLook=${setLook}
      onFlight=${setFlight}
    />
    ${
      chosen !== undefined &&
      html`<${Picture}
        ...${{ row: chosen, look, layout, span: spanOf(rows), window }}
        onWindow=${setWindow}
        onImage=${choose}
        key=${`${layout} ${look.isTurned} ${chosen.key}`}
      />`
    }
    <div class="funnels charts">
      ${curves.map((row) => html`<${Spectrum} row=${row} log=${look.log} flight=${flight} onWindow=${setWindow} key=${row.key} />`)}
      ${
        rates.length > 1 &&
        html`<section class="card">
          <h3>Rate of ${first.id}</h3>
          <${Chart} x=${rates.map(([at]) => at)} curves=${rate} xLabel="" yLabel="events/s" time=${true} />
        </section>`
      }
    </div>
  `
}
