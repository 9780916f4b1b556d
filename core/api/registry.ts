// A plugin and what it may register.
import { type AsyncSeriesHook, type SyncWaterfallHook } from 'tapable'
import { type Dialect } from './dialect.js'
import { type Job } from './job.js'
import { erase, type JSONSchema, type LogLevel, type OpenedByService, type Options } from './part.js'
import { type DaemonSnapshot, type ReporterPart } from './reporter.js'
import { type ServicePart } from './service.js'
import { type ToolPart } from './tool.js'

/** Major version of this API; a plugin built for another one is refused (PLUGIN_API). */
export const API = 2

/** What `apply` may register. An id that is taken is refused (PLUGIN_DUPLICATE_ID) naming both plugins. */
export interface Registry {
  source(part: OpenedByService): void
  converter(part: OpenedByService): void
  writer(part: OpenedByService): void
  readout(part: OpenedByService): void
  service(part: ServicePart): void
  reporter(part: ReporterPart): void
  dialect(dialect: Dialect): void
  tool(part: ToolPart): void
  readonly hooks: Hooks
}

/** One event of the log, its fields without secrets. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly timeMs: number
  readonly service_id: string
  readonly fields: Readonly<Record<string, unknown>>
  /** Someone has written it in place of standard error. */
  readonly written?: boolean
}

/** Control-plane hooks (tapable); tap with your plugin's name. Each tap has a deadline and its failures name the plugin. */
export interface Hooks {
  /** A rejected promise (CodedError) refuses the job. */
  readonly jobStarting: AsyncSeriesHook<[Job]>
  readonly jobStopped: AsyncSeriesHook<[Job]>
  /** Returns the snapshot with a part of its own added. */
  readonly snapshot: SyncWaterfallHook<[DaemonSnapshot]>
  /** For each line that the level lets through, once the plugins are loaded; returns it, as `written` when it was. Must not block. */
  readonly logged: SyncWaterfallHook<[LogLine]>
}

/** A plugin: the default export of its module. */
export interface Plugin<S extends JSONSchema = JSONSchema> {
  readonly name: string
  readonly version: string
  readonly api: number
  readonly summary: string
  /** JSON Schema of the daemon-level options (`[[plugins]] options = {…}`). */
  readonly options?: S
  /** Codes of its own errors, upper case: what each means and what to do. */
  readonly errors?: Readonly<Record<Uppercase<string>, string>>
  /** Register parts here; at most 10 s. */
  apply(registry: Registry, options: Options<S>): void | Promise<void>
  /** Called once when the daemon (or the worker thread) ends. */
  close?(): void | Promise<void>
}

export const definePlugin = <const S extends JSONSchema>(plugin: Plugin<S>): Plugin => erase(plugin)
