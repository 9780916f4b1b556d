// Hears broadcasts on a port that servers of this host have, too: a socket bound to a broadcast address gets what is sent
// there and nothing else, so that it takes no unicast search away from a server.
import { createSocket, type Socket } from 'node:dgram'
import { type SearchTarget } from './addrlist.js'
import { type Warner } from './warner.js'
import { errorText } from '../../../core/api/plugin.js'

export class BroadcastPorts {
  readonly #onDatagram: (bytes: Buffer, address: string) => void
  readonly #warner: Warner
  readonly #sockets = new Map<string, Socket>()

  constructor(onDatagram: (bytes: Buffer, address: string) => void, warner: Warner) {
    this.#onDatagram = onDatagram
    this.#warner = warner
  }

  /** Listens on the broadcast addresses among `targets`, and no longer on those that are not. */
  listen(targets: readonly SearchTarget[]): void {
    const wanted = new Map<string, SearchTarget>()
    for (const target of targets) if (target.broadcast) wanted.set(`${target.host}:${target.port}`, target)
    for (const [key, socket] of this.#sockets) if (!wanted.has(key)) this.#end(key, socket)
    for (const [key, { host, port }] of wanted) if (!this.#sockets.has(key)) this.#open(key, host, port)
  }

  close(): void {
    for (const [key, socket] of this.#sockets) this.#end(key, socket)
  }

  #end(key: string, socket: Socket): void {
    this.#sockets.delete(key)
    socket.close()
  }

  #open(key: string, host: string, port: number): void {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    this.#sockets.set(key, socket)
    socket.on('error', (error) => {
      // Opened again by the next `listen`; without it servers are found by searches alone.
      this.#warner.warn(`beacons ${key}`, `beacons to ${key} are not heard: ${error.message}`)
      if (this.#sockets.get(key) === socket) this.#end(key, socket)
    })
    socket.on('message', (bytes, { address }) => {
      try {
        this.#onDatagram(bytes, address)
      } catch (error) {
        this.#warner.warn(`beacon ${address}`, `bad beacon from ${address}: ${errorText(error)}`)
      }
    })
    socket.bind(port, host)
  }
}
