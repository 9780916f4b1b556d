// One TCP connection to a pvAccess server, with all channels found there.
import { type HostPort } from '../shared/addrlist.js'
import { type CircuitOwner, type EpicsCircuit } from '../shared/channel.js'
import { Link } from '../shared/link.js'
import { type PvaChannel } from './channel.js'
import { PvaFramer } from './framer.js'
import * as wire from './protocol.js'
import { Command, Sub, type SearchName } from './protocol.js'
import { type PvaReader } from './reader.js'
import { SetupWindow } from './setup-window.js'
import { MonitorState } from './state.js'
import { readType, type TypeCache } from './types.js'

/** What a circuit tells its client. */
export interface PvaOwner extends CircuitOwner<PvaChannel, PvaCircuit> {
  /** A search answer that came over TCP (name server). */
  onSearchResponse(reader: PvaReader, sender: string): void
  /** The server says that it merged updates which did not leave it in time. */
  countOverrun(): void
}

const CREATE_TIMEOUT_MS = 30_000
/** Servers answer late when a channel has no content yet. */
const MONITOR_TIMEOUT_MS = 120_000

export class PvaCircuit implements EpicsCircuit<PvaChannel> {
  readonly host: string
  readonly key: string
  isNameServer = false
  readonly channels = new Map<number, PvaChannel>()
  readonly #owner: PvaOwner
  readonly #link: Link
  readonly #framer: PvaFramer
  readonly #types: TypeCache = new Map()
  readonly #setup = new SetupWindow((channel) => this.#create(channel))
  /** Cid → ms when its creation was asked for. */
  readonly #creating = new Map<number, number>()
  /** Cid → ms when its monitor was asked for. */
  readonly #starting = new Map<number, number>()
  #isOpen = false
  /** ms when the server answered; 0: it has not. */
  openedMs = 0

