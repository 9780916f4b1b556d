// One TCP connection to a server: connect timeout, gathered writes, pause, and one end with one reason.
import { connect, type Socket } from 'node:net'
import { READ_BYTES } from './gatherer.js'
import { errorText } from '../../../core/api/plugin.js'

export interface LinkHandler {
  onOpen(): void
  /** `chunk` is valid during the call only. May throw: then the link ends with that reason. */
  onData(chunk: Buffer): void
  /** Called once, never from within the constructor. */
  onClose(reason: string): void
}

export class Link {
  readonly key: string
  readonly #socket: Socket
  readonly #handler: LinkHandler
  readonly #connectTimer: NodeJS.Timeout
  #out: Uint8Array[] = []
  #paused = 0
  #closed = false
  rxBytes = 0
  /** ms of the last byte in either direction. */
  lastRxMs = Date.now()
  lastTxMs = Date.now()
  /** ms when reading last began. */
  resumedMs = Date.now()

  constructor(host: string, port: number, connectTimeoutMs: number, handler: LinkHandler) {
    this.key = `${host}:${port}`
    this.#handler = handler
    // Into the same memory each time: fresh memory for every piece of an image keeps the garbage collector busy.
    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length: number, bytes: Uint8Array): boolean => this.#onData(length, bytes)
    }
    this.#socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000, onread })
    this.#connectTimer = setTimeout(() => this.close('no connection in time'), connectTimeoutMs)
    this.#socket.on('connect', () => this.#guard(() => handler.onOpen()))
    this.#socket.on('error', (error) => this.close(error.message))
    this.#socket.on('close', () => this.close('closed by the server'))
  }

  get closed(): boolean {
    return this.#closed
  }

  get paused(): boolean {
    return this.#paused > 0
  }

  /** The protocol's greeting is done; from now on silence is the protocol's own business. */
  established(): void {
    clearTimeout(this.#connectTimer)
  }

  /** Everything sent in one turn of the event loop leaves in one write. */
  send(bytes: Uint8Array): void {
    if (this.#closed) return
    if (this.#out.push(bytes) > 1) return
    setImmediate(() => {
      const out = this.#out
      this.#out = []
      if (this.#closed) return
      this.lastTxMs = Date.now()
      this.#socket.write(out.length === 1 ? (out[0] as Uint8Array) : Buffer.concat(out))
    })
  }

  /** Reading, and for longer than `ms` without what was awaited since `sinceMs` (0: nothing). */
  isOverdue(sinceMs: number, ms: number, now: number): boolean {
    return sinceMs > 0 && this.#paused === 0 && now - Math.max(sinceMs, this.resumedMs) > ms
  }

  /** Stops reading (the server's buffers fill up, then it drops or merges); as many `resume` as `pause` let it go on. */
  pause(): void {
    if (this.#paused++ === 0) this.#socket.pause()
  }

  resume(): void {
    if (this.#paused === 0 || --this.#paused > 0) return
    this.lastRxMs = this.resumedMs = Date.now()
    this.#socket.resume()
  }

  close(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#connectTimer)
    this.#socket.destroy()
    this.#handler.onClose(reason)
  }

  #onData(length: number, bytes: Uint8Array): boolean {
    this.rxBytes += length
    this.lastRxMs = Date.now()
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, length)
    this.#guard(() => this.#handler.onData(chunk))
    return true
  }

  #guard(action: () => void): void {
    if (this.#closed) return
    try {
      action()
    } catch (error) {
      this.close(errorText(error))
    }
  }
}
