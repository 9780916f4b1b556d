// Read-only pvAccess client: monitors by name, for ever, over as few circuits as there are servers.
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { AddressList, type HostPort } from '../addrlist.js'
import { backoffMs } from '../backoff.js'
import { Beacons } from '../beacons.js'
import { BroadcastPorts } from '../broadcast-ports.js'
import { type Figures } from '../figures.js'
import { Searcher } from '../searcher.js'
import { UdpPort } from '../udp.js'
import { userName } from '../user.js'
import { Trouble } from '../trouble.js'
import { Warner, type Warn } from '../warner.js'
import { PvaChannel, type PvaListener } from './channel.js'
import { PvaCircuit, type CircuitOwner } from './circuit.js'
import { Command, Flag, MAGIC, searchMessage } from './protocol.js'
import { Reader } from './reader.js'

export interface PvaOptions {
  readonly addresses: readonly HostPort[]
  /** Search on the broadcast addresses of the interfaces, too. */
  readonly autoAddresses: boolean
  readonly nameServers: readonly HostPort[]
  /** UDP port of broadcast searches. */
  readonly port: number
  /** A server is given up after 4/3 of this without a sign of life. */
  readonly connectionTimeoutMs: number
  readonly maxSearchPeriodMs: number
  /** Wait after the first search of a channel; default 100 ms. */
  readonly firstSearchMs?: number
  /** The largest message taken. */
  readonly maxBytes: number
  /** Updates of a channel that servers are asked to keep while they cannot send; 0: as they like. */
  readonly serverQueue: number
}

const SEARCH_DATAGRAM_BYTES = 1400 - 64
const FIRST_SEARCH_MS = 100
const TICK_MS = 1000
const CONNECT_TIMEOUT_MS = 5000
const REFUSED_MS = 1000

export class PvaClient implements CircuitOwner {
  readonly connectTimeoutMs = CONNECT_TIMEOUT_MS
  readonly silenceMs: number
  readonly maxBytes: number
  readonly user = userName()
  readonly host = hostname()
  readonly #options: PvaOptions
  readonly #warner: Warner
  readonly #addresses: AddressList
  readonly #udp: UdpPort
  readonly #broadcasts: BroadcastPorts
  readonly #beacons: Beacons<PvaChannel>
  readonly #searcher: Searcher<PvaChannel>
  readonly #reader = new Reader()
  readonly #channels = new Map<number, PvaChannel>()
  readonly #circuits = new Map<string, PvaCircuit>()
  readonly #trouble = new Trouble()
  readonly #nameServers: { readonly at: HostPort; attempts: number; retryMs: number }[]
  readonly #timer: NodeJS.Timeout
  #nextCid = 1
  #sequence = 1
  #updates = 0
  #overruns = 0
  #rxClosed = 0
  #closed = false

