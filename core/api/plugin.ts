// The public plugin API: everything a plugin imports from nexstream.
// Its major version is API; a breaking change needs an ADR (docs/decisions/) and a new major.
import { type FromSchema, type JSONSchema } from 'json-schema-to-ts'
import { type AsyncSeriesHook, type SyncWaterfallHook } from 'tapable'
import { type Update } from './records.js'
import { type Kafka } from './kafka.js'
import { type Metric, type MetricTable } from './metrics.js'

export { type FromSchema, type JSONSchema } from 'json-schema-to-ts'
export { BySource } from './by-source.js'
export * from './epics.js'
export { BadMessage, CodedError, type ErrorCode } from './errors.js'
export { isStructure, isVector } from './records.js'
export type * from './records.js'
export type * from './kafka.js'
export type { Ready, WriteJob } from '../../plugins/service-filewriter/thread/job.js'
export { WriteThreads } from '../../plugins/service-filewriter/thread/threads.js'
export type { JobEnd, Progress, WriteOptions, WriteSpec } from '../../plugins/service-filewriter/thread/protocol.js'
export type { WorkerConfig } from '../../plugins/service-filewriter/thread/config.js'
export { Cues, timeAttributes } from '../../plugins/service-filewriter/cues.js'
export { LARGE_BYTES, once, Spares } from './spares.js'
export { kafkaTimeMs, messageOf, msOf, nowNs } from './time.js'
export { type Metric, type MetricKind, metricsFrom, type MetricTable } from './metrics.js'

/** Major version of this API; a plugin built for another one is refused (PLUGIN_API). */
export const API = 1

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
   * there is lost.
   */
  count(reason: string, n?: number, weight?: 'lost' | 'warning' | 'note'): void
  /** The write job, for writers of run information; absent elsewhere. */
  readonly run?: RunInfo
  /**
   * Writers only: runs `change`, which may make columns, datasets, groups and attributes although messages come already (what only
   * the first message tells). Costs milliseconds: once per stream, not more. Names are noted in `madeAtClose` where links may want them.
   */
  late?(change: () => void): void
}

/** What is known about the run that a write job records. */
export interface RunInfo {
  readonly startNs: bigint
  /** As it stands now; null while none is set. */
  readonly stopNs: bigint | null
  readonly fileName: string
  readonly runName: string
  readonly instrumentName: string
  readonly periods: number | null
  /** Spectrum number ↔ detector ids of pl72 or df12. */
  readonly detectorSpectrumMap: {
    readonly spectra: readonly number[]
    readonly detectors: readonly number[]
    readonly monitors: number
  } | null
}

/** Something that a command or a nexus_structure node can name by `id`. */
interface Part<C> {
  readonly id: string
  /** One sentence for `nexstream plugins list` and the generated docs. */
  readonly summary: string
  /** JSON Schema (object) of the part's config; the option table of its README is made from it. */
  readonly config: C
}

// ---------------------------------------------------------------- sources

/** One open channel of a source. */
export interface Subscription {
  close(): void | Promise<void>
  /** Sources that make their own data as fast as asked: stop until `resume`. At most the update under way is still emitted. */
  pause?(): void
  resume?(): void
}

/** A part that yields updates, e.g. EPICS Channel Access (`ca`), one `open` per channel. Runs in the main thread. */
export interface SourcePart<C extends JSONSchema = JSONSchema> extends Part<C> {
  /** Metrics that its plugin adds to `sources` of the snapshot. */
  readonly metrics?: MetricTable
  /**
   * `emit` is called synchronously for every update, in order per channel. The receiver may keep updates:
   * a source never changes or reuses what it emitted, unless the receiver gives it back.
   */
  open(config: Options<C>, context: Context, emit: (update: Update) => void): Subscription
}

// ---------------------------------------------------------------- converters

/** Filled in by `Converter.peek`: where the source name's bytes lie in the message, and the message's time. */
export interface Peek {
  sourceStart: number
  sourceEnd: number
  /** ns since the Unix epoch. */
  timestampNs: bigint
}

