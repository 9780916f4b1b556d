// Tools: sub-commands of `nexstream` that a plugin brings; their code is loaded when they run.
import { type Command, type Finding, type KnownCommand } from './command.js'
import { type Dialect } from './dialect.js'
import { type CodedError } from './errors.js'
import { type Kafka, type KafkaSettings, type TopicInfo } from './kafka.js'
import { type PartLookup } from './lookup.js'
import { type JSONSchema } from './part.js'

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
  /** One or more; the last argument only. */
  readonly several?: boolean
}

export interface ToolOption {
  /** As people write it: `--lenient`, `-o, --output <file>`. */
  readonly flags: string
  readonly summary: string
  readonly required?: boolean
  /** Its value where it is not given. */
  readonly standard?: string
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
  readonly bold: (text: string) => string
  /** For stdout; texts as they are where that is no terminal. */
  readonly colour: Readonly<
    Record<'bold' | 'dim' | 'cyan' | 'red' | 'green' | 'yellow' | 'magenta', (text: string) => string>
  >
  /** A line on stderr that the next one takes the place of, only for people. */
  readonly progress: (text: string) => void
  /** Control characters made visible, so that data cannot steer the terminal. */
  readonly visible: (text: string) => string
}

/** What a tool may want to know of the config. */
export interface ToolConfig {
  readonly daemon: { readonly instrument?: string | undefined }
  readonly commands: {
    readonly topic?: string | undefined
    readonly listen: readonly {
      readonly topic: string
      readonly dialects: readonly string[]
      readonly reply_topic?: string | undefined
    }[]
  }
  readonly status: { readonly topic?: string | undefined }
  readonly log?: { readonly file?: string | undefined } | undefined
  readonly reporters: Readonly<Record<string, unknown>>
  readonly topics: readonly {
    readonly name: string
    readonly partitions: number
    readonly replication: number
    readonly retention?: string | number | undefined
    readonly retention_bytes?: number | undefined
    readonly max_message_bytes?: number | undefined
    readonly compact: boolean
  }[]
}

/** Kafka as a tool sees it; close `kafka` in the end. */
export interface ToolTarget {
  readonly kafka: Kafka
  /** The topic of the address. */
  readonly topic: string | undefined
  /** All topics but Kafka's own. */
  readonly allTopics: () => Promise<readonly TopicInfo[]>
  /** How it is spoken to, password included, for what another client of Kafka can do. */
  readonly settings: KafkaSettings
  /** Sets Kafka's own settings of a topic; others are left as they are. Rejects with COMMAND_FAILED, KAFKA_AUTH, KAFKA_UNREACHABLE. */
  readonly alterTopic: (name: string, config: readonly (readonly [key: string, value: string])[]) => Promise<void>
}

export interface LoadedParts {
  readonly parts: PartLookup
  close(): Promise<void>
}

/** A plugin and what it brings; `config` is the schema of the options of the part. */
export interface LoadedPluginInfo {
  readonly name: string
  readonly version: string
  readonly summary: string
  readonly builtin: boolean
  readonly file: string
  readonly parts: readonly { readonly kind: string; readonly id: string; readonly summary: string; readonly config: JSONSchema }[] // prettier-ignore
}

/** The program, or one of its sub-commands, as its help knows it. */
export interface ProgramEntry {
  readonly name: string
  readonly summary: string
  /** Long names. */
  readonly options: readonly string[]
  readonly arguments: readonly { readonly name: string; readonly summary: string }[]
  readonly tools: readonly ProgramEntry[]
}

export interface ToolContext extends Terminal {
  /** The parts of the plugins that the config names; none for a tool of a `tools-…` plugin that does without (`needsPlugins`). */
  readonly parts: PartLookup
  /** Loads the plugins of a config that names any besides ours; undefined where it names none. */
  readonly loadParts: () => Promise<LoadedParts | undefined>
  /** Loads the plugins of the config and tells what each brings. */
  readonly plugins: () => Promise<readonly LoadedPluginInfo[]>
  readonly program: () => ProgramEntry
  /** Of --config or $NEXSTREAM_CONFIG, the environment and --set. Throws CONFIG_FILE, CONFIG_INVALID. */
  readonly config: () => ToolConfig
  /** To the brokers of `host:port/topic`, of --brokers or of the config. Throws CLI_USAGE where none of them names any. */
  readonly connect: (address?: string) => ToolTarget
  /** Of --timeout. */
  readonly timeoutMs: number
  /** Bytes of a file, or of standard input for `-`. Throws FILE_READ. */
  readonly readBytes: (file: string) => Promise<Buffer>
  /** Text of a file, or of standard input for `-`. Throws FILE_READ. */
  readonly readText: (file: string) => Promise<string>
  /** Says an error that does not end the tool, as one that does is said; gives the exit code that it would end with. */
  readonly sayError: (error: CodedError) => number
  /** What is wrong with configs and commands, by the plugins of `parts`. */
  readonly inspection: () => Promise<Inspection>
}