  constructor(options: PvaOptions, warn: Warn) {
    this.#options = options
    this.silenceMs = (options.connectionTimeoutMs * 4) / 3
    this.maxBytes = options.maxBytes
    this.#warner = new Warner(warn)
    this.#addresses = new AddressList(options.addresses, options.autoAddresses, options.port, this.#warner)
    // Never port 5076 itself: on a host with a server that would take away its unicast searches.
    this.#udp = new UdpPort((bytes, { address }) => this.#onDatagram(bytes, address), this.#warner)
    this.#nameServers = options.nameServers.map((at) => ({ at, attempts: 0, retryMs: 0 }))
    this.#searcher = new Searcher<PvaChannel>({
      firstMs: options.firstSearchMs ?? FIRST_SEARCH_MS,
      maxMs: options.maxSearchPeriodMs,
      datagramBytes: SEARCH_DATAGRAM_BYTES,
      send: (batch) => this.#search(batch as readonly PvaChannel[])
    })
    this.#beacons = new Beacons(this.#searcher)
    this.#broadcasts = new BroadcastPorts((bytes, address) => this.#onDatagram(bytes, address), this.#warner)
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#tick()
  }

  /** Starts to monitor the `fields` (dotted, [] for all) of `name`; `queueSize` > 0: with flow control. */
  monitor(name: string, fields: readonly string[], queueSize: number, listener: PvaListener): PvaChannel {
    const channel = new PvaChannel(name, this.#nextCid++, fields, queueSize, this.#options.serverQueue, listener)
    this.#channels.set(channel.cid, channel)
    this.#searcher.add(channel)
    return channel
  }

  /** Ends a monitor; its listener hears nothing more. */
  remove(channel: PvaChannel): void {
    if (!this.#channels.delete(channel.cid)) return
    this.#searcher.delete(channel)
    // A circuit left without channels is closed by the next tick.
    channel.circuit?.remove(channel)
  }

  /** Stops (or goes on) reading from the channel's server, wherever it is; all channels of that server wait. */
  setPaused(channel: PvaChannel, paused: boolean): void {
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
      for (const channel of circuit.channels.values()) if (channel.state !== null) connected++
    }
    return {
      channels: this.#channels.size,
      connected,
      searching: this.#searcher.waiting,
      circuits: this.#circuits.size,
      rxBytes,
      updates: this.#updates,
      overruns: this.#overruns
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    this.#searcher.close()
    this.#channels.clear()
    for (const circuit of [...this.#circuits.values()]) circuit.close('the client ends')
    this.#broadcasts.close()
    await this.#udp.close()
  }

  // ------------------------------------------------------------ what circuits tell

  lost(channel: PvaChannel, reason: string, isRefused: boolean, isTooLarge = false): void {
    const wasConnected = channel.state !== null
    channel.state = null
    channel.isCreated = false
    channel.circuit = null
    if (!this.#channels.has(channel.cid)) return
    const { maxSearchPeriodMs } = this.#options
    if (isTooLarge) this.#searcher.add(channel, maxSearchPeriodMs)
    else if (wasConnected) this.#searcher.addLost(channel, this.#trouble.delayMs(channel.lastServer, maxSearchPeriodMs))
    else this.#searcher.add(channel, backoffMs(channel.attempts++, REFUSED_MS, maxSearchPeriodMs))
    if (wasConnected || isRefused) channel.listener.onDisconnect(reason, isRefused)
  }

  /** A server is (back) there: channels last seen on it are searched at once. */
  opened(circuit: PvaCircuit): void {
    for (const server of this.#nameServers) if (keyOf(server.at) === circuit.key) server.attempts = 0
    this.#searcher.hurry((channel) => circuit.isNameServer || channel.lastServer === circuit.key)
  }

  closed(circuit: PvaCircuit, reason: string, wasInUse: boolean): void {
    this.#rxClosed += circuit.rxBytes
    if (wasInUse) this.#trouble.ended(circuit.key, circuit.openedMs)
    if (this.#circuits.get(circuit.key) === circuit) this.#circuits.delete(circuit.key)
    if (circuit.isNameServer && !this.#closed)
      this.warn(`closed ${circuit.key}`, `name server ${circuit.key}: ${reason}`)
  }

  onSearchResponse(reader: Reader, sender: string): void {
    reader.skip(12 + 4) // GUID of the server, number of the search
    const address = reader.address()
    const port = reader.u16()
    if (reader.text() !== 'tcp' || reader.u8() === 0 || port === 0) return
    // "Any" means: where this answer came from.
    const host = address === '0.0.0.0' || /^[0:]+$/.test(address) || isIP(address) === 0 ? sender : address
    for (let n = reader.u16(); n > 0; n--) {
      const channel = this.#channels.get(reader.u32())
      if (channel !== undefined && this.#searcher.delete(channel)) this.#circuit({ host, port }).add(channel)
    }
  }

  warn(key: string, message: string, fields: Record<string, unknown> = {}): void {
    this.#warner.warn(key, message, fields)
  }

  countUpdate(): void {
    this.#updates++
  }

  countOverrun(): void {
    this.#overruns++
  }

  // ------------------------------------------------------------ searching

  #search(batch: readonly PvaChannel[]): boolean {
    let sent = false
    const sequence = this.#sequence++ >>> 0
    for (const { at } of this.#nameServers) {
      const circuit = this.#circuits.get(keyOf(at))
      sent = circuit?.search(sequence, this.#udp.port, batch) === true || sent
    }
    if (this.#udp.port === 0) return sent
    for (const { host, port, unicast } of this.#addresses.targets()) {
      this.#udp.send(searchMessage(false, sequence, unicast, this.#udp.port, batch), host, port)
      sent = true
    }
    return sent
  }

  #onDatagram(bytes: Buffer, sender: string): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at + 8 <= bytes.length && bytes[at] === MAGIC;) {
      const flags = view.getUint8(at + 2)
      const isBigEndian = (flags & Flag.BIG_ENDIAN) !== 0
      const size = (flags & Flag.CONTROL) !== 0 ? 0 : view.getUint32(at + 4, !isBigEndian)
      const end = at + 8 + size
      if (end > bytes.length) return
      if ((flags & (Flag.CONTROL | Flag.SEGMENT)) === 0) {
        const reader = this.#reader.reset(bytes, view, at + 8, end, isBigEndian)
        const command = view.getUint8(at + 3)
        if (command === Command.SEARCH_RESPONSE) this.onSearchResponse(reader, sender)
        else if (command === Command.BEACON) this.#onBeacon(reader, sender)
      }
      at = end
    }
  }

  #onBeacon(reader: Reader, sender: string): void {
    const guid = reader.hex(12)
    reader.skip(1) // flags
    const number = reader.u8()
    const changes = reader.u16()
    const address = reader.address()
    const host = /^[0:.]+$/.test(address) ? sender : address
    this.#beacons.heard(`${host}:${reader.u16()}`, number, `${guid} ${changes}`)
  }

  // ------------------------------------------------------------ circuits

  #circuit(at: HostPort): PvaCircuit {
    const key = keyOf(at)
    const known = this.#circuits.get(key)
    if (known !== undefined) return known
    const circuit = new PvaCircuit(this, at.host, at.port)
    circuit.isNameServer = this.#nameServers.some((server) => keyOf(server.at) === key)
    this.#circuits.set(key, circuit)
    return circuit
  }

  #tick(): void {
    const now = Date.now()
    this.#broadcasts.listen(this.#addresses.targets())
    for (const circuit of [...this.#circuits.values()]) {
      circuit.tick(now)
      if (circuit.channels.size === 0 && !circuit.isNameServer) circuit.close('no channels left')
    }
    for (const server of this.#nameServers) {
      if (this.#circuits.has(keyOf(server.at)) || now < server.retryMs) continue
      server.retryMs = now + backoffMs(server.attempts++, 1000, this.#options.maxSearchPeriodMs)
      this.#circuit(server.at)
    }
  }
}

const keyOf = ({ host, port }: HostPort): string => `${host}:${port}`
