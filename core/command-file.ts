// The commands of a start-up file: ours, or a file of the tools that speak one of the dialects.
import { readFileSync } from 'node:fs'
import { CodedError } from './api/errors.js'
import { type Command, type Dialect } from './api/plugin.js'

/** The commands in parsed JSON: a list, `{"commands": […]}`, or what a dialect knows; undefined for anything else. */
export function commandsIn(content: unknown, dialects: Iterable<Dialect>): readonly Command[] | undefined {
  const list = Array.isArray(content) ? (content as unknown[]) : (content as { commands?: unknown } | null)?.commands
  if (Array.isArray(list)) return list as readonly Command[]
  for (const dialect of dialects) {
    const commands = dialect.file?.(content)
    if (commands !== undefined) return commands
  }
  return undefined
}

/** Of ours, `json` reads numbers as its `decode` keeps them. */
export interface ReadingDialect extends Dialect {
  read?(text: string): unknown
}

/** JSON of a command or of several, with the digits of numbers kept. Throws SyntaxError. */
export function readCommands(text: string, dialects: Iterable<ReadingDialect>): unknown {
  for (const dialect of dialects) if (dialect.read !== undefined) return dialect.read(text)
  return JSON.parse(text)
}

/** Reads the start-up commands. Throws CONFIG_FILE, or what a dialect says of a broken file of its own. */
export function readCommandFile(file: string, dialects: readonly Dialect[]): readonly Command[] {
  let value: unknown
  try {
    value = readCommands(readFileSync(file, 'utf8'), dialects)
  } catch (cause) {
    throw new CodedError('CONFIG_FILE', `command file ${file}: ${(cause as Error).message}`, {
      path: '/commands/file',
      cause
    })
  }
  const commands = commandsIn(value, dialects)
  if (commands !== undefined) return commands
  throw new CodedError(
    'CONFIG_FILE',
    `command file ${file}: must be a list of commands, {"commands": […]} or the file of a known dialect`,
    { path: '/commands/file' }
  )
}
