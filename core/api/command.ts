// Commands: the canonical form, where one came from, its answer, and how a service brings its own.
import { CodedError } from './errors.js'
import { erase, type JSONSchema, type Options } from './part.js'

/** A command in canonical form, whatever dialect it came in. */
export interface Command {
  readonly cmd: string
  readonly service?: string
  readonly msg_id?: string
  readonly [key: string]: unknown
}

/** One thing wrong with a command, a config or a structure. */
export interface Finding {
  readonly code: string
  /** JSON path, e.g. `/streams/0/topic`. */
  readonly path: string
  readonly message: string
  /** Of a check: no reason to refuse it. */
  readonly warning?: boolean
}

/** What a refusal says; throws anything else on. */
export function findingOf(error: unknown): Finding {
  if (!(error instanceof CodedError)) throw error
  return { code: error.code, path: error.path ?? '/', message: error.message }
}

/** The one answer to a command. */
export interface Reply {
  readonly response: 'ACK' | 'ERR'
  /** 200 done, 201 accepted, 400 refused, 404 unknown job, 409 in conflict, 500 failed. */
  readonly status: number
  readonly message: string
  readonly job_id?: string
  readonly errors?: readonly Finding[]
  /** What the command asked for (status, jobs, lists). */
  readonly result?: unknown
  /** Answer to this topic instead of the origin's (control topic of the job). */
  readonly reply_topic?: string
  /** No answer at all: the command is for another daemon. */
  readonly silent?: boolean
  /** Called once, when the answer is delivered (or cannot be); what must come after the answer waits for it. */
  readonly sent?: () => void
}

/** Where a command came from; answers and events of its job go back there. */
export interface Origin {
  readonly dialect: string
  readonly topic: string
  /** Where answers and events go. */
  readonly replyTopic: string
  /** Kafka timestamp of the command. */
  readonly timestampMs: number
  readonly partition?: number
  readonly offset?: number
  /** Which topic of this name: one that is made again has another one. */
  readonly topicId?: string
  /** Its Kafka header of this name (W3C Trace Context), which answers and events get, too. */
  readonly traceparent?: string
  /** Only for a command that a consumer group gave to this daemon: takes it for good. Without a call it is taken when the answer is made. */
  readonly take?: () => Promise<void>
}

/** What every command may have beside its own keys. */
export type CommandKeys = {
  readonly cmd: string
  readonly service?: string
  readonly msg_id?: string
  readonly service_id?: string
}

/** A command that fits the schema `C`, with its defaults filled in. */
export type CommandOf<C> = Options<C> & CommandKeys

/** What is known of a command without the code that carries it out. */
export interface CommandInfo {
  readonly cmd: string
  readonly summary: string
  /** JSON Schema (object) of the command's own keys; the common ones (cmd, service, msg_id, service_id) are added. */
  readonly schema: JSONSchema
  /** Valid commands for the docs; each is tested against the schema. */
  readonly examples: readonly Command[]
}

/** A command and the service that carries it out; none: the daemon itself. */
export interface KnownCommand extends CommandInfo {
  readonly service?: string
}

/** One thing that can be asked of a service. `S`: what it needs of the opened service. */
export interface CommandPart<S = never> extends CommandInfo {
  /** Carries it out. A throw becomes an ERR answer: of its code for a CodedError, else COMMAND_FAILED. */
  readonly run: (command: never, origin: Origin, service: S) => Reply | Promise<Reply>
}

/** The type of `command` comes from the schema; say that of `service` in `run`: `run: (command, origin, service: MyService) => …`. */
export const defineCommand = <const C extends JSONSchema, S>(
  part: Omit<CommandInfo, 'schema'> & {
    readonly schema: C
    readonly run: (command: CommandOf<C>, origin: Origin, service: S) => Reply | Promise<Reply>
  }
): CommandPart<S> => erase(part)
