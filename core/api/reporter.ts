// Reporters: tell the state of the daemon to others.
import { type JobInfo } from './job.js'
import { type MetricTable } from './metrics.js'
import { erase, type JSONSchema, type Options, type Part } from './part.js'
import { type ServiceContext, type Snapshot } from './service.js'

/** Gets one snapshot of the whole daemon about every second. */
export interface Reporter {
  report(snapshot: DaemonSnapshot): void | Promise<void>
  close?(): void | Promise<void>
}
/** For one that tells less often than snapshots come: whether its time is there, and if so, when the next one is. A little early counts. */
export function pace(intervalMs: number): () => boolean {
  let due = 0
  return () => {
    const now = performance.now()
    const isDue = now >= due
    if (isDue) due = now + intervalMs - 50
    return isDue
  }
}

/** What a method of a plugin's part threw, or gave in place of what it must give, since the start. */
export interface PluginFault {
  readonly plugin: string
  /** Kind and id, e.g. `source ca`. */
  readonly part: string
  readonly method: string
  readonly count: number
  readonly last_error: string
}
/** A way to another server: what it took, and what was given up. */
export interface OutletState {
  readonly state: string
  readonly sent: number
  readonly dropped: number
}
export interface DaemonSnapshot {
  readonly type: 'nexstream_status'
  readonly service_id: string
  readonly version: string
  readonly host: string
  readonly pid: number
  readonly time: string
  /** `stopped` is the last word of a daemon that ended in order. */
  readonly state: 'running' | 'waiting for Kafka' | 'stopping' | 'stopped'
  readonly kafka: { readonly connected: boolean }
  readonly uptime_s: number
  readonly update_interval_ms: number
  readonly services: Readonly<Record<string, Snapshot>>
  /** What sources share and count for all their channels (connections to servers), by source id; added by the snapshot hook. */
  readonly sources?: Readonly<Record<string, Snapshot>>
  /** What tells others over the network (metrics, logs): whether the server takes it and what was dropped; added by the snapshot hook. */
  readonly outlets?: Readonly<Record<string, OutletState>>
  /** Messages on command topics that were in none of their dialects, by kind: `empty`, `json`, `bytes`, ids of FlatBuffers. */
  readonly not_understood?: Readonly<Record<string, number>>
  readonly jobs: readonly JobInfo[]
  /** Why the daemon cannot do its work as it should now; absent while it can. */
  readonly not_ready?: readonly string[]
  /** Absent as long as there are none. */
  readonly plugin_errors?: readonly PluginFault[]
}
export interface ReporterPart<C extends JSONSchema = JSONSchema> extends Part<C> {
  /** Metrics that it makes itself, for reporters that hand metrics on. */
  readonly metrics?: MetricTable
  /** Undefined: it has nothing to do, e.g. no topic to tell anything on. */
  open(options: Options<C>, context: ServiceContext): Reporter | undefined
}

export const defineReporter = <const C extends JSONSchema>(part: ReporterPart<C>): ReporterPart => erase(part)
