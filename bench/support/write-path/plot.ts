// Small line charts as SVG, without anything else: one panel per curve, side by side.
export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}
export interface Panel {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly lines: readonly Line[]
}

const WIDTH = 330
const HEIGHT = 250
const BOX = { left: 52, top: 40, right: 14, bottom: 42 }
const colours = ['#0b6e99', '#c4541a', '#6b6b6b', '#4c8c2b']
const text = (s: string): string => s.replace(/[<&]/g, (c) => (c === '<' ? '&lt;' : '&amp;'))
const short = (n: number): string =>
  n >= 1e6 ? `${n / 1e6} M` : n >= 1e3 ? `${n / 1e3} k` : `${Number(n.toPrecision(2))}`

/** Both axes are logarithmic; y begins at a decade. */
function panel({ title, x, y, lines }: Panel, left: number): string {
  const all = lines.flatMap(({ points }) => points)
  const log = (n: number): number => Math.log10(n)
  const xs = all.map(([at]) => log(at))
  const ys = all.map(([, value]) => log(value))
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)]
  const [y0, y1] = [Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys) + 0.01)]
  const px = (n: number): number =>
    left + BOX.left + ((log(n) - x0) / Math.max(1e-9, x1 - x0)) * (WIDTH - BOX.left - BOX.right)
  const py = (n: number): number => BOX.top + ((y1 - log(n)) / (y1 - y0)) * (HEIGHT - BOX.top - BOX.bottom)
  const out = [`<text x="${left + BOX.left}" y="20" class="title">${text(title)}</text>`]
  for (let k = y0; k <= y1; k++) {
    const at = py(10 ** k).toFixed(1)
    out.push(`<line x1="${left + BOX.left}" x2="${left + WIDTH - BOX.right}" y1="${at}" y2="${at}" class="grid"/>`)
    out.push(`<text x="${left + BOX.left - 5}" y="${at}" class="tick" text-anchor="end">${short(10 ** k)}</text>`)
  }
  for (const at of new Set(all.map(([n]) => n)))
    out.push(`<text x="${px(at).toFixed(1)}" y="${HEIGHT - 26}" class="tick" text-anchor="middle">${short(at)}</text>`)
  out.push(`<text x="${left + (WIDTH + BOX.left) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${text(x)}</text>`)
  out.push(`<text x="${left + BOX.left}" y="34" class="tick">${text(y)}</text>`)
  lines.forEach(({ name, points }, i) => {
    const colour = colours[i % colours.length]
    const path = points.map(([a, b]) => `${px(a).toFixed(1)},${py(b).toFixed(1)}`)
    out.push(`<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.8"/>`)
    for (const point of path) {
      const [cx, cy] = point.split(',')
      out.push(`<circle cx="${cx}" cy="${cy}" r="2.6" fill="${colour}"/>`)
    }
    out.push(`<text x="${left + WIDTH - BOX.right}" y="${52 + 14 * i}" text-anchor="end" fill="${colour}">${text(name)}</text>`) // prettier-ignore
  })
  return out.join('\n')
}

/** The panels in one picture, with a line that says where it was measured. */
export function plot(panels: readonly Panel[], note: string): string {
  const width = WIDTH * panels.length
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT + 22}" font-family="sans-serif" font-size="11">
<style>.title{font-size:13px;font-weight:bold}.tick{font-size:10px;fill:#555}.grid{stroke:#ddd}</style>
<rect width="100%" height="100%" fill="#fff"/>
${panels.map((one, i) => panel(one, i * WIDTH)).join('\n')}
<text x="${width - 14}" y="${HEIGHT + 14}" class="tick" text-anchor="end">${text(note)}</text>
</svg>
`
}