/** One number of a log, filled in by `Converter.scalar`: used again for the next message. */
export interface Scalar {
  /** ns since the Unix epoch. */
  readonly timestampNs: bigint
  /** The same as two 32-bit numbers, the high one signed: to compare and store bigints would cost more than all else. */
  timeHigh: number
  timeLow: number
  /** Where the source name's bytes are. */
  sourceStart: number
  sourceEnd: number
  dtype: NumberType
  value: number | bigint
  /** In EPICS codes; severity -1: the message says nothing of an alarm. */
  severity: number
  status: number
}

/** One message for Kafka. */
export interface OutMessage {
  readonly value: Uint8Array
  /** Kafka CreateTime in ms; default now. */
  readonly timestampMs?: number
  /** For whoever has copied `value` and lets go of it: its memory is used again. It need not be called. */
  readonly giveBack?: () => void
}

/** One FlatBuffers schema, both directions. */
export interface Converter<R = unknown> {
  /** For routing, without a decode. A message without a source name gets an empty range. Throws BadMessage when the bytes are not a sound message. */
  peek(message: Buffer, out: Peek): void
  /**
   * The content. Vectors are views into `message`, valid until the caller lets go of it.
   * Must check everything it touches: throws BadMessage, never reads outside the message.
   */
  decode?(message: Buffer): R
  /**
   * For speed: a message of one number that lies at `start` to `end` of a larger buffer, without making an object.
   * False, and nothing promised of `out`: it has another content or is not sound; `peek` and `decode` will tell. Never throws.
   */
  scalar?(bytes: DataView, start: number, end: number, out: Scalar): boolean
  /** Source name of schemas whose messages carry none (NDAr): streams that ask for it get the nameless messages. */
  readonly nameless?: string
  /** One record to one message value. */
  encode?(record: R): Uint8Array
  /**
   * What to send for an update of a source; none when there is nothing to say (e.g. the alarm did not change).
   * The bytes of its vectors are valid during the call only, as those of a message to `decode`: what is kept or given out
   * must be a copy.
   * Throws BadMessage for a value that the schema cannot carry.
   */
  convert?(update: Update): readonly OutMessage[]
}

/** `id` is the four-character schema id. */
export interface ConverterPart<C extends JSONSchema = JSONSchema, R = unknown> extends Part<C> {
  open(config: Options<C>, context: Context): Converter<R>
}

// ---------------------------------------------------------------- writers

export type NumberType =
  | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'float32' | 'float64' // prettier-ignore

/** `{ string: n }` is a fixed-length UTF-8 string of n bytes, null padded; `string` is variable-length. */
export type DataType = NumberType | 'string' | { readonly string: number }
/** `bool` is stored as int8. */
export type AttributeValue =
  string | number | bigint | boolean | readonly string[] | readonly number[] | readonly bigint[]
export type Attributes = Readonly<
  Record<string, AttributeValue | { readonly value: AttributeValue; readonly dtype: DataType }>
>

/** An appendable dataset: rows along the first, unlimited dimension. */
export interface Column {
  readonly path: string
  /** Rows appended so far. */
  readonly length: number
  /** Whole rows, little-endian; bytes are used up when the call returns. */
  append(rows: Uint8Array): void
  /** One element of any type but 64-bit integers (for which a number is allowed if it is a safe integer). */
  appendNumber(value: number): void
  /** One 64-bit integer element. */
  appendBigInt(value: bigint): void
  /** The same in two 32-bit halves, e.g. of a Scalar. */
  appendHalves(high: number, low: number): void
  /** One fixed-length string element, cut at a character boundary when too long. */
  appendString(text: string): void
}

export interface ColumnOptions {
  readonly dtype: NumberType | { readonly string: number }
  /** Shape of one row; [] (default) for a 1-D dataset. */
  readonly row?: readonly number[]
  /** Rows per chunk; default 1024, or what makes about 1 MiB when `bulk`. */
  readonly chunk?: number
  /** Large appends are expected (events, frames): chunk and alignment for direct writes. */
  readonly bulk?: boolean
  /** Points into other datasets of the group (event_index, cue_*, time): published after them at a checkpoint. */
  readonly index?: boolean
  readonly compression?: { readonly filter: 'gzip' | 'zstd'; readonly level?: number }
  readonly attributes?: Attributes
}

