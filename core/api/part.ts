// What all parts have in common: id, summary, config schema, and the context they are opened with.
import { type FromSchema, type JSONSchema } from 'json-schema-to-ts'

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
}

/** Something that the config, a command or what a command holds can name by `id`. */
export interface Part<C> {
  readonly id: string
  /** One sentence for `nexstream plugins list` and the generated docs. */
  readonly summary: string
  /** JSON Schema (object) of the part's config; the option table of its README is made from it. */
  readonly config: C
}

/** A source, converter, writer or readout: opened by a service, and known in full to those who make and use it (`schemas/`, the service). */
export interface OpenedByService extends Part<JSONSchema> {
  open(...args: never): object
}

// Typed parts lose their config type in the registry: options are checked by ajv before `open` is called.
export const erase = <T>(part: unknown): T => part as T
