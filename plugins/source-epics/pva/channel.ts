// One monitored pvAccess channel: what it is called, who listens, where it stands.
import { type EpicsChannel, type Home } from '../shared/channel.js'
import { pvRequest, searchBytes, type PvRequest } from './protocol.js'
import { type MonitorState } from './state.js'

/** What is asked of a channel. */
export interface PvaChannelRequest {
  readonly name: string
  /** Dotted names; [] for all. */
  readonly fields: readonly string[]
  /** Updates that may be under way at once until we acknowledge; 0: without flow control. */
  readonly queueSize: number
  /** Updates that the server is asked to keep when there is no flow control. */
  readonly serverQueue: number
}

/** What a listener is told; calls are synchronous and in order. They must not throw. */
export interface PvaListener {
  /** The monitor is set up; `state` is filled and changed by the updates that follow. */
  onConnect(state: MonitorState, server: string): void
  /** `state` has changed in more than metadata. */
  onUpdate(): void
  /** The channel is gone; it is being searched again. `isRefused`: by an error of the server. */
  onDisconnect(reason: string, isRefused: boolean): void
}

export class PvaChannel implements EpicsChannel<PvaChannel> {
  readonly name: string
  readonly cid: number
  readonly listener: PvaListener
  readonly request: PvRequest
  readonly queueSize: number
  readonly searchBytes: number
  circuit: Home<PvaChannel> | null = null
  /** The monitor runs. */
  state: MonitorState | null = null
  sid = 0
  /** The server has opened the channel and knows `sid`. */
  isCreated = false
  isPaused = false
  /** Updates since the last acknowledgement. */
  unacknowledged = 0
  lastServer = ''
  due = 0
  slot = -1
  attempts = 0
  quickUntil = 0

  constructor({ name, fields, queueSize, serverQueue }: PvaChannelRequest, cid: number, listener: PvaListener) {
    this.name = name
    this.cid = cid
    this.listener = listener
    this.queueSize = queueSize
    this.request = pvRequest(fields, queueSize > 0 ? queueSize : serverQueue, queueSize > 0)
    this.searchBytes = searchBytes(name)
  }

  get isConnected(): boolean {
    return this.state !== null
  }

  disconnected(): void {
    this.state = null
    this.isCreated = false
  }
}
