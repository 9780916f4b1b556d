// What the main thread and the thread of the bridge say to each other.
import { type BridgeOptions } from '../options.js'

export interface BridgeProgress {
  readonly messages: number
  readonly sent: number
  readonly runs: number
  /** Messages that did not go on, by reason. */
  readonly losses: Readonly<Record<string, number>>
  /** Topics that do not exist. */
  readonly missing: readonly string[]
}

export interface OpenBridge {
  readonly type: 'open'
  readonly options: BridgeOptions
  readonly geometry: string | undefined
}
