// The Fetch loop for one leader: one request at a time for all of a reader's partitions that it leads.
import { Lease } from './batch.js'
import { type BufferPool } from './pool.js'
import { type Cluster, backoffMs, isPassing } from './cluster.js'
import { type Connection, type Response, parse } from './connection.js'
import { type Position } from './position.js'
import { type FetchedPart, api, fetchByIdRequest, fetchByIdResponse, fetchRequest, fetchResponse } from './protocol.js'
import { WireError } from './wire.js'

export interface FetchLimits {
  readonly maxBytes: number
  readonly minBytes: number
  readonly maxWaitMs: number
  /** Bytes of responses that may be held by all fetchers of the reader. */
  readonly maxHeldBytes: number
}

/** What a fetcher needs of its reader. */
export interface Desk {
  readonly cluster: Cluster
  readonly limits: FetchLimits
  readonly pool: BufferPool
  readonly closed: boolean
  heldBytes: number
  led(leader: number): Position[]
  /** One part of a response for a position that is still of the generation it was asked for. */
  arrived(position: Position, part: FetchedPart, lease: Lease): void
  /** The leader is gone or refuses: find out who leads these now. */
  lost(positions: readonly Position[]): void
  fatal(error: Error): void
}

/** A wake-up call that is not lost when nobody sleeps. */
class Bell {
  #ring: (() => void) | undefined
  #rung = false

  ring(): void {
    this.#rung = true
    this.#ring?.()
  }
  async wait(timeoutMs = Infinity): Promise<void> {
    if (!this.#rung)
      await new Promise<void>((resolve) => {
        const timer = Number.isFinite(timeoutMs) ? setTimeout(resolve, timeoutMs) : undefined
        this.#ring = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    this.#ring = undefined
    this.#rung = false
  }
}

export class Fetcher {
  readonly bell = new Bell()
  #connection: Connection | undefined
  #held = 0

  constructor(
    readonly leader: number,
    readonly desk: Desk
  ) {}

  /** Runs until the reader is closed; never rejects. */
  async run(): Promise<void> {
    const { desk } = this
    while (!desk.closed) {
      const mine = desk.led(this.leader).filter((position) => !position.paused)
      const now = Date.now()
      const due = mine.filter((position) => position.notBeforeMs <= now)
      const full = this.#held > 0 && desk.heldBytes + desk.limits.maxBytes > desk.limits.maxHeldBytes
      if (due.length === 0 || full) {
        const soonest = Math.min(...mine.map((position) => position.notBeforeMs))
        await this.bell.wait(full ? Infinity : Math.max(1, soonest - now))
        continue
      }
      try {
        await this.#fetch(due)
      } catch (error) {
        this.#drop()
        if (!isPassing(error)) return desk.fatal(error as Error)
        for (const position of due) this.postpone(position)
        desk.lost(due)
      }
    }
    this.#drop()
  }

  /** Ends a request that is waiting for data. */
  close(): void {
    this.bell.ring()
    this.#drop()
  }

  postpone(position: Position): void {
    position.notBeforeMs = Date.now() + backoffMs(position.failures++)
  }

  #drop(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  async #fetch(positions: readonly Position[]): Promise<void> {
    const { desk } = this
    if (this.#connection && (!this.#connection.open || this.#connection.expiresMs < Date.now())) this.#drop()
    const connection = (this.#connection ??= await desk.cluster.connect(this.leader, desk.pool))
    if (desk.closed) return this.#drop()
    const byId = connection.speaks(api.fetchById) && positions.every(({ topicId }) => topicId !== '')
    const keyOf = (topic: string, partition: number): string => `${partition}/${topic}`
    const asked = new Map(
      positions.map((position) => {
        const { topic, topicId, partition, generation } = position
        return [keyOf(byId ? topicId : topic, partition), { position, generation, topicId }] as const
      })
    )
    const { maxWaitMs } = desk.limits
    const request = byId ? fetchByIdRequest(positions, desk.limits) : fetchRequest(positions, desk.limits)
    const timeoutMs = maxWaitMs + desk.cluster.settings.requestTimeoutMs
    const response = await connection.request(byId ? api.fetchById : api.fetch, request, timeoutMs)
    const lease = this.#lease(response)
    lease.hold()
    try {
      const { error, parts } = parse(response, byId ? fetchByIdResponse : fetchResponse)
      if (error !== 0 || parts.length !== positions.length)
        throw new WireError(`Fetch: error ${error}, ${parts.length} parts`)
      for (const part of parts) {
        const found = asked.get(keyOf(part.topic, part.partition))
        if (found === undefined) throw new WireError('Fetch: wrong part')
        const { position, generation, topicId } = found
        // Meanwhile it may have been found that the topic was made again
        if (position.generation !== generation || position.topicId !== topicId || desk.closed) continue
        desk.arrived(position, { ...part, topic: position.topic }, lease)
      }
    } finally {
      lease.drop()
    }
  }

  /** Counts the buffer as held until all batches made of it are released. */
  #lease({ buffer, end, pooled }: Response): Lease {
    const bytes = end
    this.#held += bytes
    this.desk.heldBytes += bytes
    return new Lease(buffer, () => {
      this.#held -= bytes
      this.desk.heldBytes -= bytes
      if (pooled) this.desk.pool.give(buffer)
      this.bell.ring()
    })
  }
}
