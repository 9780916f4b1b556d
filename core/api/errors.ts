// The codes of errors. They are never reused; docs/reference/errors.md is made from this table and those of plugins (`Plugin.errors`).

/** Code → what it means and what to do. */
export const errorCodes = {
  MESSAGE_BAD: 'A message is not a sound FlatBuffer of its schema. It is counted and skipped.',
  CONFIG_FILE: 'The config file cannot be read or parsed. See the message for line and column.',
  CONFIG_INVALID: 'A config value has the wrong type, is out of range or its key is unknown. See the path.',
  PLUGIN_NOT_FOUND: 'The plugin named by `use` cannot be found or imported. Check the name or path in the config file.',
  PLUGIN_MANIFEST: 'The module has no default export that is a plugin (name, version, api, summary, apply).',
  PLUGIN_API: 'The plugin was built for another major version of the plugin API.',
  PLUGIN_DUPLICATE_ID: 'Two plugins claim the same name or part id. Remove one of them.',
  PLUGIN_SCHEMA: 'The option schema of the plugin is not a valid JSON Schema or a property lacks a description.',
  PLUGIN_OPTIONS: 'The options given to the plugin do not fit its schema. See the path.',
  PLUGIN_FAILED: 'A hook of the plugin threw. The message names plugin and hook.',
  PLUGIN_TIMEOUT: 'A hook of the plugin did not finish within its deadline.',
  COMMAND_JSON: 'The command is not valid JSON.',
  COMMAND_TOO_LARGE: 'The command is larger than the limit. See `commands.max_bytes`.',
  COMMAND_UNKNOWN: 'No command of this name (and service). The answer lists the known ones.',
  COMMAND_INVALID: 'A key of the command is missing, unknown or of the wrong type. See the path.',
  COMMAND_TIMEOUT: 'No answer came in time. Check that the daemon runs and listens on this command topic.',
  COMMAND_FAILED: 'The command was understood but carrying it out failed. See the message.',
  JOB_UNKNOWN: 'No job of this id is running here.',
  JOB_ENDED: 'The job has ended already.',
  JOB_EXISTS: 'A job of this id is running already.',
  JOB_LIMIT: 'All job slots of this daemon are busy.',
  JOB_FAILED: 'The job ended with an error; the file holds what was good so far.',
  FILE_PATH: 'The file name is empty, leaves the output folder or its folder does not exist.',
  FILE_READ: 'The file cannot be read. Check its name and permissions.',
  TOPIC_MISSING: 'The Kafka topic does not exist. Create it with `nexstream provision`.',
  TOPIC_EMPTY: 'The Kafka topic holds no messages, and the stream asks for some (on_empty_topic).',
  TOPIC_SHRINK: 'A topic has more partitions or replicas than asked for; provisioning never takes away.',
  KAFKA_UNREACHABLE: 'No broker answered. Check the address, the network and the credentials.',
  KAFKA_AUTH: 'The broker refused the credentials or the access.',
  KAFKA_LOST: 'Messages could not be delivered to Kafka and were given up.',
  KAFKA_NONE: 'No Kafka broker was given and none could be started.',
  SOURCE_UNKNOWN: 'No source part of this name is loaded.',
  CONVERTER_UNKNOWN: 'No converter for this schema id is loaded.',
  CLI_USAGE: 'The command line is wrong. See `nexstream help COMMAND`.',
  INTERNAL: 'Something that should not happen. Run again with -v and report the stack.'
} as const

export type CoreCode = keyof typeof errorCodes

/**
 * One of these or of a plugin's. Its end says how it is told: …_INVALID is wrong usage (exit code 2), …_EXISTS is in conflict
 * (status 409), …_FAILED is not the caller's fault (status 500).
 */
export type ErrorCode = Uppercase<string>

/** An error a user can act on: what, where, what to do. */
export class CodedError extends Error {
  readonly code: ErrorCode
  /** JSON path of the offending value, when there is one. */
  readonly path: string | undefined
  readonly fields: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    options: { path?: string; cause?: unknown; fields?: Record<string, unknown> } = {}
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CodedError'
    this.code = code
    this.path = options.path
    this.fields = options.fields ?? {}
  }
}

/** What to do about a topic that is not there; `what` names it and its use. */
export const missingText = (what: string): string => `${what} does not exist; create it with 'nexstream provision'`
export const topicMissing = (what: string, path?: string): CodedError =>
  new CodedError('TOPIC_MISSING', missingText(what), path === undefined ? {} : { path })

/** A message that must be counted under `reason` and skipped; never ends a job. */
export class BadMessage extends CodedError {
  readonly reason: string

  constructor(reason: string, message: string) {
    super('MESSAGE_BAD', message)
    this.name = 'BadMessage'
    this.reason = reason
  }
}

/** What was thrown, in words: a plugin may throw anything. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))
