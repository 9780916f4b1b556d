// Detector: an image, regions of it, spectra and the rate, as they grow.
import { useEffect, useRef, useState } from 'preact/hooks'
import { type HistogramRow } from '../wire.js'
import { Chart } from './chart.js'
import { age, scaled, whole, words } from './format.js'
import { type HistogramNumbers, useHistograms, useNumbers } from './histogram-data.js'
import { html, type Markup } from './html.js'
import { type ImageCells, clamped, gradients, paint, projection, type Rectangle, sumOf, turned } from './image.js'
import { Empty, Pill } from './parts.js'
import { now, useStore } from './store.js'

/** ImageCells along the longer side that a browser is sent. */
const MOST_CELLS = 1024

interface Look {
  readonly log: boolean
  readonly gradient: string
  readonly isTurned: boolean
}

const cellsOf = ({ head, values }: HistogramNumbers): ImageCells => ({
  width: head.shape[1] ?? 1,
  height: head.shape[0] ?? 1,
  values
})

function Canvas({
  cells,
  look,
  area,
  onArea
}: {
  cells: ImageCells
  look: Look
  area: Rectangle | undefined
  onArea: (area: Rectangle) => void
}): Markup {
  // prettier-ignore
  const canvas = useRef<HTMLCanvasElement>(null)
  const [from, setFrom] = useState<readonly [number, number] | undefined>(undefined)
  useEffect(() => {
    let max = 0
    for (let i = 0; i < cells.values.length; i++) max = Math.max(max, cells.values[i] ?? 0)
    if (canvas.current !== null) paint(canvas.current, cells, { ...look, max })
  }, [cells, look])
  const at = (event: PointerEvent): readonly [number, number] => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect()
    const x = ((event.clientX - box.left) / box.width) * cells.width
    return [Math.floor(x), Math.floor((1 - (event.clientY - box.top) / box.height) * cells.height)]
  }
  const move = (event: PointerEvent): void => {
    if (from === undefined) return
    const [x, y] = at(event)
    const [left, bottom] = [Math.min(x, from[0]), Math.min(y, from[1])]
    onArea(clamped({ x: left, y: bottom, width: Math.abs(x - from[0]) + 1, height: Math.abs(y - from[1]) + 1 }, cells))
  }
  const percent = (n: number, of: number): string => `${(100 * n) / of}%`
  return html`<div
    class="image"
    style=${{ aspectRatio: `${cells.width} / ${cells.height}` }}
    onPointerDown=${(event: PointerEvent) => setFrom(at(event))}
    onPointerMove=${move}
    onPointerUp=${() => setFrom(undefined)}
    onPointerLeave=${() => setFrom(undefined)}
  >
    <canvas ref=${canvas} role="img" aria-label="detector image"></canvas>
    ${
      area !== undefined &&
      html`<i
        class="area"
        style=${{ left: percent(area.x, cells.width), bottom: percent(area.y, cells.height), width: percent(area.width, cells.width), height: percent(area.height, cells.height) }}
      ></i>`
    }
  </div>`
}

const sides = ['x', 'y', 'width', 'height'] as const

function Area({
  cells,
  area,
  bin,
  onArea
}: {
  cells: ImageCells
  area: Rectangle | undefined
  bin: number
  onArea: (area: Rectangle | undefined) => void
}): Markup {
  // prettier-ignore
  const shown = area ?? { x: 0, y: 0, width: cells.width, height: cells.height }
  const set = (side: (typeof sides)[number]) => (event: Event) =>
    onArea(clamped({ ...shown, [side]: Number((event.target as HTMLInputElement).value) }, cells))
  const sum = sumOf(cells, shown)
  return html`<section class="card">
    <h3>Region</h3>
    <p class="muted">
      Drag over the image, or type; the rest follows.${bin > 1 && ` In cells of ${bin} × ${bin} pixels.`}
    </p>
    <div class="row">
      ${sides.map((side) => html`<label>${side} <input type="number" min="0" name=${`roi-${side}`} value=${shown[side]} onInput=${set(side)} /></label>`)}
    </div>
    <dl class="figures">
      <div>
        <dt>counts within</dt>
        <dd data-roi-sum=${sum}>${whole(sum)}</dd>
      </div>
      <div>
        <dt>of all</dt>
        <dd>
          ${((100 * sum) / Math.max(1, sumOf(cells, { x: 0, y: 0, width: cells.width, height: cells.height }))).toFixed(2)}
          %
        </dd>
      </div>
    </dl>
    ${area !== undefined && html`<button onClick=${() => onArea(undefined)}>Whole image</button>`}
  </section>`
}

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

function Spectrum({ row, log }: { row: HistogramRow; log: boolean }): Markup {
  const numbers = useNumbers(row)
  if (numbers === undefined) return html`<section class="card"><h3>${row.id}</h3></section>`
  const isTable = row.shape.length === 2
  const { x, label } = axisOf(numbers, isTable ? 1 : 0)
  const curves = Array.from({ length: isTable ? (row.shape[0] ?? 0) : 1 }, (_, k) => ({
    label: isTable ? `region ${k + 1}` : 'counts',
    values: [...numbers.values.slice(k * x.length, (k + 1) * x.length)]
  }))
  return html`<section class="card" data-spectrum=${row.id}>
    <header>
      <h3>${row.id}</h3>
      <span class="muted">${whole(row.sum ?? 0)} counts</span>
    </header>
    <${Chart} x=${x} curves=${curves} xLabel=${label || 'bin'} yLabel="counts" log=${log} />
  </section>`
}

