// Read-only Channel Access client: monitors by name, for ever, over as few circuits as there are servers.
import { type HostPort } from '../shared/addrlist.js'
import { type ClientOptions, EpicsClient } from '../shared/client.js'
import { type Warn } from '../shared/warner.js'
import { CaChannel, type CaListener, type CaRequest } from './channel.js'
import { CaCircuit, type CaOwner } from './circuit.js'
import { Command, hostOf, repeaterRegisterMessage, searchHeader } from './protocol.js'
import { Repeater } from './repeater.js'

export interface CaOptions extends ClientOptions {
  readonly repeaterPort: number
  /** Be the repeater of this host while there is none. */
  readonly isRepeater: boolean
}

const REGISTER_MS = 60_000

export class CaClient extends EpicsClient<CaChannel, CaCircuit> implements CaOwner {
  readonly #repeaterPort: number
  readonly #repeater: Repeater | undefined
  #sequence = 0
  #registeredMs = 0
  #hasRepeater = false

  constructor(options: CaOptions, warn: Warn) {
    const { connectionTimeoutMs: silenceMs } = options
    super(options, { silenceMs, firstSearchMs: 60, steadySearchMs: 3500, datagramBytes: 1024 - 16 }, warn)
    this.#repeaterPort = options.repeaterPort
    if (options.isRepeater)
      this.#repeater = new Repeater(
        options.repeaterPort,
        (bytes, address) => this.onDatagram(bytes, { address }),
        this.warner
      )
  }

  /** Starts to monitor a channel; names ending in `$` are always text. */
  monitor(request: CaRequest, listener: CaListener): CaChannel {
    const { name, isText } = request
    return this.begin(new CaChannel({ ...request, isText: isText || name.endsWith('$') }, this.nextCid(), listener))
  }

  override async close(): Promise<void> {
    await this.#repeater?.close()
    await super.close()
  }

  protected makeCircuit(at: HostPort): CaCircuit {
    return new CaCircuit(this, at)
  }

  protected search(batch: readonly CaChannel[]): boolean {
    const messages = batch.map((channel) => channel.searchMessage)
    let sent = false
    for (const circuit of this.nameServers()) if (circuit.search(messages)) sent = true
    if (this.udp.port === 0) return sent
    const datagram = Buffer.concat([searchHeader(this.#sequence++), ...messages])
    for (const { host, port } of this.addresses.targets()) {
      this.udp.send(datagram, host, port)
      sent = true
    }
    return sent
  }

  protected onDatagram(bytes: Buffer, { address }: { readonly address: string }): void {
    for (let at = 0; at + 16 <= bytes.length;) {
      const size = bytes.readUInt16BE(at + 2)
      if (at + 16 + size > bytes.length) return
      const [type, count] = [bytes.readUInt16BE(at + 4), bytes.readUInt16BE(at + 6)]
      const [p1, p2] = [bytes.readUInt32BE(at + 8), bytes.readUInt32BE(at + 12)]
      const command = bytes.readUInt16BE(at)
      if (command === Command.SEARCH) this.found(p2, { host: hostOf(p1, address), port: type })
      else if (command === Command.BEACON) this.beacons.heard(`${hostOf(p2, address)}:${count}`, p1)
      else if (command === Command.REPEATER_CONFIRM) this.#hasRepeater = true
      at += 16 + size
    }
  }

  protected override tick(now: number): void {
    super.tick(now)
    // Beacons come only to the repeater of this host: that of another program, unless ours runs.
    if (this.#hasRepeater || this.#repeater?.isRunning === true || this.udp.port === 0) return
    if (now - this.#registeredMs < REGISTER_MS) return
    this.#registeredMs = now
    this.udp.send(repeaterRegisterMessage(), '127.0.0.1', this.#repeaterPort)
  }
}
