// What the main thread and the thread of the live stream say to each other.
import { type LogLevel } from '../../../core/api/plugin.js'
import { type AdaraOptions } from '../options.js'
import { type AdaraRun } from '../live/state.js'

export interface LiveProgress {
  readonly clients: readonly { readonly name: string; readonly sent_bytes: number; readonly waiting_bytes: number }[]
  readonly run: number | null
  readonly paused: boolean
  readonly messages: number
  readonly pulses: number
  readonly events: number
  readonly values: number
  readonly variables: number
  readonly sentBytes: number
  readonly cutClients: number
  /** Messages and events that were not sent, by reason. */
  readonly losses: Readonly<Record<string, number>>
  /** Topics that do not exist. */
  readonly missing: readonly string[]
}

export type ToLive =
  | { readonly type: 'open'; readonly options: AdaraOptions; readonly geometry: string }
  | { readonly type: 'begin'; readonly ask: number; readonly run: AdaraRun }
  | { readonly type: 'finish' | 'look'; readonly ask: number }
  | {
      readonly type: 'annotate'
      readonly ask: number
      readonly kind: 'pause' | 'resume' | 'comment' | 'scanStart' | 'scanStop'
      readonly text: string
      readonly scan: number
    }
  | { readonly type: 'end' }

export type FromLive =
  | { readonly type: 'open'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string }
  /** What was asked for is on its way to the clients; `run`: the one that is, or was until then. */
  | { readonly type: 'answer'; readonly ask: number; readonly run: number | null; readonly progress: LiveProgress }
  | { readonly type: 'progress'; readonly progress: LiveProgress }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string }
