// One connection to one broker. Large responses are read by the kernel straight into pooled buffers.
import net from 'node:net'
import tls from 'node:tls'
import { CodedError } from '../api/errors.js'
import { errorName } from './broker-errors.js'
import { type KafkaSettings } from './options.js'
import { type BufferPool } from './pool.js'
import { authenticate } from './sasl.js'
import { In, Out, WireError } from './wire.js'

/** API key, name and a version we speak: mostly the newest without "flexible" fields, which Kafka 2.1 … 4.x accept. */
export interface Api {
  readonly key: number
  readonly version: number
  readonly name: string
  /** Headers with tagged fields; the reader of the answer begins with `tags()`. */
  readonly flexible?: boolean
}
const apiVersions: Api = { key: 18, version: 0, name: 'ApiVersions' }
const saslHandshake: Api = { key: 17, version: 1, name: 'SaslHandshake' }
const saslAuthenticate: Api = { key: 36, version: 1, name: 'SaslAuthenticate' }

/** A response body; `pooled` buffers must be given back to the pool. */
export interface Response {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  readonly pooled: boolean
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** The connection broke or could not be made; another attempt may succeed. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

interface Pending {
  readonly resolve: (response: Response) => void
  readonly reject: (error: Error) => void
  readonly deadlineMs: number
}

const SMALL = 64 * 1024
const NO_TAGS = Buffer.alloc(1)
/** Bulk data: one message may be larger than what was asked for. */
const MAX_FETCHED = 1 << 30
const MAX_ANSWER = 64 << 20
const MOST_WAIT_MS = 60_000

export class Connection {
  /** Milliseconds (Date.now) after which the broker wants a new authentication. */
  expiresMs = Infinity
  readonly #pending = new Map<number, Pending>()
  readonly #small = Buffer.allocUnsafeSlow(SMALL)
  /** Until the first deadline: looking every second would wake an idle daemon. */
  #watch: NodeJS.Timeout | undefined
  #watchedMs = Infinity
  readonly #prefix: Buffer
  readonly #versions = new Map<number, { min: number; max: number }>()
  #smallBytes = 0
  #big: Buffer | undefined
  #bigLength = 0
  #bigBytes = 0
  #correlation = 0
  #answers = 0
  #broken: Error | undefined
  #socket: net.Socket

  private constructor(
    readonly address: Address,
    readonly settings: KafkaSettings,
    readonly pool: BufferPool | undefined
  ) {
    const id = Buffer.from(settings.clientId)
    this.#prefix = Buffer.alloc(14 + id.length)
    this.#prefix.writeInt16BE(id.length, 12)
    id.copy(this.#prefix, 14)
    this.#socket = settings.tls ? this.#tls(settings.tls) : this.#plain()
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true, 30_000)
    this.#socket.on('error', (error) => this.#fail(this.#explain(error)))
    this.#socket.on('close', () => this.#fail(new ConnectionLost(`${this.name} closed the connection${this.#hint()}`)))
  }

  get name(): string {
    return `${this.address.host}:${this.address.port}`
  }
  get open(): boolean {
    return this.#broken === undefined
  }

