// Which messages of a topic are the daemon's own: it may answer on a topic that it also hears.
import { createHash } from 'node:crypto'

/** What Kafka has refused never comes back: the oldest are forgotten. */
const MOST = 10_000

const keyOf = (topic: string, value: Uint8Array): string =>
  `${topic} ${createHash('sha256').update(value).digest('base64')}`

export class OwnMessages {
  readonly #keys = new Set<string>()

  note(topic: string, value: Uint8Array): void {
    this.#keys.add(keyOf(topic, value))
    const [oldest] = this.#keys
    if (this.#keys.size > MOST && oldest !== undefined) this.#keys.delete(oldest)
  }

  /** Asked once for each message: it comes back once. */
  isOwn(topic: string, value: Uint8Array): boolean {
    return this.#keys.size > 0 && this.#keys.delete(keyOf(topic, value))
  }
}
