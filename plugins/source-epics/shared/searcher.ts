// Decides when which channels are searched: bundles, back-off with jitter, a quick phase after a loss, for ever.
import { backoffMs } from './backoff.js'
import { SearchQueue, type Searched } from './search-queue.js'

export interface Searchable extends Searched {
  attempts: number
  /** Until then (ms) searches are repeated quickly: the server was there a moment ago. */
  quickUntil: number
  /** Bytes that it takes in a search datagram. */
  readonly searchBytes: number
}

export interface SearcherOptions<T> {
  readonly firstMs: number
  /** The longest wait while few are searched: a server that comes is found within this. */
  readonly steadyMs: number
  /** The longest wait while very many are. */
  readonly maxMs: number
  /** Bytes of channels in one datagram. */
  readonly datagramBytes: number
  /** Sends one search for these channels to everybody; false while that is not possible yet. */
  readonly send: (batch: readonly T[]) => boolean
}

const TICK_MS = 30
const DATAGRAMS_PER_TICK = 40
const QUICK_CAP_MS = 1500
const QUICK_PHASE_MS = 90_000
const NOT_READY_MS = 100
/** Repeats of all that nobody has, together. */
const STEADY_DATAGRAMS_PER_S = 8

export class Searcher<T extends Searchable> {
  readonly #options: SearcherOptions<T>
  readonly #queue = new SearchQueue<T>()
  /** Search bytes of all that are looked for. */
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #lastTick = 0
  #closed = false

  constructor(options: SearcherOptions<T>) {
    this.#options = options
  }

  get waiting(): number {
    return this.#queue.size
  }

  /** A channel to be found, after `delayMs` (default: at once). */
  add(item: T, delayMs = 0): void {
    if (item.slot < 0) this.#bytes += item.searchBytes
    this.#queue.set(item, Date.now() + delayMs)
    this.#arm()
  }

  /** A channel that was connected: it is looked for eagerly for a while. */
  addLost(item: T, delayMs: number): void {
    item.attempts = 0
    item.quickUntil = Date.now() + QUICK_PHASE_MS
    this.add(item, delayMs)
  }

  /** Found, or no longer wanted; true when it was being searched. */
  delete(item: T): boolean {
    const isSearched = this.#queue.delete(item)
    if (isSearched) this.#bytes -= item.searchBytes
    return isSearched
  }

  /** Something new on the network: the channels that `wanted` names are searched again soon. */
  hurry(wanted: (item: T) => boolean): void {
    const now = Date.now()
    for (const item of [...this.#queue.items()]) {
      if (!wanted(item)) continue
      item.attempts = Math.min(item.attempts, 3)
      this.#queue.set(item, Math.min(item.due, now + Math.random() * 300))
    }
    this.#arm()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const next = this.#queue.peek()
    if (this.#closed || next === undefined) return
    const now = Date.now()
    const wait = Math.max(next.due - now, this.#lastTick + TICK_MS - now, 0)
    this.#timer = setTimeout(() => this.#tick(), wait)
  }

  #tick(): void {
    const now = (this.#lastTick = Date.now())
    const { firstMs } = this.#options
    const { steadyMs } = this
    for (let n = 0; n < DATAGRAMS_PER_TICK; n++) {
      const batch = this.#due(now)
      if (batch.length === 0) break
      const sent = this.#options.send(batch)
      for (const item of batch) {
        const cap = now < item.quickUntil ? Math.min(QUICK_CAP_MS, steadyMs) : steadyMs
        const wait = sent ? backoffMs(item.attempts++, firstMs, Math.max(cap, firstMs)) : NOT_READY_MS
        this.#queue.set(item, now + wait)
      }
      if (!sent) break
    }
    this.#arm()
  }

  /** The more there are, the slower each is repeated, so that names which nobody has cost the network no more. */
  get steadyMs(): number {
    const { steadyMs, maxMs, datagramBytes } = this.#options
    const roundMs = (this.#bytes / datagramBytes / STEADY_DATAGRAMS_PER_S) * 1000
    return Math.min(maxMs, Math.max(steadyMs, roundMs))
  }

  /** Due channels for one datagram, taken off the queue. */
  #due(now: number): T[] {
    const batch: T[] = []
    let room = this.#options.datagramBytes
    for (let item = this.#queue.peek(); item !== undefined && item.due <= now; item = this.#queue.peek()) {
      room -= item.searchBytes
      if (room < 0 && batch.length > 0) break
      this.#queue.delete(item)
      batch.push(item)
    }
    return batch
  }
}
