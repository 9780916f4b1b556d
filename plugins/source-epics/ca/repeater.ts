// Channel Access repeater: hands the beacons of servers to all clients of this host, since only one can have their port.
import { createSocket, type Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { type Warner } from '../shared/warner.js'
import { Command, confirmMessage } from './protocol.js'

/** How often the port is tried again while another program has it. */
const RETRY_MS = 60_000

export class Repeater {
  readonly #port: number
  readonly #onDatagram: (bytes: Buffer, address: string) => void
  readonly #warner: Warner
  /** UDP ports of the other clients of this host. */
  readonly #clients = new Set<number>()
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #isRunning = false
  #isClosed = false

  /** `onDatagram` gets what servers send, without being registered. */
  constructor(port: number, onDatagram: (bytes: Buffer, address: string) => void, warner: Warner) {
    this.#port = port
    this.#onDatagram = onDatagram
    this.#warner = warner
    this.#open()
  }

  /** False: another program has the port, most likely the repeater of this host. */
  get isRunning(): boolean {
    return this.#isRunning
  }

  close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    return new Promise((resolve) => (this.#socket === undefined ? resolve() : this.#socket.close(() => resolve())))
  }

  #open(): void {
    const socket = createSocket('udp4')
    this.#socket = socket
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#isRunning = false
      this.#socket = undefined
      socket.close()
      if (error.code !== 'EADDRINUSE')
        this.#warner.warn('repeater', `beacons of Channel Access are not heard: UDP ${this.#port}: ${error.message}`)
      if (!this.#isClosed) this.#timer = setTimeout(() => this.#open(), RETRY_MS).unref()
    })
    socket.on('message', (bytes, { address, port }) => this.#take(bytes, address, port))
    socket.bind(this.#port, () => (this.#isRunning = true))
  }

  #take(bytes: Buffer, address: string, port: number): void {
    const command = bytes.length < 16 ? -1 : bytes.readUInt16BE(0)
    // Very old clients register with an empty datagram.
    if (bytes.length === 0 || command === Command.REPEATER_REGISTER) return this.#register(address, port)
    if (command !== Command.BEACON) return
    // Servers that do not know their address leave it to us.
    const beacon = Buffer.from(bytes)
    if (beacon.readUInt32BE(12) === 0)
      for (const [i, part] of address.split('.').entries()) beacon[12 + i] = Number(part)
    for (const client of this.#clients) this.#send(beacon, client)
    this.#onDatagram(beacon, address)
  }

  #register(address: string, port: number): void {
    // Anybody else could have beacons sent to whomever it likes.
    if (!isOwnAddress(address)) return
    for (const client of this.#clients) if (client !== port) this.#verify(client)
    this.#clients.add(port)
    this.#send(confirmMessage(), port)
  }

  #send(bytes: Buffer, port: number): void {
    this.#socket?.send(bytes, port, '127.0.0.1', () => undefined) // Who is gone is found out by `verify`
  }

  /** A client is gone when its port is free. */
  #verify(port: number): void {
    const probe = createSocket('udp4')
    probe.on('error', () => probe.close())
    probe.bind(port, () => {
      this.#clients.delete(port)
      probe.close()
    })
  }
}

/** Clients may register from any address of this host. */
function isOwnAddress(address: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return address.startsWith('127.') || own.some((one) => one.address === address)
}
