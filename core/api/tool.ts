// Tools: sub-commands of `nexstream` that a plugin brings; their code is loaded when they run.
import { type Finding } from './command.js'
import { type PartLookup } from './lookup.js'

/** How a tool ended, for the shell. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  findings: 5
} as const

export interface ToolArgument {
  readonly name: string
  readonly summary: string
  readonly optional?: boolean
}

export interface ToolOption {
  /** As people write it: `--lenient`, `-o, --output <file>`. */
  readonly flags: string
  readonly summary: string
  readonly required?: boolean
}

/** Values of options by their long name in camelCase: `--dry-run` is `dryRun`; true for one without a value. */
export type ToolFlags = Readonly<Record<string, string | boolean | undefined>>

/** What a tool sees of the terminal. Data go to stdout, talk to stderr. */
export interface Terminal {
  /** One line of data; waits while the reader is slow. */
  readonly print: (line: string) => Promise<void>
  /** One JSON line; 64-bit integers become decimal strings. */
  readonly printJson: (value: unknown) => Promise<void>
  /** One line of talk. */
  readonly say: (line: string) => void
  /** One finding as a line of talk. */
  readonly sayFinding: (finding: Finding) => void
  /** Columns as wide as their content; the first row is the heading. */
  readonly table: (rows: readonly (readonly string[])[]) => string
  readonly bold: (text: string) => string
  /** 1234567 → `1.2 MB`. */
  readonly bytes: (count: number) => string
  /** Control characters made visible, so that data cannot steer the terminal. */
  readonly visible: (text: string) => string
}

export interface ToolContext extends Terminal {
  /** The parts of the plugins that the config names. */
  readonly parts: PartLookup
  /** Text of a file, or of standard input for `-`. Throws FILE_READ. */
  readonly readText: (file: string) => Promise<string>
  /** ISO 8601, ms, `now`, `-5min` → ms since 1970. Throws CLI_USAGE. */
  readonly moment: (text: string) => number
}

/** Gives the exit code; nothing is 0. A CodedError that it throws is said in one line. */
export type ToolRun = (
  args: readonly (string | undefined)[],
  flags: ToolFlags,
  context: ToolContext
) => number | void | Promise<number | void>

/** `id` is the name of the sub-command. `--config`, `--set` and `--json` are options of every tool. */
export interface ToolPart {
  readonly id: string
  readonly summary: string
  readonly arguments?: readonly ToolArgument[]
  readonly options?: readonly ToolOption[]
  load(): Promise<ToolRun>
}

export const defineTool = (part: ToolPart): ToolPart => part

/** A kind of file that `nexstream check` can tell from others, and what is wrong with one. */
export interface FileKind {
  /** For `nexstream check --as ID`. */
  readonly id: string
  readonly summary: string
  /** Further options of `nexstream check`. */
  readonly options?: readonly ToolOption[]
  /** Whether parsed JSON is of this kind. */
  is(content: unknown): boolean
  /** Paths are those of the file. `text` has all digits of integers. */
  inspect(
    file: { readonly content: unknown; readonly text: string },
    parts: PartLookup,
    flags: ToolFlags,
    config: CheckedFor
  ): readonly Finding[] | Promise<readonly Finding[]>
}

/** What the config given to `nexstream check` says; nothing without one. */
export interface CheckedFor {
  /** Of all topics that commands come from. */
  readonly dialects: readonly string[]
  /** Options as they stand there, by service. */
  readonly services: Readonly<Record<string, unknown>>
}