/** Gives the exit code; nothing is 0. A CodedError that it throws is said in one line. */
export type ToolRun = (
  args: readonly (string | undefined)[],
  flags: ToolFlags,
  context: ToolContext
) => number | void | Promise<number | void>

/** `id` is the name of the sub-command; several arguments come one by one. One with `tools` and without `load` only groups them. */
export interface ToolPart {
  readonly id: string
  readonly summary: string
  readonly arguments?: readonly ToolArgument[]
  readonly options?: readonly ToolOption[]
  /** It has the option `--brokers`. */
  readonly usesKafka?: boolean
  /** Which it has of the options of every tool; default all: `--config` and `--set`, `--json`. */
  readonly common?: readonly ('config' | 'json')[]
  /** Printed below its options. */
  readonly helpBelow?: string
  /** Sub-commands of it. */
  readonly tools?: readonly ToolPart[]
  /**
   * Tools that are known when the plugins of the config are; one of an id that there is adds its `options` and `tools` to it, if it
   * is of the same plugin.
   */
  made?(commands: readonly KnownCommand[], files: readonly FileKind[]): readonly ToolPart[]
  /** The plugins of the config are loaded for it (that takes 0.3 s), or only for its help. */
  readonly needsPlugins?: 'always' | 'help'
  load?(): Promise<ToolRun>
}

export const defineTool = (part: ToolPart): ToolPart => part

interface AnyFileKind {
  /** For `nexstream check --as ID`. */
  readonly id: string
  readonly summary: string
  /** Further options of `nexstream check`. */
  readonly options?: readonly ToolOption[]
}

/** Something that a check tells of a file: what is wrong, or (`met`) a rule that it looked at and found kept. */
export interface Told extends Finding {
  readonly met?: boolean
}

/** A kind of file that is no text. */
export interface BinaryFileKind extends AnyFileKind {
  /** Whether a file that begins so (512 bytes, or less) is of this kind. */
  begins(bytes: Buffer): boolean
  /** Throws CodedError, e.g. FILE_READ. */
  inspectFile(file: string, flags: ToolFlags): Promise<readonly Told[]>
}

/** A kind of file that `nexstream check` can tell from others, and what is wrong with one. */
export type FileKind = JsonFileKind | BinaryFileKind

export interface JsonFileKind extends AnyFileKind {
  /** Whether parsed JSON is of this kind. */
  is(content: unknown): boolean
  /** Paths are those of the file. `content` is its `text` by JSON.parse; for all digits of integers read the text again (`readJson`). */
  inspect(
    file: { readonly content: unknown; readonly text: string },
    parts: PartLookup,
    flags: ToolFlags,
    config: CheckedFor
  ): readonly Finding[] | Promise<readonly Finding[]>
}

/** What the daemon would say of a config or a command, and what tells them from other files. Nothing is opened. */
export interface Inspection {
  /** Of the services. */
  readonly files: readonly FileKind[]
  /** Of a config. */
  readonly sections: readonly string[]
  readonly commands: readonly KnownCommand[]
  readonly dialects: readonly Dialect[]
  /** The commands in parsed JSON: a list, `{"commands": […]}`, or what a dialect knows; undefined for anything else. */
  readonly commandsIn: (content: unknown) => readonly Command[] | undefined
  /** As the daemon would find it with all services, then as its service does. */
  readonly command: (value: unknown) => Promise<readonly Finding[]>
  /** The merged config, one line a value; what is wrong with it, and what `startUp` finds in its command file. Throws CONFIG_FILE. */
  readonly config: (
    file: string,
    startUp: (file: string, inspection: Inspection) => Promise<readonly Finding[]>
  ) => Promise<{ readonly text: string; readonly findings: readonly Finding[] }>
  readonly checkedFor: () => CheckedFor
}

/** What the config given to `nexstream check` says; nothing without one. */
export interface CheckedFor {
  /** Of all topics that commands come from. */
  readonly dialects: readonly string[]
  /** Options as they stand there, by service. */
  readonly services: Readonly<Record<string, unknown>>
}
