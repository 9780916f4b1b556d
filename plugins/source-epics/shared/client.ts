// What the clients of both protocols share: channels that are searched for ever, circuits, beacons, name servers, trouble.
import { type RemoteInfo } from 'node:dgram'
import { hostname } from 'node:os'
import { AddressList, type HostPort } from './addrlist.js'
import { backoffMs } from './backoff.js'
import { Beacons } from './beacons.js'
import { type CircuitOwner, type EpicsChannel, type EpicsCircuit, type Loss } from './channel.js'
import { type Figures } from './figures.js'
import { Searcher } from './searcher.js'
import { Trouble } from './trouble.js'
import { UdpPort } from './udp.js'
import { userName } from './user.js'
import { Warner, type Warn } from './warner.js'

export interface ClientOptions {
  readonly addresses: readonly HostPort[]
  /** Search on the broadcast addresses of the interfaces, too. */
  readonly autoAddresses: boolean
  readonly nameServers: readonly HostPort[]
  /** UDP port of broadcast searches. */
  readonly port: number
  /** Silence of a server after which it is probed (Channel Access); after 4/3 of it a server is given up (pvAccess). */
  readonly connectionTimeoutMs: number
  readonly maxSearchPeriodMs: number
  /** Wait after the first search of a channel. */
  readonly firstSearchMs?: number
  /** The largest message taken. */
  readonly maxBytes: number
}

/** What the protocol decides. */
export interface ProtocolSettings {
  readonly silenceMs: number
  readonly firstSearchMs: number
  /** A few channels that nobody has are searched again after so long at the latest. */
  readonly steadySearchMs: number
  /** Bytes of channels in one search datagram. */
  readonly datagramBytes: number
}

const TICK_MS = 1000
const CONNECT_TIMEOUT_MS = 5000
/** Wait after a loss that the server wanted, or a refusal. */
const SHORT_REST_MS = 1000
const WAKE_MS = 1000

export abstract class EpicsClient<C extends EpicsChannel<C>, K extends EpicsCircuit<C>> implements CircuitOwner<C, K> {
  readonly connectTimeoutMs = CONNECT_TIMEOUT_MS
  readonly silenceMs: number
  readonly maxBytes: number
  readonly user = userName()
  readonly host = hostname()
  protected readonly warner: Warner
  protected readonly addresses: AddressList
  protected readonly udp: UdpPort
  protected readonly beacons: Beacons
  readonly #options: ClientOptions
  readonly #searcher: Searcher<C>
  readonly #channels = new Map<number, C>()
  readonly #circuits = new Map<string, K>()
  readonly #trouble = new Trouble()
  readonly #nameServers: { readonly at: HostPort; attempts: number; retryMs: number }[]
  readonly #timer: NodeJS.Timeout
  #nextCid = 1
  #updates = 0
  #rxClosed = 0
  #wokenMs = 0
  #closed = false

