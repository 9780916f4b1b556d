// The way to Kafka: one ordered producer. While its buffer is full, or a route has used up its share of it, the newest value of a
// route waits, lossless messages queue.
import { endsWithin, type Producer, type ServiceContext } from '../../core/api/plugin.js'
import { type Update } from '../../schemas/index.js'
import { noRouteCounts, type RouteCounts } from './counts.js'
import { Latencies } from './latency.js'

/** What the outlet needs of a route. */
export interface RouteSender {
  readonly topic: string
  readonly key: Buffer
  /** The newest update that waits while the outlet is shut or the route has used up its share. */
  waiting: Update | undefined
  /** Messages that Kafka has not acknowledged. */
  flying: number
  /** Lossless messages that wait beside the buffer. */
  kept: number
  /** Size of its last message: the next one is taken to be as large. */
  lastBytes: number
  /** False while it has sent connection states only: few and small, they take no share of the buffer. */
  readonly sendsValues: boolean
  /** The turn in which it last sent something. */
  turn: number
  /** Converts and sends; false when the outlet has shut. */
  send(update: Update): boolean
  readonly delivered: (error: Error | null) => void
  /** A lossless message that had no room. */
  lost(): void
}

interface Kept {
  readonly sender: RouteSender
  readonly value: Uint8Array
  readonly timestampMs: number
}

export interface OutletOptions {
  /** Bytes that may wait for Kafka. */
  readonly bufferBytes: number
  readonly losslessBytes: number
}

const TURN_MS = 5000

export class Outlet {
  /** False while the producer's buffer is full. */
  open = true
  sentBytes = 0
  /** Sums over all routes, also those that are gone. */
  readonly totals: RouteCounts = noRouteCounts()
  readonly latencies = new Latencies()
  /** Times the buffer was full. */
  overloads = 0
  readonly #waiting = new Set<RouteSender>()
  #kept: Kept[] = []
  #keptFrom = 0
  #keptBytes = 0
  #closed = false
  /** Routes share the buffer that send now and then: those of this turn, or of the one before. */
  #turn = 1
  #active = 0
  #activeBefore = 0
  readonly #turns: NodeJS.Timeout
  #immediate: NodeJS.Immediate | undefined

