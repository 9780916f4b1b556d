// One monitored Channel Access channel: what it is called, who listens, where it stands.
import { type EpicsChannel, type Home } from '../shared/channel.js'
import { NO_META, type CaMeta, type CaValue } from './dbr.js'
import { searchMessage } from './protocol.js'

/** What is asked of a channel. */
export interface CaRequest {
  readonly name: string
  /** CHAR arrays are text. */
  readonly isText: boolean
  /** An array, even when it has room for one element only. */
  readonly isAlwaysArray: boolean
}

/** What a listener is told; calls are synchronous and in order. They must not throw. */
export interface CaListener {
  /** Found and open; values follow if it is `readable`. `count` is the largest number of elements. */
  onConnect(type: number, count: number, readable: boolean): void
  onValue(value: CaValue, meta: CaMeta): void
  /** The server refuses (false) or allows (true, again) reading. */
  onAccess(readable: boolean): void
  /** The channel is gone; it is being searched again. `isRefused`: it could not be used. */
  onDisconnect(reason: string, isRefused: boolean): void
}

export class CaChannel implements EpicsChannel<CaChannel> {
  readonly name: string
  readonly cid: number
  readonly listener: CaListener
  readonly isText: boolean
  readonly isAlwaysArray: boolean
  readonly searchMessage: Buffer
  circuit: Home<CaChannel> | null = null
  isConnected = false
  isReadable = true
  isPaused = false
  sid = 0
  type = 0
  isArray = false
  /** Its value was read once more after the subscription; the answer may be newer than what the subscription sent. */
  isRechecked = false
  meta: CaMeta = NO_META
  lastServer = ''
  due = 0
  slot = -1
  attempts = 0
  quickUntil = 0

  constructor({ name, isText, isAlwaysArray }: CaRequest, cid: number, listener: CaListener) {
    this.name = name
    this.cid = cid
    this.isText = isText
    this.isAlwaysArray = isAlwaysArray
    this.listener = listener
    this.searchMessage = searchMessage(name, cid)
  }

  get searchBytes(): number {
    return this.searchMessage.length
  }

  disconnected(): void {
    this.isConnected = false
    this.isReadable = true
  }
}
