// The UDP socket of one detector: what comes is handed on at once; at the end all that has come is taken.
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { CodedError, errorText } from '../../../core/api/plugin.js'
import { addressNumber } from '../readout-kit.js'
import { kernelState } from './kernel.js'

/** A socket that is being sent to without a pause is not emptied any longer than this. */
export const DRAIN_MS = 2000
const PAUSE_MS = 5

/** Of IPv4 (224.0.0.0/4) or IPv6 (ff00::/8, with or without a zone). */
export const isMulticast = (host: string): boolean => /^(22[4-9]|23\d)\.|^ff[0-9a-f]{2}:/i.test(host)

/** @param sender - its IPv4 address as a number; 0 for others */
export type TakeDatagram = (datagram: Buffer, sender: number) => void

export interface PortAddress {
  readonly host: string
  readonly port: number
  /** Asked of the kernel. */
  readonly bufferBytes: number
}

/** `recvmmsg`: many packets by one call of the system. */
export type ReceivedBy = 'dgram' | 'recvmmsg'

/** Where packets come from. */
export interface PacketSource {
  readonly by: ReceivedBy
  /** Why it is not the better way. */
  readonly why?: string | undefined
  /** What the kernel gave for packets that wait; 0 when it is closed. */
  readonly bufferBytes: number
  /** Packets that the kernel had no room for. */
  drops(): number
  /** Packets that had no room behind the socket. */
  queueDrops(): number
  /** Takes what has come, then closes. */
  close(): Promise<void>
}

/** Throws PORT_FAILED in place of what `open` throws. */
export async function opening<T>({ host, port }: PortAddress, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (cause) {
    throw new CodedError('PORT_FAILED', `UDP ${host}:${port}: ${errorText(cause)}`, { path: '/port', cause })
  }
}

/** What a socket that is bound still needs. */
export function prepare(socket: Socket, { host, bufferBytes }: PortAddress): void {
  socket.setRecvBufferSize(bufferBytes)
  const [group = host, zone] = host.split('%')
  if (isMulticast(host)) socket.addMembership(group, zone === undefined ? undefined : `::%${zone}`)
}

/** Bytes that the kernel gave; Linux tells twice as much, for its own bookkeeping. */
export function roomOf(socket: Socket): number {
  const told = socket.getRecvBufferSize()
  return process.platform === 'linux' ? told / 2 : told
}

export class UdpReceiver implements PacketSource {
  readonly by = 'dgram'
  readonly #socket: Socket
  readonly #address: string
  readonly #port: number
  #drops = 0
  #taken = 0
  #isClosed = false

  private constructor(socket: Socket, address: string, port: number, take: TakeDatagram) {
    this.#socket = socket
    this.#address = address
    this.#port = port
    let known = { text: '', number: 0 }
    socket.on('message', (datagram, { address: sender }) => {
      this.#taken++
      // Nearly all come from where the last one came from
      if (sender !== known.text) known = { text: sender, number: addressNumber(sender) }
      take(datagram, known.number)
    })
  }

  /**
   * @param take - called for each datagram, whose bytes are its own; must not throw
   * @param failed - the socket cannot be read any more
   */
  static async open(address: PortAddress, take: TakeDatagram, failed: (error: Error) => void): Promise<UdpReceiver> {
    const { host, port } = address
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', reuseAddr: isMulticast(host) })
    try {
      await opening(address, async () => {
        await new Promise<void>((resolve, reject) => {
          socket.once('error', reject)
          // Other threads of this process must not share it
          socket.bind({ address: host, port, exclusive: true }, resolve)
        })
        prepare(socket, address)
      })
    } catch (error) {
      socket.close()
      throw error
    }
    socket.removeAllListeners('error')
    socket.on('error', failed)
    // The kernel knows addresses, and no names
    return new UdpReceiver(socket, socket.address().address, port, take)
  }

  get bufferBytes(): number {
    return this.#isClosed ? 0 : roomOf(this.#socket)
  }

  queueDrops(): number {
    return 0
  }

  drops(): number {
    const state = kernelState(this.#address, this.#port)
    if (state !== undefined) this.#drops = Math.max(this.#drops, state.drops)
    return this.#drops
  }

  async close(): Promise<void> {
    const until = performance.now() + DRAIN_MS
    while (performance.now() < until) {
      const before = this.#taken
      const state = kernelState(this.#address, this.#port)
      if (state?.waiting === 0) break
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      if (state === undefined && this.#taken === before) break
    }
    this.drops()
    this.#isClosed = true
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()))
  }
}
