// In what shape a histogram is shown: as it came, or as a detector that the config describes.
import { type GridRow, type GridView, type HistogramInput, type HistogramRow } from '../wire.js'
import { html, type Markup } from './html.js'

/** An image has pixels along both axes; regions × time are curves. */
const isPlainImage = ({ shape, axes }: HistogramRow): boolean =>
  shape.length === 2 &&
  (shape[0] ?? 0) > 1 &&
  !axes.some(({ unit, label }) => unit === 'ns' || /tof|time|region/i.test(label))

export const isImage = (row: HistogramRow): boolean => row.grids.length > 0 || isPlainImage(row)

/** `GRID:VIEW` and what it is called; a grid of one layer has one view. */
const layoutsOf = ({ grids }: HistogramRow): { readonly value: string; readonly text: string }[] =>
  grids.flatMap(({ id, name, size }) => {
    const views: readonly GridView[] = size[2] > 1 ? ['xy', 'xz', 'yz'] : ['xy']
    return views.map((view) => ({ value: `${id}:${view}`, text: `${name}, ${view[0]}–${view[1]}` }))
  })

/** The wanted one where the histogram has it; otherwise its first detector. An image of which a detector is a part is shown whole. */
export function layoutOf(row: HistogramRow, wanted: string | undefined): string {
  if (wanted === '' && isPlainImage(row)) return ''
  const layouts = layoutsOf(row)
  const found = layouts.find(({ value }) => value === wanted)
  if (found !== undefined) return found.value
  if (isPlainImage(row) && row.grids[0]?.isWhole !== true) return ''
  return layouts[0]?.value ?? ''
}

export const gridOf = ({ grids }: HistogramRow, layout: string): GridRow | undefined =>
  grids.find(({ id }) => String(id) === layout.split(':')[0])

/** What of its events can be counted for what is shown; null: nothing. */
export function inputOf(row: HistogramRow, layout: string): HistogramInput | null {
  if (row.input === null || layout === '') return row.input
  const { first = null, size = [1, 1, 2] } = gridOf(row, layout) ?? {}
  const [width, height, depth] = size
  return first === null || depth > 1 ? null : { ...row.input, first_pixel: first, width, height, order: 'yx' }
}

/** Rows and columns. */
export function shapeOf(row: HistogramRow, layout: string): readonly number[] {
  const grid = gridOf(row, layout)
  if (grid === undefined) return row.shape
  const [x, y, z] = grid.size
  return layout.endsWith('xy') ? [y, x] : layout.endsWith('xz') ? [z, x] : [z, y]
}

export function LayoutChoice({
  row,
  layout,
  onLayout
}: {
  row: HistogramRow
  layout: string
  onLayout: (layout: string) => void
}): Markup {
  const layouts = layoutsOf(row)
  if (layouts.length === 0) return null
  return html`<label
    >detector
    <select
      name="layout"
      value=${layout}
      onChange=${(event: Event) => onLayout((event.target as HTMLSelectElement).value)}
    >
      ${layouts.map(({ value, text }) => html`<option value=${value}>${text}</option>`)}
      ${isPlainImage(row) && html`<option value="">as it comes</option>`}
    </select></label
  >`
}
