// What the channels and circuits of both protocols have in common, as the client and each other see them.
import { type Searchable } from './searcher.js'

/** What a channel needs of the circuit it is on. */
export interface Home<C> {
  remove(channel: C): void
  pause(): void
  resume(): void
}

/** One monitored channel. */
export interface EpicsChannel<C> extends Searchable {
  readonly cid: number
  readonly listener: { onDisconnect(reason: string, isRefused: boolean): void }
  readonly isConnected: boolean
  circuit: Home<C> | null
  isPaused: boolean
  /** Key of the circuit it was last found on. */
  lastServer: string
  /** Nothing of what a server said of it holds any more. */
  disconnected(): void
}

/** One TCP connection to a server, with all channels found there. */
export interface EpicsCircuit<C> extends Home<C> {
  readonly key: string
  readonly channels: ReadonlyMap<number, C>
  /** Name servers are kept without channels. */
  isNameServer: boolean
  /** ms when the server answered; 0: it has not. */
  readonly openedMs: number
  readonly rxBytes: number
  add(channel: C): void
  /** Called about every second. */
  tick(nowMs: number): void
  close(reason: string): void
}

/** Why a channel left its circuit. */
export interface Loss {
  readonly reason: string
  /** By an error of the server, or because it cannot be used. */
  readonly isRefused?: boolean
  /** Its server is not asked again at once (short: after a second; long: after the longest search period). */
  readonly rest?: 'short' | 'long'
}

/** What a circuit tells its client. */
export interface CircuitOwner<C, K> {
  readonly connectTimeoutMs: number
  /** Silence after which a server is probed (Channel Access) or given up (pvAccess). */
  readonly silenceMs: number
  readonly maxBytes: number
  readonly user: string
  readonly host: string
  /** This one channel is no longer on the circuit. */
  lost(channel: C, loss: Loss): void
  opened(circuit: K): void
  /** `wasInUse`: channels were lost with it. */
  closed(circuit: K, reason: string, wasInUse: boolean): void
  warn(key: string, message: string, fields?: Record<string, unknown>): void
  countUpdate(): void
}
