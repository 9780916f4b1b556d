// Servers whose connections keep breaking are asked again ever more slowly, so that one broken server costs little.
import { backoffMs } from './backoff.js'

/** A connection that lived longer was a good one. */
const GOOD_MS = 10_000
const FIRST_MS = 500
const JITTER_MS = 100
const MAX_SERVERS = 10_000

export class Trouble {
  /** Server → connections in a row that broke soon. */
  readonly #broken = new Map<string, number>()

  /** A connection is gone that the server had accepted at `openedMs` (0: never). */
  ended(server: string, openedMs: number, now = Date.now()): void {
    if (openedMs > 0 && now - openedMs > GOOD_MS) this.#broken.delete(server)
    else if (this.#broken.size < MAX_SERVERS) this.#broken.set(server, (this.#broken.get(server) ?? 0) + 1)
  }

  /** ms to wait before its channels are searched again. */
  delayMs(server: string, capMs: number): number {
    const times = this.#broken.get(server) ?? 0
    return times < 2 ? Math.random() * JITTER_MS : backoffMs(times - 2, FIRST_MS, capMs)
  }
}
