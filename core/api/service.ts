// Services: roles of the daemon, what they are given, and what they tell.
import { type Worker } from 'node:worker_threads'
import { type Command, type CommandPart, type Finding, type KnownCommand, type Origin, type Reply } from './command.js'
import { type ServiceEvent } from './dialect.js'
import { type Jobs } from './job.js'
import { type Kafka } from './kafka.js'
import { type PartLookup } from './lookup.js'
import { type Metric, type MetricTable } from './metrics.js'
import { erase, type JSONSchema, type LogLevel, type Options, type Part } from './part.js'
import { type ThreadPartKind } from './thread.js'
import { type FileKind, type ToolFlags } from './tool.js'

/** The state of a service for status topics: plain JSON, snake_case. */
export interface Snapshot {
  readonly state: string
  /** The service's keys of the x5f2 `status_json` (file writer: `job_id`, …; forwarder: `streams`). */
  readonly heartbeat?: Readonly<Record<string, unknown>>
  readonly metrics?: readonly Metric[]
  /** Another number than before: the next heartbeat is sent without waiting for its time. */
  readonly news?: number
  /** In place of `heartbeat`: several, each to its own topic (control topic of a job) or the configured one; [] for none. */
  readonly heartbeats?: readonly { readonly topic?: string; readonly content: Readonly<Record<string, unknown>> }[]
  /** Why it cannot do its work as it should now: the daemon is not ready. A job that lags says so as `behind_s` of its `JobInfo`. */
  readonly not_ready?: readonly string[]
  /** For whoever wants them; a service may count them only from the first call on. */
  readonly details?: () => readonly Detail[]
  readonly [key: string]: unknown
}

/** Numbers of one PV, partition or stream, of which there are too many for metrics. */
export interface Detail {
  readonly of: Readonly<Record<string, string>>
  readonly counts: Readonly<Record<string, number>>
}

/** A role of the daemon. */
export interface Service {
  start(): Promise<void>
  /** The daemon is about to stop: begin nothing new. */
  retire?(): void
  /** Finish or flush everything; called once. */
  stop(reason: string): Promise<void>
  snapshot(): Snapshot
}

/** Something open: a channel of a source, a topic that is heard. */
export interface Subscription {
  close(): void | Promise<void>
  /** Sources that make their own data as fast as asked: stop until `resume`. At most the update under way is still emitted. */
  pause?(): void
  resume?(): void
}

/** What the daemon gives to services and reporters. */
export interface ServiceContext extends PartLookup {
  readonly serviceId: string
  readonly signal: AbortSignal
  readonly kafka: Kafka
  readonly jobs: Jobs
  readonly brokers: readonly string[]
  /** `status.topic` of the config. */
  readonly statusTopic: string | undefined
  log(level: LogLevel, message: string, fields?: Record<string, unknown>): void
  /** Starts a worker thread, whose module exports a ThreadMain; it is the service's to end. `kinds`: parts that it needs; default all. */
  thread(entry: URL, kinds?: readonly ThreadPartKind[]): Worker
  /** A part that the service uses threw, or gave, what it must not: told with its plugin, counted. Never throws. */
  fault(kind: 'source' | 'converter' | 'writer' | 'readout', id: string, method: string, error: unknown): void
  /**
   * Sent to the status topic of the origin (or of the daemon) in the words of its dialect. `sent` is called once, when Kafka has it
   * or it was given up.
   */
  emit(event: ServiceEvent, origin?: Origin, sent?: () => void): void
  /** Hears the commands for one job on a further topic (its control topic) from a time on, until closed. Throws TOPIC_MISSING. */
  listen(
    topic: string,
    options: { readonly dialect: string; readonly jobId: string; readonly fromMs: number }
  ): Promise<Subscription>
  /** False: this daemon leaves its pools (consumer groups) of commands, so that others take them; true: it joins again. */
  takeJobs(yes: boolean): void
  /** Reads a command again from where it came. Throws COMMAND_FAILED when Kafka has it no more. */
  recall(origin: Origin): Promise<Command>
  /** Answers a command that was not dispatched, in the words of its dialect. */
  answer(command: Command, origin: Origin, reply: Reply): void
  /** Every command that there is here. */
  commands(): readonly KnownCommand[]
  /** Carries out a command that came on no topic; the status topic hears the answer, too, and what its job tells. Never rejects. */
  carryOut(command: Command): Promise<Reply>
}

/** What is known of a service before it is opened. `id` is the `service` of its commands. */
export interface ServiceInfo<C extends JSONSchema> extends Part<C> {
  /** Every metric that its snapshots may hold. */
  readonly metrics?: MetricTable
  /** Kinds of files that `nexstream check` learns from it. */
  readonly files?: readonly FileKind[]
  /**
   * For `nexstream check`: what is wrong with its options, or with a command for it, beyond their schemas; nothing is opened.
   * `flags`: those of `check`.
   */
  inspect?(
    options: Options<C>,
    command: Command | undefined,
    parts: PartLookup,
    flags: ToolFlags
  ): readonly Finding[] | Promise<readonly Finding[]>
}

export interface ServicePart<C extends JSONSchema = JSONSchema> extends ServiceInfo<C> {
  /** What can be asked of it; carried out one after the other, in the order they came. */
  readonly commands?: readonly CommandPart[]
  open(options: Options<C>, context: ServiceContext): Service
}

/** All that commands need of the service that carries them out. */
type Receiver<P> = [P] extends [never]
  ? unknown
  : (P extends CommandPart<infer S> ? (service: S) => void : never) extends (service: infer I) => void
    ? I
    : never

/** The service that `open` gives must have what the commands need. */
export const defineService = <const C extends JSONSchema, P extends CommandPart = never>(
  part: ServiceInfo<C> & {
    readonly commands?: readonly P[]
    open(options: Options<C>, context: ServiceContext): Service & Receiver<P>
  }
): ServicePart => erase(part)
