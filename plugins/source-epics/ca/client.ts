// Read-only Channel Access client: monitors by name, for ever, over as few circuits as there are servers.
import { hostname } from 'node:os'
import { type RemoteInfo } from 'node:dgram'
import { AddressList, type HostPort } from '../addrlist.js'
import { backoffMs } from '../backoff.js'
import { Beacons } from '../beacons.js'
import { type Figures } from '../figures.js'
import { Searcher } from '../searcher.js'
import { UdpPort } from '../udp.js'
import { userName } from '../user.js'
import { Trouble } from '../trouble.js'
import { Warner, type Warn } from '../warner.js'
import { CaChannel, type CaListener } from './channel.js'
import { CaCircuit, type CircuitOwner } from './circuit.js'
import { Command, hostOf, repeaterRegisterMessage, searchHeader } from './protocol.js'

export interface CaOptions {
  readonly addresses: readonly HostPort[]
  /** Search on the broadcast addresses of the interfaces, too. */
  readonly autoAddresses: boolean
  readonly nameServers: readonly HostPort[]
  /** UDP port of broadcast searches. */
  readonly port: number
  readonly repeaterPort: number
  /** Silence of a server after which it is asked for an echo (answer within 5 s). */
  readonly connectionTimeoutMs: number
  readonly maxSearchPeriodMs: number
  /** Wait after the first search of a channel; default 60 ms. */
  readonly firstSearchMs?: number
  /** The largest message taken. */
  readonly maxBytes: number
}

const SEARCH_DATAGRAM_BYTES = 1024 - 16
const FIRST_SEARCH_MS = 60
const TICK_MS = 1000
const CONNECT_TIMEOUT_MS = 5000
const REGISTER_MS = 60_000

export class CaClient implements CircuitOwner {
  readonly connectTimeoutMs = CONNECT_TIMEOUT_MS
  readonly silenceMs: number
  readonly maxBytes: number
  readonly user = userName()
  readonly host = hostname()
  readonly #options: CaOptions
  readonly #warner: Warner
  readonly #addresses: AddressList
  readonly #udp: UdpPort
  readonly #searcher: Searcher<CaChannel>
  readonly #channels = new Map<number, CaChannel>()
  readonly #circuits = new Map<string, CaCircuit>()
  readonly #trouble = new Trouble()
  readonly #beacons: Beacons<CaChannel>
  readonly #nameServers: { readonly at: HostPort; attempts: number; retryMs: number }[]
  readonly #timer: NodeJS.Timeout
  #nextCid = 1
  #sequence = 0
  #updates = 0
  #rxClosed = 0
  #registeredMs = 0
  #hasRepeater = false
  #closed = false

