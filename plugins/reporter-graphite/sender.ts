// Pieces of bytes to one server over TCP or TLS: a bounded queue, never blocking, the oldest dropped; a server that is away costs a count.
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { type OutletState } from '../../core/api/plugin.js'

const CONNECT_MS = 1000
/** A handshake takes longer, on a busy machine. */
const HANDSHAKE_MS = 10_000
const RETRY_MS = 2000
/** A server that takes nothing for so long is as good as away. */
const STUCK_MS = 10_000
/** Sent at once at most. */
const CHUNK_BYTES = 65_536

export interface NetworkSenderOptions {
  readonly host: string
  readonly port: number
  /** Pieces that may wait. */
  readonly most: number
  /** Undefined: plain TCP. */
  readonly tls?: ConnectionOptions
  /** Hears when the server goes away and comes back. */
  readonly told: (level: 'warn' | 'info', message: string) => void
}

export class NetworkSender {
  sent = 0
  /** Given up: the queue was full, or the connection was lost while they were on their way (sent twice would be worse). */
  dropped = 0
  #queue: Buffer[] = []
  #socket: Socket | undefined
  #connected = false
  /** Told, and not over yet. */
  #away = false
  #droppedBefore = 0
  #flying = 0
  #retry: NodeJS.Timeout | undefined
  #closing = false
  #emptied: (() => void) | undefined

  readonly #options: NetworkSenderOptions

  constructor(options: NetworkSenderOptions) {
    this.#options = options
  }

  get state(): 'connected' | 'away' | 'idle' {
    return this.#connected ? 'connected' : this.#away ? 'away' : 'idle'
  }

  /** For `outlets` of the snapshot. */
  get outlet(): OutletState {
    const { state, sent, dropped } = this
    return { state, sent, dropped }
  }

  get waiting(): number {
    return this.#queue.length + this.#flying
  }

  push(piece: Buffer): void {
    if (this.#closing) {
      this.dropped++
      return
    }
    this.#queue.push(piece)
    const { most } = this.#options
    // A quarter more is let in before the oldest go: to drop one at a time would move all of them each time
    if (this.#queue.length > most + (most >> 2)) {
      this.dropped += this.#queue.length - most
      this.#queue = this.#queue.slice(-most)
    }
    this.#go()
  }

  /** Sends what waits, if the server takes it in that time. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true
    if (this.waiting > 0 && !this.#away) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#emptied = resolve
        timer = setTimeout(resolve, timeoutMs)
        this.#go()
      })
      clearTimeout(timer)
    }
    clearTimeout(this.#retry)
    this.dropped += this.waiting
    this.#queue = []
    this.#flying = 0
    const socket = this.#socket
    this.#socket = undefined
    if (this.#connected) socket?.destroySoon()
    else socket?.destroy()
    this.#connected = false
  }

  #go(): void {
    if (this.#queue.length === 0 && this.#flying === 0) return this.#emptied?.()
    if (this.#flying > 0 || this.#queue.length === 0) return
    if (this.#socket === undefined) {
      if (this.#retry === undefined) this.#connect()
      return
    }
    if (this.#connected) this.#write(this.#socket)
  }

  #write(socket: Socket): void {
    let bytes = 0
    let count = 0
    while (count < this.#queue.length && (count === 0 || bytes < CHUNK_BYTES))
      bytes += this.#queue[count++]?.length ?? 0
    this.#flying = count
    socket.setTimeout(STUCK_MS)
    socket.write(Buffer.concat(this.#queue.splice(0, count), bytes), (error) => {
      if (socket !== this.#socket || error) return // `close` comes, and counts
      socket.setTimeout(0)
      this.sent += count
      this.#flying = 0
      this.#go()
    })
  }

  #connect(): void {
    const { host, port, tls } = this.#options
    const socket = tls === undefined ? connectTcp({ host, port }) : connectTls({ host, port, ...tls })
    this.#socket = socket
    let why = 'it closed the connection'
    socket.setTimeout(tls === undefined ? CONNECT_MS : HANDSHAKE_MS)
    socket.on(tls === undefined ? 'connect' : 'secureConnect', () => {
      socket.setTimeout(0).setKeepAlive(true, 30_000)
      this.#connected = true
      if (this.#away) this.#back()
      this.#go()
    })
    socket.on('timeout', () => socket.destroy(new Error('it does not answer')))
    socket.on('error', (error: NodeJS.ErrnoException) => (why = error.message || String(error.code)))
    socket.on('close', () => {
      if (socket === this.#socket) this.#lost(why)
    })
    socket.resume() // What the server says is nothing to us, but its end has to be read
  }

  #lost(why: string): void {
    const before = this.dropped
    this.dropped += this.#flying
    this.#flying = 0
    this.#socket = undefined
    this.#connected = false
    if (!this.#away) {
      this.#away = true
      this.#droppedBefore = before
      const { host, port } = this.#options
      this.#options.told('warn', `${host}:${port} takes nothing: ${why}; tried again every ${RETRY_MS / 1000} s`)
    }
    this.#emptied?.()
    if (this.#closing) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#go()
    }, RETRY_MS)
  }

  #back(): void {
    this.#away = false
    const { host, port } = this.#options
    this.#options.told('info', `${host}:${port} is back; ${this.dropped - this.#droppedBefore} were dropped meanwhile`)
  }
}