/** One HDF5 group. Names are checked: no '/', not '.', not empty. Creating what exists throws HDF5_EXISTS. */
export interface Group {
  readonly path: string
  has(name: string): boolean
  group(name: string, attributes?: Attributes): Group
  column(name: string, options: ColumnOptions): Column
  /** A dataset of fixed content. `shape` defaults to scalar for a scalar, [n] for a list. */
  dataset(
    name: string,
    value: DatasetValue,
    options: { dtype: DataType; shape?: readonly number[] | undefined; attributes?: Attributes }
  ): void
  attribute(name: string, value: AttributeValue, dtype?: DataType): void
  /** Sets an attribute of a dataset of this group, in the place of one of that name; only in `late` and `Writer.close`. */
  datasetAttribute(dataset: string, name: string, value: AttributeValue, dtype?: DataType): void
  /** `target` is an absolute path in the file (hard, soft) or `FILE:PATH` (external). */
  link(name: string, target: string, kind?: 'hard' | 'soft' | 'external'): void
}
export type DatasetValue = AttributeValue | ArrayBufferView | readonly boolean[]

/** Writes the records of one stream into one group; opened and run inside the job's worker thread. */
export interface Writer<R = unknown> {
  /** Called for each message that is in the time window; synchronous. Throw BadMessage to have it counted and skipped. */
  write(record: R, schemaId: string): void
  /** For speed: as `write` for what a converter's `scalar` found, with the same outcome. The scalar is used again. */
  writeScalar?(scalar: Scalar, schemaId: string): void
  /** Called after the last message: what was gathered can still be appended. */
  flush?(): void
  /** Called when all columns are complete; static datasets and attributes may still be made. */
  close?(): void
}

/** `id` is the module name that a nexus_structure names, e.g. `f144`. */
export interface WriterPart<C extends JSONSchema = JSONSchema, R = unknown> extends Part<C> {
  /** Schema ids whose decoded records it takes; [] for a writer that needs no topic and source (run information). */
  readonly accepts: readonly string[]
  /** Written as NX_class when the structure gives none. */
  readonly nxClass: string
  /** true: also the last message before the window, and repeated times dropped (logs); false: the window only (events). */
  readonly keepsLast: boolean
  /** Names that `late` and `close` may make in its group; links may point to them, and nothing else may have them. */
  madeAtClose?(config: Options<C>): readonly string[]
  /** Module ids that are opened in the same group for the same source, unless the structure or the config says otherwise. */
  companions?(config: Options<C>): readonly string[]
  /** Makes the datasets. Throws CodedError for a config that cannot be written. */
  open(group: Group, config: Options<C>, context: Context): Writer<R>
}

// ---------------------------------------------------------------- control plane

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
  /** JSON path, e.g. `/nexus_structure/children/0/name`. */
  readonly path: string
  readonly message: string
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
  /** Only for a command that a consumer group gave to this daemon: takes it for good. Without a call it is taken when the answer is made. */
  readonly take?: () => Promise<void>
}

/** Something that happened to a job; dialects turn it into their own words. */
export interface ServiceEvent {
  readonly event: string
  readonly job_id?: string
  readonly [key: string]: unknown
}

/** The state of a service for status topics: plain JSON, snake_case. */
export interface Snapshot {
  readonly state: string
  /** The service's keys of the x5f2 `status_json` (file writer: `job_id`, …; forwarder: `streams`). */
  readonly heartbeat?: Readonly<Record<string, unknown>>
  readonly metrics?: readonly Metric[]
  /** In place of `heartbeat`: several, each to its own topic (control topic of a job) or the configured one; [] for none. */
  readonly heartbeats?: readonly { readonly topic?: string; readonly content: Readonly<Record<string, unknown>> }[]
  readonly [key: string]: unknown
}

