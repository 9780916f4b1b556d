// The brokers of a cluster: who they are, who leads which partition, and a control connection to each.
import { setTimeout as sleep } from 'node:timers/promises'
import { CodedError, topicMissing } from '../api/errors.js'
import { endsWithin } from '../api/patience.js'
import { TOPIC_DENIED, errorName, isAuthError, isFinalError, isLeaderError, missingRight } from './broker-errors.js'
import { type Address, type Api, Connection, ConnectionLost, parse } from './connection.js'
import { type KafkaSettings } from './options.js'
import { type BufferPool } from './pool.js'
import {
  type ClusterMetadata,
  type TopicMetadata,
  api,
  hasRight,
  metadataByIdResponse,
  metadataRequest,
  metadataResponse
} from './protocol.js'
import { type Log } from '../log.js'
import { type In, WireError } from './wire.js'

/** A broker answered with an error code. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  constructor(
    readonly code: number,
    what: string,
    detail?: string | null
  ) {
    super(`${what}: ${errorName(code)}${detail ? `: ${detail}` : ''}`)
  }
}

/** The broker refuses the user; `right` is what the user lacks, in the words of kafka-acls. */
export const denied = (what: string, code: number, right?: string): CodedError =>
  new CodedError('KAFKA_AUTH', `${what}: ${errorName(code)}${missingRight(code, right)}`)

/** Throws for a code that is not 0: KAFKA_AUTH for a refusal, else BrokerError. */
export function expectOk(code: number, what: string, detail?: string | null, right?: string): void {
  if (code === 0) return
  if (isAuthError(code)) throw denied(detail ? `${what}: ${detail}` : what, code, right)
  throw new BrokerError(code, what, detail)
}

/** As `expectOk`, of what is told about a topic. */
export const expectTopic = (code: number, name: string): void =>
  expectOk(code, `topic ${name}`, null, `DESCRIBE on topic ${name}`)

/** Throws KAFKA_AUTH where the user may see the topic and not do that with it. */
export function expectRight(topic: TopicMetadata, right: 'READ' | 'WRITE'): void {
  if (topic.error === 0 && !hasRight(topic, right))
    throw denied(`topic ${topic.name}`, TOPIC_DENIED, `${right} on topic ${topic.name}`)
}

/** May work at another time: the connection broke, or the broker says so. */
export const isPassing = (error: unknown): boolean =>
  error instanceof ConnectionLost ||
  error instanceof WireError ||
  (error instanceof BrokerError && (isLeaderError(error.code) || !isFinalError(error.code)))

const FIRST_PAUSE_MS = 50
/** Also bounds how long after a broker's return we notice it. */
const LONGEST_PAUSE_MS = 500
/** A cluster that let us in once is given this long before a refusal counts: it may be restarting. */
const AUTH_PATIENCE_MS = 60_000

/** Pause before attempt `n` (0-based), growing, with jitter. */
export const backoffMs = (n: number): number =>
  Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(n, 10)) * (0.75 + Math.random() / 2)

/** Until `ms` have passed, or `signal` is aborted. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined)

/** Metadata are small: a broker that does not give them in this time is taken to be away. */
const METADATA_PATIENCE_MS = 10_000
/** What a closing part may wait in any case. */
const SHORTEST_PATIENCE_MS = 500

/** Resolves with `done`, or after a second: what hangs on a broker that does not answer is left to end by itself. */
export async function soon(done: Promise<unknown>, ms = 1000): Promise<void> {
  await endsWithin(done, ms)
}

const dataApis: readonly Api[] = [api.produce, api.fetch, api.listOffsets, api.metadata, api.initProducerId]

export class Cluster {
  readonly #connections = new Map<string, Promise<Connection>>()
  readonly #brokers = new Map<number, Address>()
  readonly #closing = new AbortController()
  #controller = -1
  /** performance.now() when the last broker was lost; Infinity: one answers. Before the first answer: since it was first asked. */
  #awaySinceMs = Infinity
  #asked = false
  /** performance.now() when the first of those that close now began to wait for brokers. */
  #closingSinceMs: number | undefined
  #watch: NodeJS.Timeout | undefined
  #wasIn = false
  #refusedSinceMs = 0

  constructor(
    readonly settings: KafkaSettings,
    readonly log: Log
  ) {}

  /** Aborted by `close`. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** A new connection to broker `id` for bulk data; its owner closes it. */
  async connect(id: number, pool?: BufferPool): Promise<Connection> {
    const address = this.#brokers.get(id)
    if (!address) throw new ConnectionLost(`broker ${id} is not in the metadata`)
    return this.#open(address, pool)
  }

  /** One round of asking every known broker for metadata until one answers, `last` when no other does. `names` null: all topics. */
  async metadata(names: readonly string[] | null, withRights = false, last?: number): Promise<ClusterMetadata> {
    const reasons: string[] = []
    for (const address of this.#candidates(last)) {
      try {
        const connection = await this.#control(address)
        const patienceMs = Math.min(METADATA_PATIENCE_MS, this.settings.requestTimeoutMs)
        const byId = connection.speaks(api.metadataById)
        const which = byId ? api.metadataById : api.metadata
        const answer = await connection.request(which, metadataRequest(names, byId, withRights), patienceMs)
        const metadata = parse(answer, byId ? metadataByIdResponse : metadataResponse)
        this.#learn(metadata)
        return metadata
      } catch (error) {
        if (!isPassing(error)) throw error
        reasons.push((error as Error).message)
      }
    }
    this.#lost(reasons)
    throw new ConnectionLost(reasons.join('; '))
  }