  /**
   * Connects, checks the protocol versions and authenticates.
   * Throws CodedError KAFKA_AUTH when credentials or certificates are refused, else ConnectionLost.
   */
  static async open(
    address: Address,
    settings: KafkaSettings,
    needs: readonly Api[],
    pool?: BufferPool,
    signal?: AbortSignal
  ): Promise<Connection> {
    const connection = new Connection(address, settings, pool)
    const giveUp = (): void => connection.close()
    signal?.addEventListener('abort', giveUp)
    const timer = setTimeout(
      () =>
        connection.#fail(
          new ConnectionLost(`${connection.name} did not answer within ${settings.connectTimeoutMs} ms`)
        ),
      settings.connectTimeoutMs
    )
    try {
      await connection.#negotiate(needs)
      if (settings.sasl) await connection.#authenticate(settings.sasl)
      return connection
    } catch (error) {
      connection.close()
      throw error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** Sends one request; `body` must not be changed before the answer. */
  request(
    api: Api,
    body: Uint8Array | readonly Uint8Array[],
    timeoutMs = this.settings.requestTimeoutMs
  ): Promise<Response> {
    if (this.#broken) return Promise.reject(this.#broken)
    const parts = body instanceof Uint8Array ? [body] : body
    const id = (this.#correlation = (this.#correlation + 1) & 0x7fffffff)
    const head = api.flexible === true ? Buffer.concat([this.#prefix, NO_TAGS]) : Buffer.from(this.#prefix)
    head.writeInt32BE(
      parts.reduce((sum, part) => sum + part.length, head.length - 4),
      0
    )
    head.writeInt16BE(api.key, 4)
    head.writeInt16BE(api.version, 6)
    head.writeInt32BE(id, 8)
    return new Promise((resolve, reject) => {
      const deadlineMs = Date.now() + timeoutMs
      this.#pending.set(id, { resolve, reject, deadlineMs })
      if (deadlineMs < this.#watchedMs) this.#watchUntil(deadlineMs)
      this.#socket.cork()
      this.#socket.write(head)
      for (const part of parts) this.#socket.write(part)
      this.#socket.uncork()
    })
  }

  /** Whether the broker knows this version, too. */
  speaks({ key, version }: Api): boolean {
    const offered = this.#versions.get(key)
    return offered !== undefined && version >= offered.min && version <= offered.max
  }

  close(): void {
    this.#fail(new ConnectionLost(`the connection to ${this.name} was closed`))
  }

  #plain(): net.Socket {
    return net.connect({
      ...this.address,
      onread: {
        buffer: () => this.#target(),
        callback: (bytes) => {
          this.#received(bytes)
          return true
        }
      }
    })
  }

  #tls({ ca, cert, key, passphrase, servername, verify }: NonNullable<KafkaSettings['tls']>): net.Socket {
    const socket = tls.connect({
      ...this.address,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(passphrase !== undefined && { passphrase }),
      ...(servername !== undefined
        ? { servername }
        : net.isIP(this.address.host)
          ? {}
          : { servername: this.address.host }),
      rejectUnauthorized: verify
    })
    // Decrypted data comes in chunks of at most 16 KB: copied to where they belong.
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length && !this.#broken;) {
        const target = this.#target()
        const bytes = chunk.copy(target, 0, at)
        at += bytes
        this.#received(bytes)
      }
    })
    return socket
  }

  #target(): Buffer {
    return this.#big ? this.#big.subarray(this.#bigBytes, this.#bigLength) : this.#small.subarray(this.#smallBytes)
  }

  #received(bytes: number): void {
    if (this.#broken) return
    if (this.#big) {
      this.#bigBytes += bytes
      if (this.#bigBytes < this.#bigLength) return
      const buffer = this.#big
      this.#big = undefined
      this.#deliver(buffer, this.#bigLength, this.pool !== undefined)
      return
    }
    this.#smallBytes += bytes
    const most = this.pool ? MAX_FETCHED : MAX_ANSWER
    let at = 0
    while (this.#smallBytes - at >= 4) {
      const length = this.#small.readInt32BE(at)
      if (length < 4 || length > most)
        return this.#fail(new ConnectionLost(`${this.name} does not speak the Kafka protocol (or wants TLS)`))
      if (this.#smallBytes - at - 4 >= length) {
        this.#deliver(Buffer.from(this.#small.subarray(at + 4, at + 4 + length)), length, false)
        at += 4 + length
      } else if (length + 4 > SMALL) {
        this.#big = this.pool?.take(length) ?? Buffer.allocUnsafeSlow(length)
        this.#bigLength = length
        this.#bigBytes = this.#small.copy(this.#big, 0, at + 4, this.#smallBytes)
        this.#smallBytes = 0
        return
      } else break
    }
    this.#small.copyWithin(0, at, this.#smallBytes)
    this.#smallBytes -= at
  }

  #deliver(buffer: Buffer, end: number, pooled: boolean): void {
    const id = buffer.readInt32BE(0)
    const pending = this.#pending.get(id)
    if (!pending) return this.#fail(new ConnectionLost(`${this.name} answered a question that was not asked`))
    this.#pending.delete(id)
    this.#answers++
    pending.resolve({ buffer, start: 4, end, pooled })
  }

  /** Brokers say nothing when a client comes in by the wrong door. */
  #hint(): string {
    const { tls, sasl } = this.settings
    if (this.#answers > 1 || (tls && sasl)) return ''
    return ` (does it want ${[tls ? '' : 'TLS', sasl ? '' : 'SASL'].filter((word) => word !== '').join(' or ')}?)`
  }

  #watchUntil(deadlineMs: number): void {
    clearTimeout(this.#watch)
    this.#watchedMs = deadlineMs
    const waitMs = Math.min(deadlineMs - Date.now() + 1, MOST_WAIT_MS)
    this.#watch = setTimeout(() => this.#checkDeadlines(), waitMs).unref()
  }

