// One client of the live stream: says hello, gets the state, then all that happens; cut off when it does not read.
import { type Socket } from 'node:net'
import { formats } from '../wire/packets.js'
import { NoPacket, PacketCutter } from '../wire/cut.js'

/** A hello is 4 or 8 bytes. */
const MOST_HELLO_BYTES = 1024

export interface ClientHooks {
  /** It said hello: what it is to be greeted with. */
  joined(client: AdaraClient, startS: number): void
  /** Once, with a word where it did not go by itself. */
  left(client: AdaraClient, why: string | undefined): void
}

export class AdaraClient {
  readonly name: string
  joined = false
  sentBytes = 0
  #gone = false
  #hello: NodeJS.Timeout
  readonly #cutter = new PacketCutter(MOST_HELLO_BYTES)

  readonly #socket: Socket
  readonly #mostBytes: number
  readonly #hooks: ClientHooks

  constructor(socket: Socket, limits: { readonly mostBytes: number; readonly helloMs: number }, hooks: ClientHooks) {
    this.#socket = socket
    this.#mostBytes = limits.mostBytes
    this.#hooks = hooks
    this.name = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`
    socket.setNoDelay(true)
    this.#hello = setTimeout(() => this.cut(`said no hello in ${limits.helloMs} ms`), limits.helloMs)
    socket.on('data', (bytes) => this.#heard(bytes))
    socket.on('error', () => this.#leave(undefined))
    socket.on('close', () => this.#leave(undefined))
  }

  /** Bytes that wait for it to read. */
  get waitingBytes(): number {
    return this.#socket.writableLength
  }

  /** Only for clients that have joined. */
  send(bytes: Buffer): void {
    if (this.#gone || !this.joined) return
    const waiting = this.waitingBytes
    if (waiting + bytes.length > this.#mostBytes)
      return this.cut(`did not read: ${waiting} bytes wait, client_buffer_bytes is ${this.#mostBytes}`)
    this.sentBytes += bytes.length
    this.#socket.write(bytes)
  }

  /** What a client must know first, as parts that clients share: nothing of it is copied. */
  greet(parts: readonly Buffer[]): void {
    const bytes = parts.reduce((sum, { length }) => sum + length, 0)
    if (bytes > this.#mostBytes)
      return this.cut(`would be greeted with ${bytes} bytes; raise client_buffer_bytes, which is ${this.#mostBytes}`)
    this.#socket.cork()
    for (const part of parts) this.send(part)
    this.#socket.uncork()
  }

  cut(why: string): void {
    this.#socket.destroy()
    this.#leave(why)
  }

  /** After what it has been sent. */
  end(): void {
    clearTimeout(this.#hello)
    this.#socket.end()
  }

  #heard(bytes: Buffer): void {
    try {
      this.#cutter.push(bytes, ({ format, payload }) => {
        const isHello = format === formats.hello || format === formats.helloFlags
        if (!isHello || payload.length < 4) throw new NoPacket(`a packet of format 0x${format.toString(16)}`)
        // Only the first one says anything
        if (this.joined) return
        clearTimeout(this.#hello)
        this.joined = true
        this.#hooks.joined(this, payload.readUInt32LE(0))
      })
    } catch (error) {
      if (!(error instanceof NoPacket)) throw error
      this.cut(`sent what is no hello: ${error.message}`)
    }
  }

  #leave(why: string | undefined): void {
    if (this.#gone) return
    this.#gone = true
    clearTimeout(this.#hello)
    this.#hooks.left(this, why)
  }
}
