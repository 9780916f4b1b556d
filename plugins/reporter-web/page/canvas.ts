// The image of a detector, and regions that are drawn on it.
import { useEffect, useRef, useState } from 'preact/hooks'
import { html, type Markup } from './html.js'
import { clamped, type ImageCells, paint } from './image.js'
import { type Corner, cornersOf, type ImageRegion } from './regions.js'

export interface ImageLook {
  readonly log: boolean
  readonly gradient: string
  readonly isTurned: boolean
  /** Ends of the colours in counts; undefined: 0, and the most that there is. */
  readonly low: number | undefined
  readonly high: number | undefined
}

interface CanvasProps {
  readonly cells: ImageCells
  readonly look: ImageLook
  readonly regions: readonly ImageRegion[]
  /** Of the one that is chosen; -1: none. */
  readonly chosen: number
  /** Corners of a polygon that is being drawn; undefined: a rectangle is dragged. */
  readonly corners: readonly Corner[] | undefined
  readonly onRectangle: (region: ImageRegion) => void
  readonly onCorners: (corners: readonly Corner[]) => void
  readonly onClosed: () => void
}

/** So near to the first corner, in parts of the image, the polygon closes. */
const NEAR = 0.02

export function Canvas(props: CanvasProps): Markup {
  const { cells, look, regions, chosen, corners, onRectangle, onCorners, onClosed } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const [from, setFrom] = useState<Corner | undefined>(undefined)
  const [pointer, setPointer] = useState<Corner | undefined>(undefined)
  useEffect(() => {
    let max = 0
    for (let i = 0; i < cells.values.length; i++) max = Math.max(max, cells.values[i] ?? 0)
    if (canvas.current !== null) paint(canvas.current, cells, { ...look, min: look.low ?? 0, max: look.high ?? max })
  }, [cells, look])
  const { width, height } = cells
  const at = (event: PointerEvent): Corner => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect()
    return [((event.clientX - box.left) / box.width) * width, (1 - (event.clientY - box.top) / box.height) * height]
  }
  const down = (event: PointerEvent): void => {
    const [x, y] = at(event)
    if (corners === undefined) return setFrom([x, y])
    const [first] = corners
    const isNear = first !== undefined && Math.hypot((x - first[0]) / width, (y - first[1]) / height) < NEAR
    if (isNear && corners.length >= 3) onClosed()
    else onCorners([...corners, [tenths(x), tenths(y)]])
  }
  const move = (event: PointerEvent): void => {
    const [x, y] = at(event)
    if (corners !== undefined) return setPointer([x, y])
    if (from === undefined) return
    const [x0, x1, y0, y1] = [Math.min(x, from[0]), Math.max(x, from[0]), Math.min(y, from[1]), Math.max(y, from[1])].map(Math.floor) as [number, number, number, number] // prettier-ignore
    onRectangle({ kind: 'rectangle', area: clamped({ x: x0, y: y0, width: x1 - x0 + 1, height: y1 - y0 + 1 }, cells) })
  }
  const leave = (): void => {
    setFrom(undefined)
    setPointer(undefined)
  }
  const points = (list: readonly Corner[]): string => list.map(([x, y]) => `${x},${height - y}`).join(' ')
  const drawn = corners === undefined ? [] : [...corners, ...(pointer === undefined ? [] : [pointer])]
  return html`<div
    class="image"
    style=${{ aspectRatio: `${width} / ${height}` }}
    onPointerDown=${down}
    onPointerMove=${move}
    onPointerUp=${() => setFrom(undefined)}
    onPointerLeave=${leave}
  >
    <canvas ref=${canvas} role="img" aria-label="detector image"></canvas>
    <svg class="regions" viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      ${regions.map((region, i) => html`<polygon class=${i === chosen ? 'chosen' : ''} points=${points(cornersOf(region))} />`)}
      ${drawn.length > 0 && html`<polyline class="chosen" points=${points(drawn)} />`}
    </svg>
    ${regions.map((region, i) => {
      const [x, y] = cornersOf(region).reduce((best, corner) => (corner[1] > best[1] ? corner : best))
      return html`<b class="tag" style=${{ left: percent(x, width), bottom: percent(y, height) }}>${i + 1}</b>`
    })}
  </div>`
}

const tenths = (n: number): number => Math.round(n * 10) / 10
const percent = (n: number, of: number): string => `${Math.max(0, Math.min(100, (100 * n) / of))}%`
