// What the terminal sees: data on stdout, talk on stderr, colour and repainting only for people.
import { once } from 'node:events'
import { CodedError } from '../../core/api/errors.js'
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
/** Colours for stdout; `paint` changes them. */
export const colour = createColors(wantsColour(process.stdout))
/** Colours for stderr. */
export const talkColour = createColors(wantsColour(process.stderr))

/** When output is coloured: by itself on terminals, always (for `less -R`), or never. */
export const colourings = ['auto', 'always', 'never'] as const

/** Of --color. Throws CLI_USAGE for another word. */
export function paint(when: string): void {
  if (!(colourings as readonly string[]).includes(when))
    throw new CodedError('CLI_USAGE', `--color ${when}: must be one of ${colourings.join(', ')}`)
  for (const [colours, stream] of [
    [colour, process.stdout],
    [talkColour, process.stderr]
  ] as const)
    Object.assign(colours, createColors(when === 'always' || (when === 'auto' && wantsColour(stream))))
}

// A reader such as `head` may go away: that ends us quietly, it is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  if (error.code !== 'EIO') throw error
})
// EIO: the terminal was closed. Its signal (SIGHUP) says what happens then; nobody is left to read
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EIO') throw error
})

const escape = String.fromCharCode(27)
/** Colours, and what lays out lines and columns. */
const layout = new RegExp(`(${escape}\\[[0-9;]*m|[\\n\\t])`, 'g')

/** One line (or block) of data; waits while the reader is slow. */
export async function print(line: string): Promise<void> {
  const isTaken = process.stdout.write(visibleBut(line, layout) + '\n')
  // One whose reader has gone takes nothing ever again
  if (!isTaken && process.stdout.writable) await once(process.stdout, 'drain')
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
