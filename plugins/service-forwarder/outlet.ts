// The way to Kafka: one ordered producer. While its buffer is full the newest value of each route waits, lossless messages queue.
import { type Producer, type ServiceContext, type Update } from '../../core/api/plugin.js'
import { noRouteCounts, type RouteCounts } from './route.js'

/** What the outlet needs of a route. */
export interface Sender {
  readonly topic: string
  readonly key: Buffer
  /** The newest update that waits while the outlet is shut. */
  waiting: Update | undefined
  /** Converts and sends; false when the outlet has shut. */
  send(update: Update): boolean
  readonly delivered: (error: Error | null) => void
  /** A lossless message that had no room. */
  lost(): void
}

interface Kept {
  readonly sender: Sender
  readonly value: Uint8Array
  readonly timestampMs: number
}

export interface OutletOptions {
  readonly losslessBytes: number
}

export class Outlet {
  /** False while the producer's buffer is full. */
  open = true
  sentBytes = 0
  /** Sums over all routes, also those that are gone. */
  readonly totals: RouteCounts = noRouteCounts()
  /** Times the buffer was full. */
  overloads = 0
  readonly #waiting = new Set<Sender>()
  #kept: Kept[] = []
  #keptFrom = 0
  #keptBytes = 0
  #closed = false

  constructor(
    readonly producer: Producer,
    readonly context: Pick<ServiceContext, 'log'>,
    readonly options: OutletOptions
  ) {}

  /** Bytes of lossless messages that wait beside the producer's buffer. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  get waitingRoutes(): number {
    return this.#waiting.size
  }

  /** Sends one message; false when the buffer is full now (the message is on its way all the same). */
  push(sender: Sender, value: Uint8Array, timestampMs: number): boolean {
    this.sentBytes += value.byteLength
    const room = this.producer.send({ topic: sender.topic, key: sender.key, value, timestampMs }, sender.delivered)
    if (!room && this.open) this.#shut()
    return room
  }

  /** The newest value wins: replaces what waits for this route; true when something was replaced. */
  wait(sender: Sender, update: Update): boolean {
    const replaced = sender.waiting !== undefined
    sender.waiting = update
    this.#waiting.add(sender)
    return replaced
  }

  /** Keeps a message of a lossless route in order, if there is room. */
  keep(sender: Sender, value: Uint8Array, timestampMs: number): void {
    const size = value.byteLength + sender.key.length
    if (this.#keptBytes + size > this.options.losslessBytes) return sender.lost()
    this.#keptBytes += size
    this.#kept.push({ sender, value, timestampMs })
  }

  /** The route is gone: its newest value is not needed, what is lossless still goes out. */
  forget(sender: Sender): void {
    sender.waiting = undefined
    this.#waiting.delete(sender)
  }

  /**
   * Sends what waits, as far as Kafka takes it within `timeoutMs` (and what the producer's own patience adds), and closes
   * the producer. Returns how many messages beside the producer's were given up; rejects when the producer lost some.
   */
  async close(timeoutMs: number): Promise<number> {
    const deadline = Date.now() + timeoutMs
    while (!this.open && Date.now() < deadline) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadline - Date.now())))
      await Promise.race([this.producer.drained().then(this.#drain), late])
      clearTimeout(timer)
    }
    const left = this.#waiting.size + this.#kept.length - this.#keptFrom
    this.#closed = true
    await this.producer.close()
    return left
  }

  #shut(): void {
    this.open = false
    this.overloads++
    const text = 'Kafka is away or too slow: the buffer is full, from now on the newest value of each stream wins'
    this.context.log('warn', text, { buffered_bytes: this.producer.bufferedBytes })
    void this.#reopen()
  }

  async #reopen(): Promise<void> {
    while (!this.open && !this.#closed) {
      try {
        await this.producer.drained()
      } catch (error) {
        if (!this.#closed) this.context.log('error', `producer failed: ${(error as Error).message}`)
        return
      }
      this.#drain()
    }
    if (!this.#closed) this.context.log('info', 'Kafka takes messages again')
  }

  /** Lossless messages first, in their order, then the newest value of each route. */
  readonly #drain = (): void => {
    if (this.open || this.#closed) return
    while (this.#keptFrom < this.#kept.length) {
      const { sender, value, timestampMs } = this.#kept[this.#keptFrom++]!
      this.#keptBytes -= value.byteLength + sender.key.length
      if (!this.push(sender, value, timestampMs)) return this.#compact()
    }
    this.#kept = []
    this.#keptFrom = 0
    for (const sender of this.#waiting) {
      this.#waiting.delete(sender)
      const update = sender.waiting
      sender.waiting = undefined
      if (update !== undefined && !sender.send(update)) return
    }
    this.open = true
  }

  #compact(): void {
    this.#kept = this.#kept.slice(this.#keptFrom)
    this.#keptFrom = 0
  }
}