  constructor(
    readonly producer: Producer,
    readonly context: Pick<ServiceContext, 'log'>,
    readonly options: OutletOptions
  ) {
    this.#turns = setInterval(() => {
      this.#turn++
      this.#activeBefore = this.#active
      this.#active = 0
    }, TURN_MS)
  }

  /** Bytes of lossless messages that wait beside the producer's buffer. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  get waitingRoutes(): number {
    return this.#waiting.size
  }

  /** Whether the next update of a route may be sent now. */
  takes(sender: RouteSender): boolean {
    return this.open && sender.waiting === undefined && sender.kept === 0 && this.#fits(sender)
  }

  /**
   * Whether the buffer has room for a route. Half of it is for whoever comes first; beyond, no route gets more than its share (and a message),
   * and of messages that are larger than a share one at a time waits there: large ones cannot starve small ones.
   */
  readonly #fits = ({ flying, lastBytes }: RouteSender): boolean => {
    const { bufferBytes } = this.options
    const { bufferedBytes } = this.producer
    if (bufferedBytes + lastBytes <= bufferBytes / 2) return true
    const share = bufferBytes / Math.max(1, this.#active, this.#activeBefore)
    return lastBytes > share ? bufferedBytes <= bufferBytes / 4 : flying * lastBytes < share
  }

  /** Kafka has acknowledged a message of this route, or it was given up. */
  landed(sender: RouteSender): void {
    sender.flying--
    if (this.#waits && this.open) this.#immediate ??= setImmediate(this.#release) // The producer counts after it has told
  }

  get #waits(): boolean {
    return this.#waiting.size > 0 || this.#keptFrom < this.#kept.length
  }

  /** Sends one message; false when the buffer is full now (the message is on its way all the same). */
  push(sender: RouteSender, value: Uint8Array, timestampMs: number): boolean {
    this.sentBytes += value.byteLength
    sender.lastBytes = value.byteLength
    sender.flying++
    if (sender.sendsValues && sender.turn !== this.#turn) {
      sender.turn = this.#turn
      this.#active++
    }
    const delivered = this.latencies.measured ? this.#measured(sender) : sender.delivered
    const room = this.producer.send({ topic: sender.topic, key: sender.key, value, timestampMs }, delivered)
    if (!room && this.open) this.#shut()
    return room
  }

  #measured({ delivered }: RouteSender): RouteSender['delivered'] {
    const begin = performance.now()
    return (error) => {
      if (error === null) this.latencies.send.add(performance.now() - begin)
      delivered(error)
    }
  }

  /** The newest value wins: replaces what waits for this route; true when something was replaced. */
  wait(sender: RouteSender, update: Update): boolean {
    const replaced = sender.waiting !== undefined
    sender.waiting = update
    this.#waiting.add(sender)
    return replaced
  }

  /** Keeps a message of a lossless route in order, if there is room. */
  keep(sender: RouteSender, value: Uint8Array, timestampMs: number): void {
    const size = value.byteLength + sender.key.length
    if (this.#keptBytes + size > this.options.losslessBytes) return sender.lost()
    this.#keptBytes += size
    sender.kept++
    sender.lastBytes = value.byteLength
    this.#kept.push({ sender, value, timestampMs })
  }

  /** The route is gone: its newest value is not needed, what is lossless still goes out. */
  forget(sender: RouteSender): void {
    sender.waiting = undefined
    this.#waiting.delete(sender)
  }

  /**
   * Sends what waits, as far as Kafka takes it within `timeoutMs` (and what the producer's own patience adds), and closes
   * the producer. Returns how many messages beside the producer's were given up; rejects when the producer lost some.
   */
  async close(timeoutMs: number): Promise<number> {
    const deadline = Date.now() + timeoutMs
    if (this.#waits) this.open = false
    while (!this.open && Date.now() < deadline) {
      const drained = this.producer.drained().then(() => this.#drain(() => true))
      await endsWithin(drained, deadline - Date.now())
    }
    clearImmediate(this.#immediate)
    clearInterval(this.#turns)
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

  /** Lossless messages first, in their order, then the newest value of each route, as far as there is room; opens then. */
  #drain(may = this.#fits): void {
    if (this.#closed || this.open) return
    this.open = this.#sendKept(may) && this.#sendWaiting(may)
  }

  /** While the outlet is open: what has room in its share by now. */
  readonly #release = (): void => {
    this.#immediate = undefined
    if (!this.open || this.#closed) return
    if (this.#sendKept(this.#fits)) this.#sendWaiting(this.#fits)
  }

  /** Sends lossless messages up to the first that may not; false when the outlet has shut. */
  #sendKept(may: (sender: RouteSender) => boolean): boolean {
    let room = true
    while (room && this.#keptFrom < this.#kept.length) {
      const { sender, value, timestampMs } = this.#kept[this.#keptFrom]!
      if (!may(sender)) break
      this.#keptFrom++
      this.#keptBytes -= value.byteLength + sender.key.length
      sender.kept--
      room = this.push(sender, value, timestampMs)
    }
    if (this.#keptFrom * 2 >= this.#kept.length) this.#compact()
    return room
  }

  #sendWaiting(may: (sender: RouteSender) => boolean): boolean {
    for (const sender of this.#waiting) {
      if (sender.kept > 0 || !may(sender)) continue
      this.#waiting.delete(sender)
      const update = sender.waiting
      sender.waiting = undefined
      if (update !== undefined && !sender.send(update)) return false
    }
    return true
  }

  #compact(): void {
    this.#kept = this.#kept.slice(this.#keptFrom)
    this.#keptFrom = 0
  }
}
