// What the terminal sees: data on stdout, talk on stderr, colour and repainting only for people.
import { once } from 'node:events'
import { writeJson } from '../../core/api/json.js'
import { createColors } from 'picocolors'
import { type Finding } from '../../core/api/plugin.js'
import { visible, visibleBut, visibleJson } from '../../core/api/visible.js'

export { visible } from '../../core/api/visible.js'

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
/** Colours, and what lays out lines and columns. */
const layout = new RegExp(`(${escape}\\[[0-9;]*m|[\\n\\t])`, 'g')

/** One line (or block) of data; waits while the reader is slow. */
export async function print(line: string): Promise<void> {
  if (!process.stdout.write(visibleBut(line, layout) + '\n')) await once(process.stdout, 'drain')
}

/** One line of talk. */
export function say(line: string): void {
  if (!settings.quiet) process.stderr.write(visibleBut(line, layout) + '\n')
}

/** One JSON line; 64-bit integers become decimal strings. */
export function printJson(value: unknown): Promise<void> {
  return print(visibleJson(writeJson(value)))
}

/** One finding in one line. */
export const findingLine = ({ code, path, message }: Finding): string => visible(`${code} ${path} ${message}`)

/** A progress line on stderr, only for people. */
export function progress(text: string): void {
  if (process.stderr.isTTY && !settings.quiet) process.stderr.write(`\r${escape}[2K${text}`)
}
