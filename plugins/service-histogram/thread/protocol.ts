// What the main thread and the thread that counts say to each other.
import { type LogLevel } from '../../../core/api/plugin.js'
import { type HistogramSpec } from '../spec.js'

export interface JobSpec {
  readonly jobId: string
  readonly histograms: readonly HistogramSpec[]
  /** Kafka times of what counts, both inclusive; null: from now on, without end. */
  readonly startMs: number | null
  readonly stopMs: number | null
  readonly updateMs: number
  readonly keepAliveMs: number
  readonly keepAliveBytes: number
  readonly lateDataMs: number
  readonly disorderMs: number
  readonly fetchBytes: number
  /** Made-up events instead of what Kafka has. */
  readonly simulate: boolean
}

export type HistogramState = 'INITIALISED' | 'COUNTING' | 'FINISHED' | 'ERROR'

export interface HistogramProgress {
  readonly id: string
  readonly topic: string
  readonly state: HistogramState
  /** Events in the cells. */
  readonly sum: number
  /** Events per second. */
  readonly rate: number
  /** Messages sent. */
  readonly sent: number
  /** Events that were not counted. */
  readonly outside: number
}

/** What a source of a topic has sent since the job began. */
export interface SourceProgress {
  readonly topic: string
  readonly source: string
  readonly pulses: number
  readonly events: number
  /** Time of its last pulse, ms since 1970. */
  readonly last_pulse_ms: number
}

/** The way of the data: each loss with its reason. */
export interface CountingProgress {
  readonly jobId: string
  readonly messages: number
  readonly bytes: number
  readonly events: number
  /** Messages that were not counted, by reason. */
  readonly losses: Readonly<Record<string, number>>
  /** Messages in Kafka that are not read yet. */
  readonly behind: number
  /** How long ago what is read now was the newest. */
  readonly behindMs: number
  readonly histograms: readonly HistogramProgress[]
  readonly sources: readonly SourceProgress[]
}

export type ToThread =
  | { readonly type: 'start'; readonly spec: JobSpec }
  | { readonly type: 'stop'; readonly jobId: string }
  /** All jobs without an id. */
  | { readonly type: 'reset'; readonly jobId?: string }
  | { readonly type: 'end' }

export type FromThread =
  /** Where it begins is known: what comes to its topics from now on is counted. */
  | { readonly type: 'ready'; readonly jobId: string }
  | { readonly type: 'refused'; readonly jobId: string; readonly code: string; readonly message: string }
  | { readonly type: 'progress'; readonly jobs: readonly CountingProgress[] }
  | { readonly type: 'done'; readonly progress: CountingProgress; readonly error: string | null }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string }
