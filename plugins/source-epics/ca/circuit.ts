// One TCP connection to a Channel Access server, with all channels found there.
import { type HostPort } from '../shared/addrlist.js'
import { type CircuitOwner, type EpicsCircuit } from '../shared/channel.js'
import { Link } from '../shared/link.js'
import { textOf } from '../shared/text.js'
import { type CaChannel } from './channel.js'
import {
  CTRL_BASE,
  decodeControl,
  decodeTime,
  Dbr,
  MAX_NATIVE,
  NO_META,
  TIME_BASE,
  timeBytes,
  type CaValue
} from './dbr.js'
import { CaFramer, type CaMessage } from './framer.js'
import * as wire from './protocol.js'
import { Command, ECA_NO_READ_ACCESS, ECA_NORMAL, LENGTH_VERSION, Mask, MINOR_VERSION } from './protocol.js'
import { Rechecks } from './recheck.js'

/** What a circuit tells its client. */
export interface CaOwner extends CircuitOwner<CaChannel, CaCircuit> {
  /** A search answer that came over TCP (name server). */
  found(cid: number, at: HostPort): void
}

const ECHO_GRACE_MS = 5000
const CREATE_TIMEOUT_MS = 30_000

export class CaCircuit implements EpicsCircuit<CaChannel> {
  readonly host: string
  readonly key: string
  isNameServer = false
  readonly channels = new Map<number, CaChannel>()
  readonly #owner: CaOwner
  readonly #link: Link
  readonly #framer: CaFramer
  /** Cid → ms when its creation was asked for. */
  readonly #creating = new Map<number, number>()
  readonly #rechecks = new Rechecks((channel, value) => this.#deliver(channel, value))
  #isOpen = false
  /** What the server said of its protocol, which it does first. */
  #minorVersion = MINOR_VERSION
  /** ms when the server answered; 0: it has not. */
  openedMs = 0
  #echoSentMs = 0

