// Server-sent events: everything small, as it changes. Slow readers are cut, so that nothing piles up here.
import { type FastifyReply, type FastifyRequest } from 'fastify'
import { Refusal } from './guard.js'

/** What a stream can carry, and how it is made: all of it, or what has changed since a version. */
export interface EventFeed {
  /** Grows with every change. */
  readonly version: number
  /** Undefined: nothing to say. `since` 0: everything. */
  read(since: number): unknown
  /** Somebody begins, or nobody is left, to look. */
  watched?(count: number): void
}

export const feedOf = (version: () => number, read: EventFeed['read'], watched?: EventFeed['watched']): EventFeed => ({
  get version() {
    return version()
  },
  read,
  ...(watched && { watched })
})

interface Open {
  readonly address: string
  readonly reply: FastifyReply
  readonly feeds: readonly string[]
  readonly seen: Map<string, number>
  readonly timer: NodeJS.Timeout
}

const COMMENT_MS = 15_000
/** A reader that lets so much wait is cut. */
const MOST_WAITING = 8_000_000

interface StreamLimits {
  readonly clients: number
  readonly perClient: number
}

export class Streams {
  readonly #open = new Set<Open>()
  /** Versions of another run mean nothing. */
  readonly #run = String(Date.now())

  constructor(
    readonly feeds: ReadonlyMap<string, EventFeed>,
    readonly limits: StreamLimits
  ) {}

  get size(): number {
    return this.#open.size
  }

  /** Takes the connection over. Throws Refusal for one too many. */
  add(request: FastifyRequest, reply: FastifyReply, wanted: readonly string[]): void {
    const unknown = wanted.find((name) => !this.feeds.has(name))
    if (unknown !== undefined) throw new Refusal(400, `no topic of this name; there is ${[...this.feeds.keys()].join(', ')}`) // prettier-ignore
    if (this.#open.size >= this.limits.clients) throw new Refusal(503, 'too many pages are open')
    const same = [...this.#open].filter(({ address }) => address === request.ip)
    if (same.length >= this.limits.perClient) throw new Refusal(429, 'too many pages of this address are open')
    reply.hijack()
    const headers = {
      ...reply.getHeaders(),
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no'
    }
    reply.raw.writeHead(200, headers as Record<string, string>)
    const timer = setInterval(() => this.#write(open, ': still here\n\n'), COMMENT_MS)
    const open: Open = { address: request.ip, reply, feeds: wanted, seen: this.#places(request), timer }
    this.#open.add(open)
    reply.raw.on('close', () => this.#closed(open))
    for (const name of wanted) this.#watched(name)
    this.#write(open, `retry: 1000\n\n`)
    this.#send(open)
  }

  /** Tells everybody what is new. */
  tell(): void {
    for (const open of this.#open) this.#send(open)
  }

  close(): void {
    for (const open of this.#open) open.reply.raw.destroy()
  }

  /** Where a reader that comes again has been: `RUN name=version,name=version`. */
  #places(request: FastifyRequest): Map<string, number> {
    const [run, places = ''] = String(request.headers['last-event-id'] ?? '').split(' ')
    if (run !== this.#run) return new Map()
    return new Map(
      places.split(',').map((place) => {
        const [name = '', version = '0'] = place.split('=')
        return [name, Number(version) || 0] as const
      })
    )
  }

  #send(open: Open): void {
    for (const name of open.feeds) {
      const feed = this.feeds.get(name)
      const since = open.seen.get(name) ?? 0
      if (feed === undefined || feed.version <= since) continue
      const { version } = feed
      const data = feed.read(since)
      open.seen.set(name, version)
      const places = [...open.seen].map(([key, at]) => `${key}=${at}`).join(',')
      if (data !== undefined) this.#write(open, `event: ${name}\nid: ${this.#run} ${places}\ndata: ${JSON.stringify(data)}\n\n`) // prettier-ignore
    }
  }

  #write({ reply: { raw } }: Open, text: string): void {
    if (raw.destroyed) return
    raw.write(text)
    if (raw.writableLength > MOST_WAITING) raw.destroy()
  }

  #closed(open: Open): void {
    clearInterval(open.timer)
    this.#open.delete(open)
    for (const name of open.feeds) this.#watched(name)
  }

  #watched(name: string): void {
    this.feeds.get(name)?.watched?.([...this.#open].filter(({ feeds }) => feeds.includes(name)).length)
  }
}