  constructor(options: ClientOptions, settings: ProtocolSettings, warn: Warn) {
    this.#options = options
    this.silenceMs = settings.silenceMs
    this.maxBytes = options.maxBytes
    this.warner = new Warner(warn)
    this.addresses = new AddressList(options.addresses, options.autoAddresses, options.port, this.warner)
    this.udp = new UdpPort((bytes, from) => this.onDatagram(bytes, from), this.warner)
    this.#nameServers = options.nameServers.map((at) => ({ at, attempts: 0, retryMs: 0 }))
    this.#searcher = new Searcher<C>({
      firstMs: options.firstSearchMs ?? settings.firstSearchMs,
      steadyMs: settings.steadySearchMs,
      maxMs: options.maxSearchPeriodMs,
      datagramBytes: settings.datagramBytes,
      send: (batch) => this.search(batch)
    })
    this.beacons = new Beacons(() => this.#wake())
    const tick = (): void => void (this.#closed || this.tick(Date.now()))
    this.#timer = setInterval(tick, TICK_MS)
    setImmediate(tick) // When the protocol's part is made, too
  }

  protected abstract makeCircuit(at: HostPort): K
  /** Searches these channels everywhere; false while that is not possible yet. */
  protected abstract search(batch: readonly C[]): boolean
  protected abstract onDatagram(bytes: Buffer, from: Pick<RemoteInfo, 'address'>): void

  /** Ends a monitor; its listener hears nothing more. */
  remove(channel: C): void {
    if (!this.#channels.delete(channel.cid)) return
    this.#searcher.delete(channel)
    // A circuit left without channels is closed by the next tick.
    channel.circuit?.remove(channel)
  }

  /** Stops (or goes on) reading from the channel's server, wherever it is; all channels of that server wait. */
  setPaused(channel: C, paused: boolean): void {
    if (channel.isPaused === paused) return
    channel.isPaused = paused
    if (paused) channel.circuit?.pause()
    else channel.circuit?.resume()
  }

  get metrics(): Figures {
    let connected = 0
    let rxBytes = this.#rxClosed + this.udp.rxBytes
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
    await this.udp.close()
  }

  protected nextCid(): number {
    return this.#nextCid++
  }

  protected begin(channel: C): C {
    this.#channels.set(channel.cid, channel)
    this.#searcher.add(channel)
    return channel
  }

  // ------------------------------------------------------------ what circuits tell

  lost(channel: C, { reason, isRefused = false, rest }: Loss): void {
    const wasConnected = channel.isConnected
    channel.disconnected()
    channel.circuit = null
    if (!this.#channels.has(channel.cid)) return
    const { maxSearchPeriodMs } = this.#options
    if (rest === 'long') this.#searcher.add(channel, maxSearchPeriodMs)
    else if (wasConnected) {
      const troubleMs = this.#trouble.delayMs(channel.lastServer, maxSearchPeriodMs)
      this.#searcher.addLost(channel, rest === 'short' ? SHORT_REST_MS : troubleMs)
    } else this.#searcher.add(channel, backoffMs(channel.attempts++, SHORT_REST_MS, maxSearchPeriodMs))
    if (wasConnected || isRefused) channel.listener.onDisconnect(reason, isRefused)
  }

  /** A server is (back) there: channels last seen on it are searched at once. */
  opened(circuit: K): void {
    for (const server of this.#nameServers) if (keyOf(server.at) === circuit.key) server.attempts = 0
    this.#searcher.hurry((channel) => circuit.isNameServer || channel.lastServer === circuit.key)
  }

  closed(circuit: K, reason: string, wasInUse: boolean): void {
    this.#rxClosed += circuit.rxBytes
    if (wasInUse) this.#trouble.ended(circuit.key, circuit.openedMs)
    if (this.#circuits.get(circuit.key) === circuit) this.#circuits.delete(circuit.key)
    if (circuit.isNameServer && !this.#closed)
      this.warn(`closed ${circuit.key}`, `name server ${circuit.key}: ${reason}`)
  }

  /** A server says that it has the channel. Others that wait may be on it, too: it may have just come. */
  found(cid: number, at: HostPort): void {
    const channel = this.#channels.get(cid)
    if (channel === undefined || at.port === 0 || !this.#searcher.delete(channel)) return
    if (!this.#circuits.has(keyOf(at))) this.#wake()
    this.#circuit(at).add(channel)
  }

  warn(key: string, message: string, fields: Record<string, unknown> = {}): void {
    this.warner.warn(key, message, fields)
  }

  countUpdate(): void {
    this.#updates++
  }

  // ------------------------------------------------------------ circuits

  /** The connections to name servers that there are. */
  protected nameServers(): K[] {
    return this.#nameServers.flatMap(({ at }) => this.#circuits.get(keyOf(at)) ?? [])
  }

  protected tick(now: number): void {
    for (const circuit of [...this.#circuits.values()]) {
      circuit.tick(now)
      if (circuit.channels.size === 0 && !circuit.isNameServer) circuit.close('no channels left')
    }
    for (const server of this.#nameServers) {
      if (this.#circuits.has(keyOf(server.at)) || now < server.retryMs) continue
      server.retryMs = now + backoffMs(server.attempts++, SHORT_REST_MS, this.#options.maxSearchPeriodMs)
      this.#circuit(server.at)
    }
  }

  /** Something new on the network: all that waits is searched soon. */
  #wake(): void {
    const now = Date.now()
    if (now - this.#wokenMs < WAKE_MS) return
    this.#wokenMs = now
    this.#searcher.hurry(() => true)
  }

  #circuit(at: HostPort): K {
    const key = keyOf(at)
    const known = this.#circuits.get(key)
    if (known !== undefined) return known
    const circuit = this.makeCircuit(at)
    circuit.isNameServer = this.#nameServers.some((server) => keyOf(server.at) === key)
    this.#circuits.set(key, circuit)
    return circuit
  }
}

const keyOf = ({ host, port }: HostPort): string => `${host}:${port}`