  constructor(owner: PvaOwner, { host, port }: HostPort) {
    this.#owner = owner
    this.host = host
    this.#framer = new PvaFramer(
      owner.maxBytes,
      (command, reader) => this.#onMessage(command, reader),
      (cid, size) => this.#onTooLarge(cid, size)
    )
    this.#link = new Link(host, port, owner.connectTimeoutMs, {
      onOpen: () => undefined, // The server speaks first
      onData: (chunk) => this.#framer.push(chunk),
      onClose: (reason) => this.#onClose(reason)
    })
    this.key = this.#link.key
  }

  get rxBytes(): number {
    return this.#link.rxBytes
  }

  /** The byte order of what we send. */
  get #isBigEndian(): boolean {
    return this.#framer.asksBigEndian
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  add(channel: PvaChannel): void {
    this.channels.set(channel.cid, channel)
    channel.circuit = this
    channel.lastServer = this.key
    if (channel.isPaused) this.#link.pause()
    if (this.#isOpen) this.#setup.add(channel)
  }

  remove(channel: PvaChannel): void {
    this.#forget(channel)
    if (channel.isCreated) this.#link.send(wire.destroyChannelMessage(this.#isBigEndian, channel.sid, channel.cid))
    channel.isCreated = false
    channel.state = null
    channel.circuit = null
  }

  /** Sends a search over TCP; false while the server is not connected. */
  search(sequence: number, replyPort: number, names: readonly SearchName[]): boolean {
    if (this.#isOpen) this.#link.send(wire.searchMessage(this.#isBigEndian, sequence, true, replyPort, names))
    return this.#isOpen
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

  /** Called about every second: keeps the server from giving us up, and gives up a silent one. */
  tick(now: number): void {
    if (!this.#isOpen) return
    const { silenceMs } = this.#owner
    if (this.#link.isOverdue(this.#link.lastRxMs, silenceMs, now)) return this.close('no answer from the server')
    if (this.#link.isOverdue(this.#framer.waitingSinceMs, silenceMs, now))
      return this.close('the rest of a message did not come')
    if (now - Math.min(this.#link.lastTxMs, this.#link.lastRxMs) > silenceMs / 4)
      this.#link.send(wire.echoMessage(this.#isBigEndian))
    this.#setup.tick(now)
    for (const [cid, since] of this.#creating) {
      if (now - since < CREATE_TIMEOUT_MS) break
      this.#drop(cid, 'the server did not answer', false)
    }
    for (const [cid, since] of this.#starting) {
      if (now - since < MONITOR_TIMEOUT_MS) break
      this.#drop(cid, 'the server did not start the monitor', false)
    }
  }

  #onClose(reason: string): void {
    this.#isOpen = false
    const channels = [...this.channels.values()]
    this.channels.clear()
    this.#owner.closed(this, reason, channels.length > 0)
    for (const channel of channels) this.#owner.lost(channel, { reason })
  }

  #create(channel: PvaChannel): void {
    this.#creating.set(channel.cid, Date.now())
    this.#link.send(wire.createMessage(this.#isBigEndian, channel.cid, channel.name))
  }

  #forget(channel: PvaChannel): void {
    this.channels.delete(channel.cid)
    this.#creating.delete(channel.cid)
    this.#starting.delete(channel.cid)
    this.#setup.delete(channel)
    if (channel.isPaused) this.#link.resume()
  }

  /** This one channel is searched again. */
  #drop(cid: number, reason: string, isRefused: boolean): void {
    const channel = this.channels.get(cid)
    if (channel === undefined) return
    this.#forget(channel)
    if (channel.isCreated) this.#link.send(wire.destroyChannelMessage(this.#isBigEndian, channel.sid, cid))
    this.#owner.lost(channel, { reason, isRefused })
  }

  /** Only this channel is given up; the others of the server go on. */
  #onTooLarge(cid: number, size: number): void {
    const channel = this.channels.get(cid)
    if (channel === undefined) return
    const reason = `an update of ${size} bytes is over the limit of ${this.#owner.maxBytes}`
    this.#owner.warn(`size ${channel.name}`, `${channel.name}: ${reason}; raise max_message_bytes of pva`)
    this.#forget(channel)
    this.#link.send(wire.destroyChannelMessage(this.#isBigEndian, channel.sid, cid))
    this.#owner.lost(channel, { reason, isRefused: true, rest: 'long' })
  }

  #onMessage(command: number, reader: PvaReader): void {
    switch (command) {
      case Command.MONITOR: return this.#onMonitor(reader)
      case Command.CREATE_CHANNEL: return this.#onCreated(reader)
      case Command.VALIDATION: return this.#onValidation(reader)
      case Command.VALIDATED: return this.#onValidated(reader)
      case Command.DESTROY_CHANNEL: return this.#onDestroyed(reader)
      case Command.SEARCH_RESPONSE: return this.#owner.onSearchResponse(reader, this.host)
      case Command.MESSAGE: return this.#onServerMessage(reader)
      default: // ECHO and what is of no use to a reader: that something came is all there is to know
    } // prettier-ignore
  }

  #onValidation(reader: PvaReader): void {
    reader.skip(6) // Buffer size, size of the type cache
    const methods = Array.from({ length: reader.count(1) }, () => reader.text())
    this.#link.send(wire.validationMessage(this.#isBigEndian, methods, this.#owner.user, this.#owner.host))
  }

  #onValidated(reader: PvaReader): void {
    const status = reader.status()
    if (!status.ok) throw new Error(`the server refused the connection: ${status.message}`)
    if (this.#isOpen) return
    this.#link.established()
    this.#isOpen = true
    this.openedMs = Date.now()
    for (const channel of this.channels.values()) this.#setup.add(channel)
    this.#owner.opened(this)
  }

  #onCreated(reader: PvaReader): void {
    const cid = reader.u32()
    const sid = reader.u32()
    const status = reader.status()
    const channel = this.channels.get(cid)
    if (channel === undefined || !this.#creating.delete(cid)) return
    if (!status.ok) return this.#drop(cid, `the server could not open the channel: ${status.message}`, false)
    channel.sid = sid
    channel.isCreated = true
    this.#starting.set(cid, Date.now())
    this.#link.send(wire.monitorMessage(this.#isBigEndian, sid, cid, channel.request, channel.queueSize))
  }

  #onMonitor(reader: PvaReader): void {
    const channel = this.channels.get(reader.u32())
    if (channel === undefined) return
    const sub = reader.u8()
    if ((sub & Sub.INIT) !== 0) return this.#onMonitorReady(channel, reader)
    if ((sub & Sub.DESTROY) !== 0) {
      // The last message of a monitor may carry a last update; what matters is that it ended.
      const status = reader.status()
      return this.#drop(channel.cid, `the server ended the monitor ${status.message}`.trim(), false)
    }
    if (channel.state === null) return
    const isData = channel.state.apply(reader, this.#types)
    this.#owner.countUpdate()
    if (reader.left > 0 && reader.anyInMask()) this.#owner.countOverrun()
    if (channel.queueSize > 0) this.#acknowledge(channel)
    if (isData) channel.listener.onUpdate()
  }

  #onMonitorReady(channel: PvaChannel, reader: PvaReader): void {
    const status = reader.status()
    this.#starting.delete(channel.cid)
    this.#setup.delete(channel)
    if (!status.ok) {
      // pvxs refuses good channels while its send buffer is full: slower, and again.
      this.#setup.onRefused()
      return this.#drop(channel.cid, `the server refused the monitor: ${status.message}`, true)
    }
    this.#setup.onAccepted()
    const type = readType(reader, this.#types)
    if (type?.kind !== 'structure') throw new RangeError('PVA: the content of a channel is no structure')
    channel.state = new MonitorState(type)
    channel.attempts = 0
    channel.unacknowledged = 0
    channel.listener.onConnect(channel.state, this.key)
    if (channel.circuit === this) this.#link.send(wire.startMessage(this.#isBigEndian, channel.sid, channel.cid))
  }

  #acknowledge(channel: PvaChannel): void {
    if (++channel.unacknowledged * 2 < channel.queueSize) return
    this.#link.send(wire.ackMessage(this.#isBigEndian, channel.sid, channel.cid, channel.unacknowledged))
    channel.unacknowledged = 0
  }

  #onDestroyed(reader: PvaReader): void {
    reader.u32() // Sid
    const channel = this.channels.get(reader.u32())
    if (channel === undefined) return
    channel.isCreated = false
    this.#drop(channel.cid, 'the server closed the channel', false)
  }

  #onServerMessage(reader: PvaReader): void {
    reader.u32() // Request
    const severity = reader.u8()
    const text = reader.text()
    if (severity > 0) this.#owner.warn(`message ${this.key}`, `${this.key}: ${text}`)
  }
}