export type JobState = 'accepted' | 'starting' | 'running' | 'stopping' | 'done' | 'failed'
/** What `nexstream jobs` shows of a job: plain JSON, snake_case. */
export type JobInfo = Readonly<Record<string, unknown>>
/** One accepted start command. */
export interface Job {
  readonly id: string
  readonly service: string
  readonly state: JobState
  /** accepted → starting → running → stopping → done | failed; every state may go to stopping or failed. */
  to(state: JobState, message?: string): void
  info(): JobInfo
}
/** The jobs of the daemon; shown by the `jobs` command and in the status. */
export interface Jobs {
  /**
   * `describe` gives the service's own keys of the job, called when someone looks: in short for lists, with `detail` for one job.
   * Throws JOB_EXISTS or a plugin's refusal.
   */
  open(id: string, service: string, describe: (detail: boolean) => JobInfo): Promise<Job>
  get(id: string): Job | undefined
  list(): JobInfo[]
  /** All about a running job or one of the last ended ones. */
  show(id: string): JobInfo | undefined
}

/** A role of the daemon. */
export interface Service {
  start(): Promise<void>
  /** The daemon is about to stop: begin nothing new. */
  retire?(): void
  /** Finish or flush everything; called once. */
  stop(reason: string): Promise<void>
  snapshot(): Snapshot
  /** Runs a canonical command whose `service` is this one, e.g. `start`. Unknown `cmd` → undefined. */
  readonly commands: Readonly<Record<string, (command: Command, origin: Origin) => Promise<Reply>>>
}

/** What the daemon gives to a service. `Kafka` is core/kafka/transport.ts, structurally. */
export interface ServiceContext {
  readonly serviceId: string
  readonly signal: AbortSignal
  readonly kafka: Kafka
  readonly jobs: Jobs
  readonly brokers: readonly string[]
  /** All of the merged config that a worker thread needs to load the same plugins and reach Kafka. */
  readonly workerConfig: unknown
  log(level: LogLevel, message: string, fields?: Record<string, unknown>): void
  source(id: string): SourcePart | undefined
  converter(id: string): ConverterPart | undefined
  writer(id: string): WriterPart | undefined
  ids(kind: 'source' | 'converter' | 'writer'): string[]
  /** Sent to the status topic of the origin (or of the daemon) in the words of its dialect. */
  emit(event: ServiceEvent, origin?: Origin): void
  /** Hears the commands for one job on a further topic (its control topic) from a time on, until closed. Throws TOPIC_MISSING. */
  listen(
    topic: string,
    options: { readonly dialect: string; readonly jobId: string; readonly fromMs: number }
  ): Promise<Subscription>
  /** false: this daemon leaves its pools (consumer groups) of commands, so that others take them; true: it joins again. */
  takeJobs(yes: boolean): void
  /** Reads a command again from where it came. Throws COMMAND_FAILED when Kafka has it no more. */
  recall(origin: Origin): Promise<Command>
  /** Answers a command that was not dispatched, in the words of its dialect. */
  answer(command: Command, origin: Origin, reply: Reply): void
  /** Checks a value against a JSON Schema; [] when it fits. Defaults are filled in. */
  check(schema: JSONSchema, value: unknown, path?: string): Finding[]
}

/** What a service may ask about loaded parts before it runs. */
export type PartLookup = Pick<ServiceContext, 'source' | 'converter' | 'ids' | 'check'>

export interface ServicePart<C extends JSONSchema = JSONSchema> extends Part<C> {
  /** Every metric that its snapshots may hold. */
  readonly metrics?: MetricTable
  /** For `nexstream check`: what is wrong with its options, or with a command for it, beyond their schemas; nothing is opened. */
  inspect?(options: Options<C>, command: Command | undefined, parts: PartLookup): readonly Finding[]
  open(options: Options<C>, context: ServiceContext): Service
}

/** Gets one snapshot of the whole daemon about every second. */
export interface Reporter {
  report(snapshot: DaemonSnapshot): void | Promise<void>
  close?(): void | Promise<void>
}
export interface DaemonSnapshot {
  readonly type: 'nexstream_status'
  readonly service_id: string
  readonly version: string
  readonly host: string
  readonly pid: number
  readonly time: string
  readonly uptime_s: number
  readonly update_interval_ms: number
  readonly services: Readonly<Record<string, Snapshot>>
  /** What sources share and count for all their channels (connections to servers), by source id; added by the snapshot hook. */
  readonly sources?: Readonly<Record<string, Snapshot>>
  readonly jobs: readonly JobInfo[]
}
export interface ReporterPart<C extends JSONSchema = JSONSchema> extends Part<C> {
  /** Metrics that it makes itself, for reporters that hand metrics on. */
  readonly metrics?: MetricTable
  open(options: Options<C>, context: ServiceContext): Reporter
}

