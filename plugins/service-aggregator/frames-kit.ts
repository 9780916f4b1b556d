// For threads that put frames together: one topic read in the order of time across its partitions, and a clock that frames grow old by.
import { type Batch, errorText } from '../../core/api/plugin.js'
import { type TopicsFlow } from '../service-adara/flow-kit.js'
import { PacedPartitions } from './paced.js'

/** The clock goes on so much at a tick at most: what came while this thread was held up is read first. */
const MOST_STEP_MS = 50
/** Messages that are so old are of a backlog: other partitions may have one, too. */
const OLD_MS = 500
/** How often it is asked how far the others go. */
const ENDS_MS = 200
/** A partition that is behind is waited for so long. */
const PATIENCE_MS = 30_000
const POLL_MS = 500

export interface FrameReadingOptions {
  /** Whose topic is read, and whose producer is waited for. */
  readonly flow: Pick<TopicsFlow<never>, 'kafka' | 'reader' | 'count' | 'drained' | 'warn'>
  readonly topic: string
  /** Bytes of one partition that wait for others. */
  readonly mostBytes: number
  /** A value is valid until it returns. */
  readonly take: (value: Buffer | null) => void
}

export class FrameReading {
  /** Of this clock frames have their age, ms; it stands while something is waited for. */
  nowMs = 0
  #tickedMs = performance.now()
  #stands = false
  #endsKnownMs = 0
  /** Messages that were handed on. */
  #taken = 0
  readonly #paced: PacedPartitions
  readonly #options: FrameReadingOptions

  constructor(options: FrameReadingOptions) {
    this.#options = options
    const { flow, topic, mostBytes, take } = options
    const { reader } = flow
    this.#paced = new PacedPartitions({
      mostBytes,
      pause: (partition) => reader.pause(topic, partition),
      resume: (partition) => reader.resume(topic, partition),
      take: (value) => {
        this.#taken++
        take(value)
      }
    })
  }

  /** To be called before these partitions are read from there on. Rejects as Kafka does. */
  async begin(starts: ReadonlyMap<number, number>): Promise<void> {
    const { flow, topic } = this.#options
    const ends = await flow.kafka.offsets(topic, [...starts.keys()], 'latest')
    for (const [partition, start] of starts) this.#paced.begin(partition, start, ends.get(partition) ?? 0)
  }

  /** Lets the clock go on; false while it stands. */
  tick(): boolean {
    const passed = performance.now() - this.#tickedMs
    this.#tickedMs += passed
    if (this.#stands || this.#paced.isHeld) return false
    this.nowMs += Math.min(passed, MOST_STEP_MS)
    return true
  }

  /** Until the reader is closed. Rejects as it does. */
  async run(): Promise<void> {
    const { flow } = this.#options
    const { reader } = flow
    let [moved, movedMs] = [0, 0]
    for (let batch = await reader.poll(POLL_MS); batch !== null; batch = await reader.poll(POLL_MS)) {
      const now = performance.now()
      if (!this.#paced.isHeld || this.#taken !== moved) [moved, movedMs] = [this.#taken, now]
      else if (now - movedMs > PATIENCE_MS) this.#paced.giveUp()
      if (batch === undefined) continue
      await this.#askEnds(batch)
      this.#paced.push(batch)
      for (const [reason, n] of Object.entries(batch.skipped ?? {})) flow.count(reason, n)
      batch.release()
      const waits = flow.drained()
      if (waits !== undefined) await this.#standing(() => waits)
    }
  }

  /** Where others have a backlog, too, this one must not run away from them. */
  async #askEnds(batch: Batch): Promise<void> {
    const now = performance.now()
    const { topic, partition } = batch
    const isOld = batch.count > 0 && Date.now() - batch.timestampMs(0) > OLD_MS
    const others = this.#paced.partitions.filter((one) => one !== partition)
    if (!isOld || others.length === 0 || now - this.#endsKnownMs < ENDS_MS) return
    this.#endsKnownMs = now
    const { flow } = this.#options
    try {
      await this.#standing(async () => this.#paced.know(await flow.kafka.offsets(topic, others, 'latest')))
    } catch (error) {
      flow.warn(`${errorText(error)}; going on with what is known of ${topic}`)
    }
  }

  /** Frames do not grow older meanwhile. */
  async #standing(work: () => Promise<void>): Promise<void> {
    this.#stands = true
    try {
      await work()
    } finally {
      this.#stands = false
    }
  }
}