  /** Metadata of topics with the partitions by number. Throws CodedError TOPIC_MISSING. */
  async topic(name: string, last?: number): Promise<TopicMetadata> {
    const found = (await this.metadata([name], false, last)).topics.find((topic) => topic.name === name)
    if (!found || found.error === 3 || found.error === 17) throw topicMissing(`topic ${name}`)
    expectTopic(found.error, name)
    return found
  }

  /** Asks broker `id` (a number, or the controller) over its control connection. */
  async ask<T>(id: number | 'controller', which: Api, body: Buffer, read: (input: In) => T): Promise<T> {
    const address = this.#brokers.get(id === 'controller' ? this.#controller : id)
    if (!address) throw new ConnectionLost(`broker ${id} is not in the metadata`)
    const connection = await this.#control(address)
    return parse(await connection.request(which, body), read)
  }

  /** Repeats `attempt` while it fails for reasons that pass, up to the configured time. */
  async patiently<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const end = Date.now() + this.settings.timeoutMs
    for (let n = 0; ; n++) {
      try {
        return await attempt()
      } catch (error) {
        if (!isPassing(error)) {
          if (error instanceof CodedError) throw error
          throw new CodedError('COMMAND_FAILED', `${what}: ${(error as Error).message}`, { cause: error })
        }
        if (Date.now() > end || this.closing.aborted)
          throw new CodedError('KAFKA_UNREACHABLE', `${what}: ${(error as Error).message}`, { cause: error })
      }
      await pause(backoffMs(n), this.closing)
    }
  }

  /** Due for a new authentication, but requests may still be under way on it. */
  retire(connection: Connection): void {
    if (!connection.open) return
    const close = (): void => {
      clearTimeout(timer)
      connection.close()
      this.closing.removeEventListener('abort', close)
    }
    const timer = setTimeout(close, this.settings.requestTimeoutMs)
    this.closing.addEventListener('abort', close)
  }

  /** False before the first answer, and while no broker answers. */
  get connected(): boolean {
    return this.#asked && this.#awaySinceMs === Infinity
  }

  /** Looks every so often whether a broker answers, so that an outage is known although nothing is read or sent. */
  watch(intervalMs: number): void {
    let busy = false
    this.#watch = setInterval(() => {
      if (busy) return
      busy = true
      void this.metadata([])
        .catch(() => undefined) // Told by #lost
        .finally(() => (busy = false))
    }, intervalMs).unref()
  }

  /**
   * How much of `mostMs` something that closes may wait for brokers: while none answers, all that close share one time, or each
   * would wait after the other.
   */
  patienceMs(mostMs: number): number {
    if (this.#awaySinceMs === Infinity) return mostMs
    const now = performance.now()
    this.#closingSinceMs ??= now
    return Math.max(SHORTEST_PATIENCE_MS, mostMs - (now - this.#closingSinceMs))
  }

  #lost(reasons: readonly string[]): void {
    const isNews = this.#awaySinceMs === Infinity
    this.#asked = true
    if (!isNews || this.closing.aborted) return
    this.#awaySinceMs = performance.now()
    this.#tell('warn', `Kafka is away: ${[...new Set(reasons)].join('; ')}`)
  }

  #back(): void {
    this.#asked = true
    if (this.#awaySinceMs === Infinity) return
    const seconds = (performance.now() - this.#awaySinceMs) / 1000
    this.#awaySinceMs = Infinity
    this.#closingSinceMs = undefined
    this.#tell('info', `Kafka is back after ${seconds.toFixed(1)} s`)
  }

  /** Of several clients in one process the one that watches tells. */
  #tell(level: 'warn' | 'info', message: string): void {
    this.log(this.#watch === undefined ? 'debug' : level, message)
  }

  async close(): Promise<void> {
    clearInterval(this.#watch)
    this.#closing.abort()
    const open = await Promise.allSettled(this.#connections.values())
    this.#connections.clear()
    for (const result of open) if (result.status === 'fulfilled') result.value.close()
  }

  /** Known brokers in random order, then `last`, then the ones of the configuration (behind which the addresses may have changed). */
  #candidates(last?: number): Address[] {
    const rank = (id: number): number => (id === last ? 1 : Math.random() - 0.5)
    const ranked = [...this.#brokers].map(([id, address]) => ({ address, rank: rank(id) }))
    return [...ranked.sort((a, b) => a.rank - b.rank).map(({ address }) => address), ...this.settings.brokers]
  }

  #learn(metadata: ClusterMetadata): void {
    this.#back()
    this.#controller = metadata.controller
    if (metadata.brokers.length === 0) return
    this.#brokers.clear()
    for (const { id, host, port } of metadata.brokers) this.#brokers.set(id, { host, port })
  }

  async #control(address: Address): Promise<Connection> {
    if (this.closing.aborted) throw new ConnectionLost('the Kafka client is closed')
    const name = `${address.host}:${address.port}`
    const known = this.#connections.get(name)
    if (known) {
      const connection = await known
      if (connection.open && connection.expiresMs > Date.now()) return connection
      // Several may come here at once: only the first replaces it.
      if (this.#connections.get(name) !== known) return this.#control(address)
      this.#connections.delete(name)
      this.retire(connection)
    }
    const opening = this.#open(address)
    this.#connections.set(name, opening)
    opening.catch(() => {
      if (this.#connections.get(name) === opening) this.#connections.delete(name)
    })
    return opening
  }

  async #open(address: Address, pool?: BufferPool): Promise<Connection> {
    try {
      const connection = await Connection.open(address, this.settings, dataApis, pool, this.closing)
      this.#wasIn = true
      this.#refusedSinceMs = 0
      return connection
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'KAFKA_AUTH' || !this.#wasIn) throw error
      this.#refusedSinceMs ||= Date.now()
      if (Date.now() - this.#refusedSinceMs > AUTH_PATIENCE_MS) throw error
      this.log('error', error.message)
      throw new ConnectionLost(error.message)
    }
  }
}