/** A way to say commands on the wire. */
export interface Dialect {
  readonly id: string
  /** undefined: not in this dialect. Throws CodedError for a broken command of this dialect. */
  decode(message: Buffer): Command | undefined
  /** The answer in the dialect's own words; [] when it has none. `command` is what `decode` gave. */
  reply(command: Command, reply: Reply, serviceId: string): readonly OutMessage[]
  event(event: ServiceEvent, serviceId: string): readonly OutMessage[]
  /** The commands in a start-up file (parsed JSON) of the tools that speak this dialect; undefined: it is none. */
  file?(content: unknown): readonly Command[] | undefined
}

// ---------------------------------------------------------------- define…

/** What `apply` may register. An id that is taken is refused (PLUGIN_DUPLICATE_ID) naming both plugins. */
export interface Registry {
  source(part: SourcePart): void
  converter(part: ConverterPart): void
  writer(part: WriterPart): void
  service(part: ServicePart): void
  reporter(part: ReporterPart): void
  dialect(dialect: Dialect): void
  readonly hooks: Hooks
}

/** Control-plane hooks (tapable); tap with your plugin's name. Each tap has a deadline and its failures name the plugin. */
export interface Hooks {
  /** A rejected promise (CodedError) refuses the job. */
  readonly jobStarting: AsyncSeriesHook<[Job]>
  readonly jobStopped: AsyncSeriesHook<[Job]>
  /** Returns the snapshot with a part of its own added. */
  readonly snapshot: SyncWaterfallHook<[DaemonSnapshot]>
}

/** A plugin: the default export of its module. */
export interface Plugin<S extends JSONSchema = JSONSchema> {
  readonly name: string
  readonly version: string
  readonly api: number
  readonly summary: string
  /** JSON Schema of the daemon-level options (`[[plugins]] options = {…}`). */
  readonly options?: S
  /** Register parts here; at most 10 s. */
  apply(registry: Registry, options: Options<S>): void | Promise<void>
  /** Called once when the daemon (or the worker thread) ends. */
  close?(): void | Promise<void>
}

// Typed parts lose their config type in the registry: options are checked by ajv before `open` is called.
const erase = <T>(part: unknown): T => part as T
export const definePlugin = <const S extends JSONSchema>(plugin: Plugin<S>): Plugin => erase(plugin)
export const defineSource = <const C extends JSONSchema>(part: SourcePart<C>): SourcePart => erase(part)
export const defineConverter = <const C extends JSONSchema, R>(part: ConverterPart<C, R>): ConverterPart => erase(part)
export const defineWriter = <const C extends JSONSchema, R>(part: WriterPart<C, R>): WriterPart => erase(part)
export const defineService = <const C extends JSONSchema>(part: ServicePart<C>): ServicePart => erase(part)
export const defineReporter = <const C extends JSONSchema>(part: ReporterPart<C>): ReporterPart => erase(part)

// ---------------------------------------------------------------- commands

/** One thing that can be asked of the daemon: a file in commands/, default export. */
export interface CommandDefinition {
  readonly cmd: string
  /** The service that carries it out; none: the daemon itself, by `run`. */
  readonly service?: string
  readonly summary: string
  /** JSON Schema of the command's own keys; the common ones (cmd, service, msg_id, service_id) are added. */
  readonly schema: JSONSchema
  /** Valid commands for the docs; each is tested against the schema. */
  readonly examples: readonly Command[]
  run?(command: Command, daemon: DaemonView): Promise<Reply>
}

/** What a daemon-level command may see. */
export interface DaemonView {
  snapshot(): DaemonSnapshot
  readonly jobs: Jobs
  plugins(): readonly { name: string; version: string; summary: string; builtin: boolean }[]
  commands(): readonly CommandDefinition[]
  /** Begins a clean shutdown after the answer is sent. */
  shutdown(reason: string): void
}
