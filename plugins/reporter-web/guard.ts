// Who may ask for what: Host, Origin, token, and what every answer says to the browser.
import { createHash, timingSafeEqual } from 'node:crypto'
import { type FastifyReply, type FastifyRequest } from 'fastify'
import { type Access, type WebOptions } from './options.js'

/** A request that is refused, in words for people. */
export class Refusal extends Error {
  constructor(
    readonly statusCode: number,
    message: string
  ) {
    super(message)
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export class Guard {
  readonly #hosts: ReadonlySet<string>
  readonly #token: Buffer | undefined
  readonly #headers: Readonly<Record<string, string>>
  /** For the script that reads HDF5: it is WebAssembly, which only a worker of this policy may compile; the page itself may not. */
  readonly workerPolicy: string
  readonly #calls = new Map<string, { count: number; sinceMs: number }>()

  constructor(
    readonly options: WebOptions,
    readonly access: Access
  ) {
    this.#hosts = new Set([...options.hosts, options.host, 'localhost', '127.0.0.1', '::1'])
    this.#token = access.token === undefined ? undefined : digest(access.token)
    const ancestors = options.frame_ancestors.length === 0 ? "'none'" : options.frame_ancestors.join(' ')
    const policy = [
      "default-src 'self'",
      "script-src 'self'",
      "img-src 'self' blob: data:",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      `frame-ancestors ${ancestors}`
    ]
    this.workerPolicy = policy.join('; ').replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
    this.#headers = {
      'content-security-policy': policy.join('; '),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': 'camera=(), microphone=(), geolocation=()',
      ...(access.tls !== undefined && { 'strict-transport-security': 'max-age=31536000' })
    }
  }

  /** Before anything else is done with a request. Throws Refusal. */
  admit(request: FastifyRequest, reply: FastifyReply): void {
    reply.headers(this.#headers)
    const host = hostOf(request.headers.host ?? '')
    if (host === undefined || !this.#hosts.has(host))
      throw new Refusal(421, 'this page is not served under that name; see reporters.web.hosts')
    const isNavigation = request.headers['sec-fetch-mode'] === 'navigate' && request.url === '/'
    if (request.headers['sec-fetch-site'] === 'cross-site' && !isNavigation)
      throw new Refusal(403, 'not for pages of other sites')
    if (request.method !== 'GET' && request.method !== 'HEAD') this.#sameOrigin(request)
    if (!request.url.startsWith('/api/')) return
    reply.header('cache-control', 'no-store')
    if (this.access.readsByToken || request.method === 'POST') this.#requireToken(request)
  }

  /** A bucket for each address, so that nobody can try tokens or flood the daemon. */
  limit(address: string, perMinute = this.options.commands_per_minute): void {
    const nowMs = Date.now()
    const known = this.#calls.get(address)
    const call = known === undefined || nowMs - known.sinceMs > 60_000 ? { count: 0, sinceMs: nowMs } : known
    this.#calls.delete(address)
    this.#calls.set(address, call)
    if (this.#calls.size > 10_000) this.#calls.delete(this.#calls.keys().next().value ?? '')
    if (++call.count > perMinute) throw new Refusal(429, 'too many commands; wait a minute')
  }

  #sameOrigin({ headers, protocol }: FastifyRequest): void {
    if (headers.origin !== `${protocol}://${headers.host}`) throw new Refusal(403, 'only from the page itself (Origin)')
  }

  #requireToken(request: FastifyRequest): void {
    if (request.method === 'POST') this.limit(request.ip)
    if (request.method === 'POST' && !this.options.commands)
      throw new Refusal(403, 'commands are off; see reporters.web.commands')
    const [, given] = /^Bearer ([\x21-\x7e]+)$/.exec(request.headers.authorization ?? '') ?? []
    if (given !== undefined && this.#token !== undefined && timingSafeEqual(digest(given), this.#token)) return
    throw new Refusal(401, given === undefined ? 'this needs the token' : 'the token is not the right one')
  }
}

/** The name in a Host header, without port; undefined when it is none. */
function hostOf(header: string): string | undefined {
  const [, name, six] = /^(?:([A-Za-z0-9._-]+)|\[([0-9a-fA-F:.]+)\])(?::\d{1,5})?$/.exec(header) ?? []
  return (name ?? six)?.toLowerCase()
}
