// How tools show things to people: columns that fit the terminal, a block that is painted over, sizes.
import { type Terminal, visibleBut } from '../../../core/api/plugin.js'

const escape = String.fromCharCode(27)
const colours = new RegExp(`(${escape}\\[[0-9;]*m)`, 'g')
/** Colours, and what lays out lines and columns. */
const layout = new RegExp(`(${escape}\\[[0-9;]*m|[\\n\\t])`, 'g')

const width = (text: string): number => [...text.replace(colours, '')].length

/** Between two columns. */
const GAP = '  '

/** Scripts get whole lines, as does a terminal that does not know its width. */
export const terminalWidth = (): number => process.stdout.columns || Infinity

/** The widest columns give way until the line fits; the last ones are left out when nothing else helps. */
function fitted(widths: readonly number[], most: number): number[] {
  const sizes = [...widths]
  const sum = (): number => sizes.reduce((total, size) => total + size, 0) + GAP.length * (sizes.length - 1)
  while (sizes.length > 1 && sum() > most) {
    const widest = Math.max(...sizes)
    if (widest <= LEAST_COLUMN) sizes.pop()
    else sizes[sizes.lastIndexOf(widest)] = widest - 1
  }
  return sizes
}

/** Narrower than this says nothing. */
const LEAST_COLUMN = 6

function cut(cell: string, size: number): string {
  const missing = size - width(cell)
  if (missing >= 0) return cell + ' '.repeat(missing)
  return `${[...cell.replace(colours, '')].slice(0, size - 1).join('')}…`
}

/** The end of a line of which `taken` columns are printed already, on a terminal no wider than it. */
export function cutToWidth(text: string, taken = 0, most = terminalWidth()): string {
  const room = Math.max(1, most - taken)
  return width(text) <= room ? text : cut(text, room)
}

/**
 * Columns as wide as their content, on a terminal no wider together than it; the first row is the heading. Empty without rows below
 * it.
 */
export function table(
  { bold }: Pick<Terminal, 'bold'>,
  given: readonly (readonly string[])[],
  most = terminalWidth()
): string {
  const rows = given.map((row) => row.map((cell) => visibleBut(cell, colours)))
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ''))))
  const sizes = fitted(widths, most)
  const line = (row: readonly string[]): string =>
    sizes
      .map((size, column) => cut(row[column] ?? '', size))
      .join(GAP)
      .trimEnd()
  return rows.map((row, index) => (index === 0 ? bold(line(row)) : line(row))).join('\n')
}

/** A block of text that is repainted in place on a terminal, and printed once at the end elsewhere. */
export class Screen {
  #lines = 0

  paint(text: string): void {
    if (!process.stdout.isTTY) return
    const lines = visibleBut(text, layout)
      .split('\n')
      .slice(0, Math.max(1, process.stdout.rows - 1))
    const up = this.#lines > 0 ? `${escape}[${this.#lines}A` : ''
    // No wrapping meanwhile: a line too wide would take two, and the next paint would begin too low
    const shown = lines.map((line) => `${escape}[2K${line}\n`).join('')
    process.stdout.write(`${escape}[?7l${up}${shown}${escape}[0J${escape}[?7h`)
    this.#lines = lines.length
  }
}

/** Paints a block of text over the one before; nothing where stdout is no terminal. */
export function repainted(): (text: string) => void {
  const screen = new Screen()
  return (text) => screen.paint(text)
}

/** 1234567 → `1.2 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1]
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
