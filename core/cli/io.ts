// What the terminal sees: data on stdout, talk on stderr, colour and repainting only for people.
import { once } from 'node:events'
import { writeJson } from '../api/json.js'
import { createColors } from 'picocolors'
import { type Finding } from '../api/plugin.js'
import { visible, visibleJson } from '../api/visible.js'

export { visible } from '../api/visible.js'

/** Set once by the program from the global options. */
export const settings = { verbose: false, quiet: false, timeoutMs: 10_000 }

const wantsColour = (stream: NodeJS.WriteStream): boolean =>
  // undefined, which a pipe has, would let the library decide
  (stream.isTTY as boolean | undefined) === true && !process.env['NO_COLOR']
/** Colours for stdout. */
export const colour = createColors(wantsColour(process.stdout))
/** Colours for stderr. */
export const talkColour = createColors(wantsColour(process.stderr))

// A reader such as `head` may go away: that ends us quietly, it is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const escape = String.fromCharCode(27)
const colours = new RegExp(`(${escape}\\[[0-9;]*m)`, 'g')
const layout = new RegExp(`(${escape}\\[[0-9;]*m|[\\n\\t])`, 'g')
/** What data could do to a terminal or to its line is made visible; what stands in `kept` stays. */
const guarded = (text: string, kept: RegExp): string =>
  text
    .split(kept)
    .map((part, i) => (i % 2 === 1 ? part : visible(part)))
    .join('')

/** One line (or block) of data; waits while the reader is slow. */
export async function print(line: string): Promise<void> {
  if (!process.stdout.write(guarded(line, layout) + '\n')) await once(process.stdout, 'drain')
}

/** One line of talk. */
export function say(line: string): void {
  if (!settings.quiet) process.stderr.write(guarded(line, layout) + '\n')
}

/** One JSON line; 64-bit integers become decimal strings. */
export function printJson(value: unknown): Promise<void> {
  return print(toJson(value))
}

export function toJson(value: unknown, indent?: number): string {
  return writeJson(value, indent).split('\n').map(visibleJson).join('\n')
}

const width = (text: string): number => [...text.replace(colours, '')].length

/** Between two columns. */
const GAP = '  '

/** Scripts get whole lines, as does a terminal that does not know its width. */
const terminalWidth = (): number => process.stdout.columns || Infinity

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

/**
 * Columns as wide as their content, on a terminal no wider together than it; the first row is the heading. Empty without rows below
 * it.
 */
export function table(given: readonly (readonly string[])[], most = terminalWidth()): string {
  const rows = given.map((row) => row.map((cell) => guarded(cell, colours)))
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ''))))
  const sizes = fitted(widths, most)
  const line = (row: readonly string[]): string =>
    sizes
      .map((size, column) => cut(row[column] ?? '', size))
      .join(GAP)
      .trimEnd()
  return rows.map((row, index) => (index === 0 ? colour.bold(line(row)) : line(row))).join('\n')
}

/** 1234567 → `1.2 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1]
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** One finding in one line. */
export const findingLine = ({ code, path, message }: Finding): string => visible(`${code} ${path} ${message}`)

/** A block of text that is repainted in place on a terminal, and printed once at the end elsewhere. */
export class Screen {
  #lines = 0

  paint(text: string): void {
    if (!process.stdout.isTTY) return
    const lines = guarded(text, layout)
      .split('\n')
      .slice(0, Math.max(1, process.stdout.rows - 1))
    const up = this.#lines > 0 ? `${escape}[${this.#lines}A` : ''
    // No wrapping meanwhile: a line too wide would take two, and the next paint would begin too low
    const shown = lines.map((line) => `${escape}[2K${line}\n`).join('')
    process.stdout.write(`${escape}[?7l${up}${shown}${escape}[0J${escape}[?7h`)
    this.#lines = lines.length
  }
}

/** A progress line on stderr, only for people. */
export function progress(text: string): void {
  if (process.stderr.isTTY && !settings.quiet) process.stderr.write(`\r${escape}[2K${text}`)
}
