// What all parts have in common: id, summary, config schema, and the context they are opened with.
import { type FromSchema, type JSONSchema } from 'json-schema-to-ts'
import { type RunInfo } from './run-info.js'

export { type FromSchema, type JSONSchema } from 'json-schema-to-ts'

/** The TypeScript type of the values that a JSON Schema allows. */
export type Options<S> = JSONSchema extends S
  ? Readonly<Record<string, unknown>>
  : S extends JSONSchema
    ? FromSchema<S>
    : never

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** What every opened part gets: its job, a signal to stop, the log, counters. */
export interface Context {
  readonly jobId: string
  readonly signal: AbortSignal
  log(level: LogLevel, message: string, fields?: Record<string, unknown>): void
  /**
   * Adds to a counter of the job's report, e.g. `count('converted')`. `weight` says what that means for the file: `lost` (something of
   * the job's is missing: the job ends with an error), `warning` or `note`. Without it docs/reference/reasons.md decides; what is not
   * there is lost. `first` tells of the first one, e.g. value and time, in the report: called once per stream and reason.
   */
  count(reason: string, n?: number, weight?: 'lost' | 'warning' | 'note', first?: () => string): void
  /** The write job, for writers of run information; absent elsewhere. */
  readonly run?: RunInfo
  /**
   * Writers only: runs `change`, which may make columns, datasets, groups and attributes although messages come already (what only
   * the first message tells). Costs milliseconds: once per stream, not more. Names are noted in `madeAtClose` where links may want them.
   */
  late?(change: () => void): void
}

/** Something that the config, a command or what a command holds can name by `id`. */
export interface Part<C> {
  readonly id: string
  /** One sentence for `nexstream plugins list` and the generated docs. */
  readonly summary: string
  /** JSON Schema (object) of the part's config; the option table of its README is made from it. */
  readonly config: C
}

// Typed parts lose their config type in the registry: options are checked by ajv before `open` is called.
export const erase = <T>(part: unknown): T => part as T