  constructor(owner: CaOwner, { host, port }: HostPort) {
    this.#owner = owner
    this.host = host
    this.#framer = new CaFramer(
      owner.maxBytes,
      (message) => {
        // The hot one first, without a further call.
        if (message.command === Command.EVENT_ADD) this.#onEvent(message)
        else this.#onOther(message)
      },
      (subscription, size) => this.#onTooLarge(subscription >>> 1, size)
    )
    this.#link = new Link(host, port, owner.connectTimeoutMs, {
      onOpen: () => this.#onOpen(),
      onData: (chunk) => {
        this.#echoSentMs = 0
        this.#framer.push(chunk)
      },
      onClose: (reason) => this.#onClose(reason)
    })
    this.key = this.#link.key
  }

  get rxBytes(): number {
    return this.#link.rxBytes
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  add(channel: CaChannel): void {
    this.channels.set(channel.cid, channel)
    channel.circuit = this
    channel.lastServer = this.key
    if (channel.isPaused) this.#link.pause()
    if (this.#isOpen) this.#create(channel)
  }

  remove(channel: CaChannel): void {
    this.channels.delete(channel.cid)
    this.#creating.delete(channel.cid)
    this.#rechecks.end(channel)
    if (channel.isConnected) this.#link.send(wire.clearMessage(channel.sid, channel.cid))
    if (channel.isPaused) this.#link.resume()
    channel.isConnected = false
    channel.circuit = null
  }

  /** Asks this server where the channels are; false while it is not connected. */
  search(messages: readonly Buffer[]): boolean {
    if (!this.#isOpen) return false
    for (const message of messages) this.#link.send(message)
    return true
  }

  pause(): void {
    this.#link.pause()
  }

  resume(): void {
    this.#link.resume()
  }

  close(reason: string): void {
    this.#link.close(reason)
  }

  /** Called about every second: asks a silent server for an echo, gives up one that does not answer. */
  tick(now: number): void {
    if (!this.#isOpen || this.#link.paused) return
    if (this.#link.isOverdue(this.#framer.waitingSinceMs, this.#owner.silenceMs + ECHO_GRACE_MS, now))
      return this.close('the rest of a message did not come')
    if (this.#echoSentMs > 0) {
      if (now - this.#echoSentMs > ECHO_GRACE_MS) this.close('no answer from the server')
    } else if (now - this.#link.lastRxMs > this.#owner.silenceMs) {
      this.#echoSentMs = now
      this.#link.send(wire.echoMessage())
    }
    for (const [cid, since] of this.#creating) {
      if (now - since < CREATE_TIMEOUT_MS) break
      this.#drop(cid, 'the server did not answer')
    }
    this.#rechecks.tick((sinceMs, ms) => this.#link.isOverdue(sinceMs, ms, now))
  }

  #onOpen(): void {
    this.#link.established()
    this.#isOpen = true
    this.openedMs = Date.now()
    const { user, host } = this.#owner
    this.#link.send(wire.versionMessage(0))
    this.#link.send(wire.clientNameMessage(user))
    this.#link.send(wire.hostNameMessage(host))
    for (const channel of this.channels.values()) this.#create(channel)
    this.#owner.opened(this)
  }

  #onClose(reason: string): void {
    this.#isOpen = false
    const channels = [...this.channels.values()]
    this.channels.clear()
    for (const channel of channels) this.#rechecks.end(channel)
    this.#owner.closed(this, reason, channels.length > 0)
    for (const channel of channels) this.#owner.lost(channel, { reason })
  }

  #create(channel: CaChannel): void {
    this.#creating.set(channel.cid, Date.now())
    this.#link.send(wire.createMessage(channel.name, channel.cid))
  }

  /** The server has no such channel (any more): only this one is searched again. */
  #drop(cid: number, reason: string): void {
    const channel = this.channels.get(cid)
    this.#creating.delete(cid)
    if (channel === undefined) return
    this.channels.delete(cid)
    this.#rechecks.end(channel)
    if (channel.isPaused) this.#link.resume()
    this.#owner.lost(channel, { reason, rest: 'short' })
  }

  /** Only this channel is given up; the others of the server go on. */
  #onTooLarge(cid: number, size: number): void {
    const channel = this.channels.get(cid)
    if (channel === undefined) return
    const reason = `an update of ${size} bytes is over the limit of ${this.#owner.maxBytes}`
    this.#owner.warn(`size ${channel.name}`, `${channel.name}: ${reason}; raise max_message_bytes of ca`)
    this.remove(channel)
    this.#owner.lost(channel, { reason, isRefused: true, rest: 'long' })
  }

  #onEvent(message: CaMessage): void {
    const { type, p1: status, p2: subscription } = message
    const channel = this.channels.get(subscription >>> 1)
    // An empty payload confirms a cancelled subscription; what may not be read is told by the access rights.
    if (channel === undefined || !channel.isConnected) return
    if (message.start === message.end || status === ECA_NO_READ_ACCESS) return
    if (status !== ECA_NORMAL) {
      this.#owner.warn(`event ${channel.name}`, `${channel.name}: the server reports ECA ${status}`, {
        server: this.key
      })
    } else if (type === TIME_BASE + channel.type) {
      const value = decodeTime(channel, message)
      if (channel.isRechecked) {
        this.#rechecks.update(channel, value)
        // The listener may have closed the channel.
        if (channel.circuit !== this) return
      }
      this.#deliver(channel, value)
    } else if (type === CTRL_BASE + channel.type) {
      channel.meta = decodeControl(channel.type, message)
    }
  }

  #deliver({ listener, meta }: CaChannel, value: CaValue): void {
    this.#owner.countUpdate()
    listener.onValue(value, meta)
  }

  #onOther(message: CaMessage): void {
    const { type, count, p1, p2 } = message
    switch (message.command) {
      case Command.CREATE_CHAN: return this.#onCreated(p1, p2, type, count)
      case Command.READ_NOTIFY: return this.#onRead(message)
      case Command.ACCESS_RIGHTS: return this.#onAccess(p1, (p2 & 1) !== 0)
      case Command.CREATE_CH_FAIL: return this.#drop(p1, 'the server could not open the channel')
      case Command.SERVER_DISCONN: return this.#drop(p1, 'the server closed the channel')
      case Command.SEARCH: return this.#onFound(type, p1, p2)
      case Command.ERROR: return this.#onError(message)
      case Command.VERSION: this.#minorVersion = count; return
      default: // ECHO, EVENT_CANCEL, CLEAR_CHANNEL: that something came is all there is to know
    } // prettier-ignore
  }

  #onCreated(cid: number, sid: number, type: number, count: number): void {
    const channel = this.channels.get(cid)
    if (channel === undefined || !this.#creating.delete(cid)) return
    if (type > MAX_NATIVE) throw new RangeError(`CA: ${channel.name} has the unknown type ${type}`)
    channel.sid = sid
    channel.type = type
    channel.isArray = count !== 1 || channel.isAlwaysArray
    channel.isConnected = true
    channel.attempts = 0
    channel.meta = NO_META
    channel.listener.onConnect(type, count, channel.isReadable)
    // The listener may have closed the channel.
    if (channel.circuit !== this) return
    if (type !== Dbr.STRING) {
      // Read at once so that it comes before the first value, subscribed to see changes.
      this.#link.send(wire.readMessage(CTRL_BASE + type, 1, sid, cid))
      this.#link.send(wire.subscribeMessage(CTRL_BASE + type, 1, sid, cid * 2 + 1, Mask.PROPERTY))
    }
    const length = this.#minorVersion < LENGTH_VERSION ? count : 0
    this.#link.send(wire.subscribeMessage(TIME_BASE + type, length, sid, cid * 2, Mask.VALUE | Mask.ALARM))
    // A filter of the server ("name.{…}") decides itself what is sent. Messages are padded to 8 bytes.
    if (channel.name.includes('{') || timeBytes(type, count) > this.#owner.maxBytes - 7) return
    this.#rechecks.begin(channel, Date.now())
    this.#link.send(wire.readMessage(TIME_BASE + type, length, sid, cid))
  }

  #onRead(message: CaMessage): void {
    const { type, p1: status, p2: cid } = message
    const channel = this.channels.get(cid)
    if (channel === undefined) return
    if (type === TIME_BASE + channel.type) {
      const value = status === ECA_NORMAL ? decodeTime(channel, message) : undefined
      this.#rechecks.read(channel, value, Date.now())
    } else if (type === CTRL_BASE + channel.type && status === ECA_NORMAL)
      channel.meta = decodeControl(channel.type, message)
  }

  #onAccess(cid: number, readable: boolean): void {
    const channel = this.channels.get(cid)
    if (channel === undefined || channel.isReadable === readable) return
    channel.isReadable = readable
    if (!readable) this.#rechecks.end(channel)
    if (channel.isConnected) channel.listener.onAccess(readable)
  }

  #onFound(port: number, address: number, cid: number): void {
    this.#owner.found(cid, { host: wire.hostOf(address, this.host), port })
  }

  #onError({ p2: status, bytes, start, end }: CaMessage): void {
    const text = end - start > 16 ? textOf(bytes, start + 16, end) : ''
    this.#owner.warn(`error ${this.key}`, `${this.key} reports ECA ${status}: ${text}`)
  }
}
