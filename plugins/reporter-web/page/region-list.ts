// The regions of an image: what lies within each, and fields for those who do not draw.
import { useState } from 'preact/hooks'
import { whole } from './format.js'
import { html, type Markup } from './html.js'
import { clamped, type ImageCells, sumOf } from './image.js'
import { type Corner, countsIn, MOST_REGIONS, readCorners, type ImageRegion, textOf } from './regions.js'

const sides = ['x', 'y', 'width', 'height'] as const

interface RegionProps {
  readonly cells: ImageCells
  readonly bin: number
  /** Of the axes to the right and up. */
  readonly names: readonly string[]
  readonly regions: readonly ImageRegion[]
  readonly chosen: number
  readonly corners: readonly Corner[] | undefined
  readonly onRegions: (regions: readonly ImageRegion[], chosen: number) => void
  readonly onCorners: (corners: readonly Corner[] | undefined) => void
  readonly onClosed: () => void
}

const middleOf = ({ width, height }: ImageCells): ImageRegion => {
  const [x, y] = [Math.floor(width / 4), Math.floor(height / 4)]
  return {
    kind: 'rectangle',
    area: clamped({ x, y, width: width - 2 * x, height: height - 2 * y }, { width, height })
  }
}
const wholeOf = ({ width, height }: ImageCells): ImageRegion => ({
  kind: 'rectangle',
  area: { x: 0, y: 0, width, height }
})

export function Regions(props: RegionProps): Markup {
  const { cells, bin, regions, chosen, corners, onRegions, onCorners, onClosed } = props
  const all = sumOf(cells, { x: 0, y: 0, width: cells.width, height: cells.height })
  const shown = regions[chosen] ?? wholeOf(cells)
  const sum = countsIn(cells, shown)
  const change = (region: ImageRegion): void =>
    chosen < 0 ? onRegions([...regions, region], regions.length) : onRegions(regions.with(chosen, region), chosen)
  const isFull = regions.length >= MOST_REGIONS
  return html`<section class="card">
    <header>
      <h3>Regions</h3>
      <button disabled=${isFull} onClick=${() => onRegions([...regions, middleOf(cells)], regions.length)}>
        + Rectangle
      </button>
      <button disabled=${isFull || corners !== undefined} onClick=${() => onCorners([])}>+ Polygon</button>
    </header>
    <p class="muted">
      ${
        corners === undefined
          ? 'Drag over the image, or type; the rest follows.'
          : 'Click the corners; the first one again closes it.'
      }
      ${bin > 1 && ` In cells of ${bin} × ${bin} pixels.`}
    </p>
    ${
      corners !== undefined &&
      html`<div class="row">
        <button disabled=${corners.length < 3} onClick=${onClosed}>Close it</button>
        <button onClick=${() => onCorners(undefined)}>Leave it</button>
      </div>`
    }
    <${shown.kind === 'rectangle' ? RectangleFields : PolygonField}
      ...${props}
      region=${shown}
      key=${shown.kind === 'polygon' ? chosen : 'rectangle'}
      onRegion=${change}
    />
    <dl class="figures">
      <div>
        <dt>counts within</dt>
        <dd data-roi-sum=${sum}>${whole(sum)}</dd>
      </div>
      <div>
        <dt>of all</dt>
        <dd>${((100 * sum) / Math.max(1, all)).toFixed(2)} %</dd>
      </div>
    </dl>
    <${RegionRows} ...${props} />
  </section>`
}

function RegionRows({ cells, regions, chosen, onRegions }: RegionProps): Markup {
  if (regions.length === 0) return null
  const remove = (i: number): void => {
    const left = regions.toSpliced(i, 1)
    onRegions(left, Math.min(chosen, left.length - 1))
  }
  return html`<ul class="region-list">
    <li aria-current=${chosen < 0}>
      <button class="link" onClick=${() => onRegions(regions, -1)}>Whole image</button>
    </li>
    ${regions.map(
      (region, i) =>
        html`<li aria-current=${i === chosen}>
          <button class="link" onClick=${() => onRegions(regions, i)}>${i + 1} ${region.kind}</button>
          <span class="grow muted">${whole(countsIn(cells, region))} counts</span>
          <button class="quiet" aria-label=${`Remove region ${i + 1}`} onClick=${() => remove(i)}>×</button>
        </li>`
    )}
  </ul>`
}

interface FieldsProps extends RegionProps {
  readonly region: ImageRegion
  readonly onRegion: (region: ImageRegion) => void
}

function RectangleFields({ cells, names, region, onRegion }: FieldsProps): Markup {
  if (region.kind !== 'rectangle') return null
  const { area } = region
  const set = (side: (typeof sides)[number]) => (event: Event) =>
    onRegion({
      kind: 'rectangle',
      area: clamped({ ...area, [side]: Number((event.target as HTMLInputElement).value) }, cells)
    })
  return html`<div class="row">
    ${sides.map((side, i) => html`<label>${names[i] ?? side} <input type="number" min="0" name=${`roi-${side}`} value=${area[side]} onInput=${set(side)} /></label>`)}
  </div>`
}

function PolygonField({ region, onRegion }: FieldsProps): Markup {
  const [text, setText] = useState(region.kind === 'polygon' ? textOf(region.corners) : '')
  const read = (event: Event): void => {
    const typed = (event.target as HTMLTextAreaElement).value
    setText(typed)
    const corners = readCorners(typed)
    if (corners !== undefined) onRegion({ kind: 'polygon', corners })
  }
  const isWrong = readCorners(text) === undefined
  return html`<div class="field">
    <label for="roi-corners">corners <span class="muted">x,y x,y x,y …</span></label>
    <textarea id="roi-corners" name="roi-corners" rows="2" spellcheck="false" value=${text} onInput=${read}></textarea>
    ${isWrong && html`<p class="bad-text" role="alert">three corners or more, each x,y</p>`}
  </div>`
}
