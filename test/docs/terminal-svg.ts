// A screen of a terminal as an SVG that follows the light or dark theme of its reader.
import { type Run } from '../support/terminal.js'

export const COLUMNS = 80
/** Of one character, and around all, in pixels. */
export const [CELL, PAD] = [8.4, 12] as const
const [LINE, SIZE] = [18, 14] as const

/** Of the palette, by its numbers 1 to 7 (those from 9 on are the same): dark on light, then light on dark. */
const palette: readonly (readonly [number, string, string])[] = [
  [1, '#b42318', '#ff8a80'],
  [2, '#1a7f37', '#7ee787'],
  [3, '#8a5a00', '#e3b341'],
  [4, '#0550ae', '#79c0ff'],
  [5, '#8250df', '#d2a8ff'],
  [6, '#0b6b79', '#76e3ea'],
  [7, '#57606a', '#c9d1d9']
]

const styles = (which: 1 | 2): string => palette.map((row) => `.c${row[0]}{fill:${row[which]}}`).join('')
const sheet = `.t{font:${SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}text{fill:#1f2328}rect{fill:#f6f8fa;stroke:#d0d7de}.d{opacity:.65}.b{font-weight:bold}${styles(1)}@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#0d1117;stroke:#30363d}${styles(2)}}`

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Words with one space between them have their width, whatever font the reader has; more space is a place, no text. */
function textOf(run: Run, column: number, row: number): string {
  let x = column
  return run.text.split(/( {2,})/).map((words) => {
    const text = words.trim() === '' ? '' : wordsOf({ ...run, text: words }, x, row)
    x += [...words].length
    return text
  }).join('') // prettier-ignore
}

function wordsOf({ text, colour, isBold, isDim }: Run, column: number, row: number): string {
  const shown = text.trim()
  const x = PAD + CELL * (column + text.length - text.trimStart().length)
  const names = [
    ...(colour === undefined || colour % 8 === 0 ? [] : [`c${colour % 8}`]),
    ...(isBold ? ['b'] : []),
    ...(isDim || colour === 8 ? ['d'] : [])
  ]
  const style = names.length === 0 ? '' : ` class="${names.join(' ')}"`
  const width = (CELL * [...shown].length).toFixed(1)
  return `<text x="${x.toFixed(1)}" y="${PAD + LINE * row + SIZE}" textLength="${width}"${style}>${escaped(shown)}</text>`
}

/** @param command - what was typed, above the screen */
export function terminalSvg(command: string, rows: readonly (readonly Run[])[]): string {
  const typed: Run = { text: `$ ${command}`, colour: undefined, isBold: true, isDim: false }
  const lines = [[typed], ...rows].map((runs, row) => {
    let column = 0
    return runs.map((run) => {
      const text = textOf(run, column, row)
      column += [...run.text].length
      return text
    }).join('') // prettier-ignore
  })
  const [width, height] = [Math.ceil(2 * PAD + CELL * COLUMNS), 2 * PAD + LINE * lines.length]
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(command)}">`
  return `${head}\n<style>${sheet}</style>\n<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>\n<g class="t">\n${lines.filter((line) => line !== '').join('\n')}\n</g>\n</svg>\n`
}
