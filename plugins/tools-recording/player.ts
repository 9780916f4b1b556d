// Sends what is played at the pace of its times, and counts what became of it.
import { setTimeout as delay } from 'node:timers/promises'
import { type Producer } from '../../core/api/plugin.js'
import { type RecordedMessage } from './recorded.js'
import { shiftTimes } from './shift.js'

export interface PlayerOptions {
  readonly producer: Producer
  /** Times of the source pass so many times as fast; Infinity: as fast as it goes. */
  readonly speed: number
  /** Times, inside messages, too, become those of now. */
  readonly isShifted: boolean
  readonly target: (topic: string) => string
  readonly signal: AbortSignal
  /** Something could not be delivered. */
  readonly failed: () => void
}

interface TargetCounts {
  sent: number
  failed: number
}

/** Longer than a timer of Node lasts. */
const LONGEST_WAIT_MS = 2 ** 30

export class Player {
  readonly topics = new Map<string, TargetCounts>()
  /** Given to the producer. */
  messages = 0
  bytes = 0
  /** Sent with their own times, as none are known in them. */
  unshifted = 0
  /** What the first failure said. */
  error: string | undefined
  readonly #options: PlayerOptions
  #beganMs = 0
  #firstMs = 0
  #shiftMs = 0

  constructor(options: PlayerOptions) {
    this.#options = options
  }

  /** A round begins now; `firstMs` is the Kafka time from which it counts. */
  begin(firstMs: number): void {
    this.#beganMs = performance.now()
    this.#firstMs = firstMs
    this.#shiftMs = this.#options.isShifted ? Date.now() - Math.round(firstMs) : 0
  }

  /** Waits until it is due, and for room in the producer's buffer. */
  take(message: RecordedMessage): Promise<void> | undefined {
    const { speed } = this.#options
    const dueMs = speed === Infinity ? 0 : this.#beganMs + (message.timestampMs - this.#firstMs) / speed
    const early = dueMs - performance.now()
    if (early > 1) return this.#takeLater(message, dueMs)
    return this.#send(message)
  }

  async #takeLater(message: RecordedMessage, dueMs: number): Promise<void> {
    const { signal } = this.#options
    for (;;) {
      const left = dueMs - performance.now()
      if (left <= 0 || signal.aborted) break
      await delay(Math.min(left, LONGEST_WAIT_MS), undefined, { signal }).catch(() => undefined)
    }
    if (!signal.aborted) await this.#send(message)
  }

  #send({ topic, partition, timestampMs, key, headers, value }: RecordedMessage): Promise<void> | undefined {
    const { producer, isShifted, target } = this.#options
    const name = target(topic)
    let counts = this.topics.get(name)
    if (counts === undefined) this.topics.set(name, (counts = { sent: 0, failed: 0 }))
    const played = isShifted && value !== null ? Buffer.from(value) : value
    if (isShifted && (played === null || !shiftTimes(played, this.#shiftMs))) this.unshifted++
    this.messages++
    this.bytes += played?.length ?? 0
    const time = timestampMs + this.#shiftMs
    const more = { ...(headers.length > 0 && { headers }), ...(time >= 0 && { timestampMs: time }) }
    const hasRoom = producer.send({ topic: name, partition, key, value: played, ...more }, (error) => {
      if (error === null) counts.sent++
      else {
        counts.failed++
        this.error ??= error.message
        this.#options.failed()
      }
    })
    return hasRoom ? undefined : producer.drained()
  }
}
