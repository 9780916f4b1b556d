// One monitored Channel Access channel: what it is called, who listens, where it stands.
import { type Searchable } from '../searcher.js'
import { type CaCircuit } from './circuit.js'
import { NO_META, type CaMeta, type CaValue } from './dbr.js'
import { searchMessage } from './protocol.js'

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

export class CaChannel implements Searchable {
  readonly name: string
  readonly cid: number
  readonly listener: CaListener
  /** CHAR arrays are text. */
  readonly isText: boolean
  /** An array, even when it has room for one element only. */
  readonly isAlwaysArray: boolean
  readonly searchMessage: Buffer
  circuit: CaCircuit | null = null
  isConnected = false
  isReadable = true
  isPaused = false
  sid = 0
  type = 0
  isArray = false
  /** Its value was asked for behind the subscription, and may still be news. */
  isRechecked = false
  meta: CaMeta = NO_META
  /** Key of the circuit it was last found on. */
  lastServer = ''
  due = 0
  slot = -1
  attempts = 0
  quickUntil = 0

  constructor(name: string, cid: number, isText: boolean, isAlwaysArray: boolean, listener: CaListener) {
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
}
