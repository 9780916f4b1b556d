// Read-only pvAccess client: monitors by name, for ever, over as few circuits as there are servers.
import { isIP } from 'node:net'
import { type HostPort } from '../shared/addrlist.js'
import { BroadcastPorts } from '../shared/broadcast-ports.js'
import { type ClientOptions, EpicsClient } from '../shared/client.js'
import { type Figures } from '../shared/figures.js'
import { type Warn } from '../shared/warner.js'
import { PvaChannel, type PvaChannelRequest, type PvaListener } from './channel.js'
import { PvaCircuit, type PvaOwner } from './circuit.js'
import { Command, Flag, MAGIC, searchMessage } from './protocol.js'
import { PvaReader } from './reader.js'

export interface PvaOptions extends ClientOptions {
  /** Updates of a channel that servers are asked to keep while they cannot send; 0: as they like. */
  readonly serverQueue: number
}

const settingsOf = ({ connectionTimeoutMs }: PvaOptions) => ({
  silenceMs: (connectionTimeoutMs * 4) / 3,
  firstSearchMs: 100,
  steadySearchMs: 1200,
  datagramBytes: 1400 - 64
})

export class PvaClient extends EpicsClient<PvaChannel, PvaCircuit> implements PvaOwner {
  readonly #serverQueue: number
  // Never port 5076 itself: on a host with a server that would take away its unicast searches.
  readonly #broadcasts: BroadcastPorts
  readonly #reader = new PvaReader()
  #sequence = 1
  #overruns = 0

  constructor(options: PvaOptions, warn: Warn) {
    super(options, settingsOf(options), warn)
    this.#serverQueue = options.serverQueue
    this.#broadcasts = new BroadcastPorts((bytes, address) => this.onDatagram(bytes, { address }), this.warner)
  }

  /** Starts to monitor a channel. */
  monitor(request: Omit<PvaChannelRequest, 'serverQueue'>, listener: PvaListener): PvaChannel {
    const whole = { ...request, serverQueue: this.#serverQueue }
    return this.begin(new PvaChannel(whole, this.nextCid(), listener))
  }

  override get metrics(): Figures {
    return { ...super.metrics, overruns: this.#overruns }
  }

  override async close(): Promise<void> {
    this.#broadcasts.close()
    await super.close()
  }

  onSearchResponse(reader: PvaReader, sender: string): void {
    reader.skip(12 + 4) // GUID of the server, number of the search
    const address = reader.address()
    const port = reader.u16()
    if (reader.text() !== 'tcp' || reader.u8() === 0 || port === 0) return
    // "Any" means: where this answer came from.
    const host = address === '0.0.0.0' || /^[0:]+$/.test(address) || isIP(address) === 0 ? sender : address
    for (let n = reader.u16(); n > 0; n--) this.found(reader.u32(), { host, port })
  }

  countOverrun(): void {
    this.#overruns++
  }

  protected makeCircuit(at: HostPort): PvaCircuit {
    return new PvaCircuit(this, at)
  }

  protected search(batch: readonly PvaChannel[]): boolean {
    let sent = false
    const sequence = this.#sequence++ >>> 0
    for (const circuit of this.nameServers()) sent = circuit.search(sequence, this.udp.port, batch) || sent
    if (this.udp.port === 0) return sent
    for (const { host, port, unicast } of this.addresses.targets()) {
      this.udp.send(searchMessage(false, sequence, unicast, this.udp.port, batch), host, port)
      sent = true
    }
    return sent
  }

  protected onDatagram(bytes: Buffer, { address: sender }: { readonly address: string }): void {
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

  protected override tick(now: number): void {
    this.#broadcasts.listen(this.addresses.targets())
    super.tick(now)
  }

  #onBeacon(reader: PvaReader, sender: string): void {
    const guid = reader.hex(12)
    reader.skip(1) // Flags
    const number = reader.u8()
    const changes = reader.u16()
    const address = reader.address()
    const host = /^[0:.]+$/.test(address) ? sender : address
    this.beacons.heard(`${host}:${reader.u16()}`, number, `${guid} ${changes}`)
  }
}