function Picture({ row, look }: { row: HistogramRow; look: Look }): Markup {
  const bin = Math.ceil(Math.max(...row.shape) / MOST_CELLS)
  const numbers = useNumbers(row, bin)
  const [area, setArea] = useState<Rectangle | undefined>(undefined)
  if (numbers === undefined) return html`<section class="card">The image comes …</section>`
  const cells = look.isTurned ? turned(cellsOf(numbers)) : cellsOf(numbers)
  const along = (axis: 'x' | 'y'): Markup => {
    const values = projection(cells, axis)
    return html`<section class="card">
      <h3>Sum along ${axis === 'x' ? 'y' : 'x'}</h3>
      <${Chart}
        x=${values.map((_, i) => i * bin)}
        curves=${[{ label: 'counts', values }]}
        xLabel=${`${axis} (pixel)`}
        yLabel="counts"
        log=${look.log}
        height=${170}
      />
    </section>`
  }
  return html`<div class="detector">
    <section class="card">
      <header>
        <h3>${row.id}</h3>
        <span class="muted"
          >${row.shape[1]} × ${row.shape[0]} pixels${bin > 1 ? `, ${bin} × ${bin} in one` : ''},
          ${` at most ${whole(numbers.head.max)}`}</span
        >
      </header>
      <${Canvas} cells=${cells} look=${look} area=${area} onArea=${setArea} />
    </section>
    <div><${Area} cells=${cells} area=${area} bin=${bin} onArea=${setArea} />${along('x')}${along('y')}</div>
  </div>`
}

/** Rates of the last minutes, as the messages told them. */
function useRates(row: HistogramRow | undefined): readonly (readonly [number, number])[] {
  const [rates, setRates] = useState<readonly (readonly [number, number])[]>([])
  useEffect(() => {
    if (row?.rate !== null && row !== undefined)
      setRates((old) => [...old.slice(-600), [row.time_ms / 1000, row.rate ?? 0]])
  }, [row?.version])
  useEffect(() => setRates([]), [row?.key])
  return rates
}

/** An image has pixels along both axes; regions × time are curves. */
const isImage = ({ shape, axes }: HistogramRow): boolean =>
  shape.length === 2 &&
  (shape[0] ?? 0) > 1 &&
  !axes.some(({ unit, label }) => unit === 'ns' || /tof|time|region/i.test(label))

interface ControlsProps {
  readonly images: readonly HistogramRow[]
  readonly chosen: HistogramRow | undefined
  readonly first: HistogramRow
  readonly look: Look
  readonly onKey: (key: string) => void
  readonly onLook: (look: Look) => void
}

function Controls({ images, chosen, first, look, onKey, onLook }: ControlsProps): Markup {
  const nowMs = useStore(now)
  const value = (event: Event): string => (event.target as HTMLSelectElement).value
  const checked = (event: Event): boolean => (event.target as HTMLInputElement).checked
  const choice = (row: HistogramRow): Markup => html`<option value=${row.key}>${row.id}</option>`
  return html`<section class="card row controls">
    ${
      images.length > 1 &&
      html`<label
        >image
        <select value=${chosen?.key} onChange=${(event: Event) => onKey(value(event))}>
          ${images.map(choice)}
        </select></label
      >`
    }
    <label
      >colours
      <select value=${look.gradient} onChange=${(event: Event) => onLook({ ...look, gradient: value(event) })}>
        ${gradients.map((name) => html`<option>${name}</option>`)}
      </select></label
    >
    <label
      ><input
        type="checkbox"
        checked=${look.log}
        onChange=${(event: Event) => onLook({ ...look, log: checked(event) })}
      />
      logarithmic</label
    >
    <label
      ><input
        type="checkbox"
        checked=${look.isTurned}
        onChange=${(event: Event) => onLook({ ...look, isTurned: checked(event) })}
      />
      swap x and y</label
    >
    <span class="grow"></span>
    <${Pill} level=${first.state === 'COUNTING' ? 'good' : 'idle'}
      >${first.state === '' ? first.schema : first.state.toLowerCase()}<//
    >
    <b>${first.rate === null ? '' : `${scaled(first.rate)} events/s`}</b>
    <span class="muted">last message ${age(first.time_ms, nowMs)} ago</span>
  </section>`
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
  const rows = useHistograms()
  const [key, setKey] = useState('')
  const [look, setLook] = useState<Look>({ log: false, gradient: 'viridis', isTurned: false })
  const images = (rows ?? []).filter(isImage)
  const chosen = images.find((row) => row.key === key) ?? images[0]
  const first = chosen ?? rows?.[0]
  const rates = useRates(first)
  if (rows === undefined || first === undefined) return nothing
  const curves = rows.filter((row) => !isImage(row) && row.shape.length <= 2)
  const rate = [{ label: 'events/s', values: rates.map(([, events]) => events) }]
  return html`
    <${Controls} images=${images} chosen=${chosen} first=${first} look=${look} onKey=${setKey} onLook=${setLook} />
    ${chosen !== undefined && html`<${Picture} row=${chosen} look=${look} key=${chosen.key} />`}
    <div class="funnels charts">
      ${curves.map((row) => html`<${Spectrum} row=${row} log=${look.log} key=${row.key} />`)}
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