  #checkDeadlines(): void {
    const first = Math.min(...[...this.#pending.values()].map(({ deadlineMs }) => deadlineMs))
    if (first <= Date.now()) return this.#fail(new ConnectionLost(`${this.name} did not answer in time`))
    this.#watchedMs = Infinity
    if (first < Infinity) this.#watchUntil(first)
  }

  #explain(error: Error & { code?: string }): Error {
    if (isUntrusted(error.code)) return untrusted(this.name, error)
    const what = error.message === '' ? (error.code ?? 'failed') : error.message
    const plain = this.settings.tls && /before secure TLS|wrong version number|packet length/i.test(what)
    return new ConnectionLost(`${this.name}: ${what}${plain ? ' (is TLS spoken there?)' : ''}`)
  }

  #fail(error: Error): void {
    if (this.#broken) return
    this.#broken = error
    clearTimeout(this.#watch)
    this.#socket.destroy()
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of waiting) reject(error)
    // The kernel may still be about to fill #big: it is left to the garbage collector, not to the pool.
    this.#big = undefined
  }

  async #negotiate(needs: readonly Api[]): Promise<void> {
    const { buffer, start, end } = await this.request(apiVersions, Buffer.alloc(0))
    const input = new In(buffer, start, end)
    const code = input.i16()
    if (code !== 0) throw new ConnectionLost(`${this.name}: ApiVersions: ${errorName(code)}`)
    input.array(() => this.#versions.set(input.i16(), { min: input.i16(), max: input.i16() }))
    for (const need of needs)
      if (!this.speaks(need))
        throw new CodedError(
          'KAFKA_UNREACHABLE',
          `${this.name} does not speak ${need.name} v${need.version}; Kafka 2.1 or later is needed`
        )
  }

  async #authenticate(sasl: NonNullable<KafkaSettings['sasl']>): Promise<void> {
    const mechanism = sasl.mechanism.toUpperCase()
    const answer = await this.request(saslHandshake, new Out().string(mechanism).done())
    const handshake = new In(answer.buffer, answer.start, answer.end)
    if (handshake.i16() !== 0) {
      const offered = handshake.array(() => handshake.string()).join(', ')
      throw new CodedError('KAFKA_AUTH', `${this.name} does not offer SASL ${mechanism}; it offers ${offered}`)
    }
    await authenticate(sasl, async (token) => {
      const { buffer, start, end } = await this.request(saslAuthenticate, new Out().bytes(token).done())
      const input = new In(buffer, start, end)
      const code = input.i16()
      const message = input.nullableString()
      if (code !== 0)
        throw new CodedError('KAFKA_AUTH', `${this.name} refused user ${sasl.username}: ${message ?? errorName(code)}`)
      const bytes = input.bytes()
      const lifetimeMs = input.i64()
      if (lifetimeMs > 0) this.expiresMs = Date.now() + lifetimeMs * 0.8
      return bytes
    })
  }
}

/** Whether TLS ended a connection with this code because of the certificate. */
const isUntrusted = (code: string | undefined): boolean =>
  /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|ALERT_UNKNOWN_CA/.test(code ?? '')

function untrusted(broker: string, error: Error & { readonly code?: string }): CodedError {
  const { code = '' } = error
  // The broker says of ours what it does not like
  const text = code.includes('ALERT')
    ? `${broker} refused our certificate: ${/[a-z ]*alert [a-z ]*/.exec(error.message)?.[0] ?? error.message}; see ssl.cert_file and ssl.key_file`
    : `the certificate of ${broker} is not trusted: ${error.message}; ${trustHint(code)}`
  return new CodedError('KAFKA_AUTH', `TLS: ${text}`, { cause: error })
}

function trustHint(code: string): string {
  if (code.includes('EXPIRED')) return 'it must be renewed on the broker'
  if (code.includes('ALTNAME')) return 'name the broker as its certificate does, or set ssl.servername'
  return 'set ssl.ca_file to the certificate of the authority that signed it'
}

/** Parses a response; a malformed one is a WireError. */
export function parse<T>(response: Response, read: (input: In) => T): T {
  try {
    return read(new In(response.buffer, response.start, response.end))
  } catch (error) {
    if (error instanceof RangeError) throw new WireError(`malformed response: ${error.message}`)
    throw error
  }
}