  constructor(options: CaOptions, warn: Warn) {
    this.#options = options
    this.silenceMs = options.connectionTimeoutMs
    this.maxBytes = options.maxBytes
    this.#warner = new Warner(warn)
    this.#addresses = new AddressList(options.addresses, options.autoAddresses, options.port, this.#warner)
    this.#udp = new UdpPort((bytes, from) => this.#onDatagram(bytes, from), this.#warner)
    this.#nameServers = options.nameServers.map((at) => ({ at, attempts: 0, retryMs: 0 }))
    this.#searcher = new Searcher<CaChannel>({
      firstMs: options.firstSearchMs ?? FIRST_SEARCH_MS,
      maxMs: options.maxSearchPeriodMs,
      datagramBytes: SEARCH_DATAGRAM_BYTES,
      send: (batch) => this.#search(batch as readonly CaChannel[])
    })
    this.#beacons = new Beacons(this.#searcher)
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#tick()
  }

  /** Starts to monitor `name`; `isText`: CHAR arrays are text (always for names ending in `$`); `isArray`: never a scalar. */
  monitor(name: string, isText: boolean, isArray: boolean, listener: CaListener): CaChannel {
    const channel = new CaChannel(name, this.#nextCid++, isText || name.endsWith('$'), isArray, listener)
    this.#channels.set(channel.cid, channel)
    this.#searcher.add(channel)
    return channel
  }

  /** Ends a monitor; its listener hears nothing more. */
  remove(channel: CaChannel): void {
    if (!this.#channels.delete(channel.cid)) return
    this.#searcher.delete(channel)
    // A circuit left without channels is closed by the next tick.
    channel.circuit?.remove(channel)
  }

  /** Stops (or goes on) reading from the channel's server, wherever it is; all channels of that server wait. */
  setPaused(channel: CaChannel, paused: boolean): void {
    if (channel.isPaused === paused) return
    channel.isPaused = paused
    if (paused) channel.circuit?.pause()
    else channel.circuit?.resume()
  }

  get metrics(): Figures {
    let connected = 0
    let rxBytes = this.#rxClosed + this.#udp.rxBytes
    for (const circuit of this.#circuits.values()) {
      rxBytes += circuit.rxBytes
      for (const channel of circuit.channels.values()) if (channel.isConnected) connected++
    }
    return {
      channels: this.#channels.size,
      connected,
      searching: this.#searcher.waiting,
      circuits: this.#circuits.size,
      rxBytes,
      updates: this.#updates
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    this.#searcher.close()
    this.#channels.clear()
    for (const circuit of [...this.#circuits.values()]) circuit.close('the client ends')
    await this.#udp.close()
  }

  // ------------------------------------------------------------ what circuits tell

  lost(channel: CaChannel, reason: string, wait: boolean, isRefused: boolean): void {
    const wasConnected = channel.isConnected
    channel.isConnected = false
    channel.isReadable = true
    channel.circuit = null
    if (!this.#channels.has(channel.cid)) return
    const { maxSearchPeriodMs } = this.#options
    // A server that refused is not asked again at once.
    if (isRefused) this.#searcher.add(channel, maxSearchPeriodMs)
    else if (wasConnected)
      this.#searcher.addLost(channel, wait ? 1000 : this.#trouble.delayMs(channel.lastServer, maxSearchPeriodMs))
    else this.#searcher.add(channel, backoffMs(channel.attempts++, 1000, maxSearchPeriodMs))
    if (wasConnected || isRefused) channel.listener.onDisconnect(reason, isRefused)
  }

  /** A server is (back) there: channels last seen on it are searched at once. */
  opened(circuit: CaCircuit): void {
    for (const server of this.#nameServers) if (keyOf(server.at) === circuit.key) server.attempts = 0
    this.#searcher.hurry((channel) => circuit.isNameServer || channel.lastServer === circuit.key)
  }

  closed(circuit: CaCircuit, reason: string, wasInUse: boolean): void {
    this.#rxClosed += circuit.rxBytes
    if (wasInUse) this.#trouble.ended(circuit.key, circuit.openedMs)
    if (this.#circuits.get(circuit.key) === circuit) this.#circuits.delete(circuit.key)
    if (circuit.isNameServer && !this.#closed)
      this.warn(`closed ${circuit.key}`, `name server ${circuit.key}: ${reason}`)
  }

  found(cid: number, host: string, port: number): void {
    const channel = this.#channels.get(cid)
    if (channel === undefined || port === 0 || !this.#searcher.delete(channel)) return
    this.#circuit({ host, port }).add(channel)
  }

  warn(key: string, message: string, fields: Record<string, unknown> = {}): void {
    this.#warner.warn(key, message, fields)
  }

  countUpdate(): void {
    this.#updates++
  }

  // ------------------------------------------------------------ searching

  #search(batch: readonly CaChannel[]): boolean {
    const messages = batch.map((channel) => channel.searchMessage)
    let sent = false
    for (const { at } of this.#nameServers) {
      if (this.#circuits.get(keyOf(at))?.search(messages) === true) sent = true
    }
    if (this.#udp.port === 0) return sent
    const datagram = Buffer.concat([searchHeader(this.#sequence++), ...messages])
    for (const { host, port } of this.#addresses.targets()) {
      this.#udp.send(datagram, host, port)
      sent = true
    }
    return sent
  }

  #onDatagram(bytes: Buffer, from: RemoteInfo): void {
    for (let at = 0; at + 16 <= bytes.length;) {
      const size = bytes.readUInt16BE(at + 2)
      if (at + 16 + size > bytes.length) return
      const [type, count] = [bytes.readUInt16BE(at + 4), bytes.readUInt16BE(at + 6)]
      const [p1, p2] = [bytes.readUInt32BE(at + 8), bytes.readUInt32BE(at + 12)]
      const command = bytes.readUInt16BE(at)
      if (command === Command.SEARCH) this.found(p2, hostOf(p1, from.address), type)
      else if (command === Command.BEACON) this.#beacons.heard(`${hostOf(p2, from.address)}:${count}`, p1)
      else if (command === Command.REPEATER_CONFIRM) this.#hasRepeater = true
      at += 16 + size
    }
  }

  // ------------------------------------------------------------ circuits

  #circuit(at: HostPort): CaCircuit {
    const key = keyOf(at)
    const known = this.#circuits.get(key)
    if (known !== undefined) return known
    const circuit = new CaCircuit(this, at.host, at.port)
    circuit.isNameServer = this.#nameServers.some((server) => keyOf(server.at) === key)
    this.#circuits.set(key, circuit)
    return circuit
  }

  #tick(): void {
    const now = Date.now()
    for (const circuit of [...this.#circuits.values()]) {
      circuit.tick(now)
      if (circuit.channels.size === 0 && !circuit.isNameServer) circuit.close('no channels left')
    }
    for (const server of this.#nameServers) {
      if (this.#circuits.has(keyOf(server.at)) || now < server.retryMs) continue
      server.retryMs = now + backoffMs(server.attempts++, 1000, this.#options.maxSearchPeriodMs)
      this.#circuit(server.at)
    }
    // Beacons come only through a CA repeater, when this host has one.
    if (!this.#hasRepeater && now - this.#registeredMs > REGISTER_MS && this.#udp.port !== 0) {
      this.#registeredMs = now
      this.#udp.send(repeaterRegisterMessage(), '127.0.0.1', this.#options.repeaterPort)
    }
  }
}

const keyOf = ({ host, port }: HostPort): string => `${host}:${port}`
