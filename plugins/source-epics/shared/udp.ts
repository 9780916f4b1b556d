// The UDP socket of a client: replies come here; errors never leave it, a lost socket is made anew.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { type Warner } from './warner.js'
import { errorText } from '../../../core/api/plugin.js'

const REOPEN_MS = 5000
const RECEIVE_BUFFER = 1 << 20

export class UdpPort {
  readonly #onDatagram: (bytes: Buffer, from: RemoteInfo) => void
  readonly #warner: Warner
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #port = 0
  #closed = false
  rxBytes = 0

  constructor(onDatagram: (bytes: Buffer, from: RemoteInfo) => void, warner: Warner) {
    this.#onDatagram = onDatagram
    this.#warner = warner
    this.#open()
  }

  /** Our port; 0 while the socket is not bound. */
  get port(): number {
    return this.#port
  }

  send(bytes: Uint8Array, host: string, port: number): void {
    if (this.#port === 0) return
    this.#socket?.send(bytes, port, host, (error) => {
      if (error !== null) this.#warner.warn(`udp ${host}`, `cannot send to ${host}:${port}: ${error.message}`)
    })
  }

  close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    return new Promise((resolve) => (this.#socket === undefined ? resolve() : this.#socket.close(() => resolve())))
  }

  #open(): void {
    const socket = createSocket('udp4')
    this.#socket = socket
    socket.on('error', (error) => this.#failed(socket, error))
    socket.on('message', (bytes, from) => {
      this.rxBytes += bytes.length
      try {
        this.#onDatagram(bytes, from)
      } catch (error) {
        this.#warner.warn(`datagram ${from.address}`, `bad datagram from ${from.address}: ${errorText(error)}`)
      }
    })
    socket.bind(0, () => {
      socket.setBroadcast(true)
      try {
        socket.setRecvBufferSize(RECEIVE_BUFFER)
      } catch (error) {
        this.#warner.warn('udp buffer', `the kernel allows no larger UDP buffer: ${errorText(error)}`)
      }
      this.#port = socket.address().port
    })
  }

  #failed(socket: Socket, error: Error): void {
    this.#warner.warn('udp', `UDP socket: ${error.message}; it is opened again`)
    if (this.#closed || this.#socket !== socket) return
    this.#port = 0
    this.#socket = undefined
    socket.close()
    this.#timer = setTimeout(() => this.#open(), REOPEN_MS)
  }
}
