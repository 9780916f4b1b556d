// Reads the topics of a job from their starts to their ends; each partition knows when it is done.
import { type TopicRoute } from '../nexus/route.js'
import { countIn } from '../nexus/window.js'
import { type Batch, type Kafka, type Reader } from '../plugin.js'

interface Partition {
  readonly topic: string
  readonly partition: number
  readonly route: TopicRoute
  /** The topic has no other: order per source holds. */
  readonly alone: boolean
  position: number
  highWatermark: number
  /** Read up to here (exclusive); null while the end is open. */
  end: number | null
  done: boolean
}

export interface ReadingOptions {
  readonly fetchBytes: number
  readonly signal: AbortSignal
  /** Called between batches, at least every `pollMs`. */
  readonly between: () => void
  /** Kafka times beyond this end a partition. */
  readonly lastKafkaMs: () => number
}

const pollMs = 100

export class Reading {
  private readonly partitions: Partition[] = []
  private readonly readers: Promise<void>[] = []
  private failure: Error | undefined

  constructor(
    private readonly kafka: Kafka,
    private readonly options: ReadingOptions
  ) {}

  /** Begins to read topics, each partition from its offset. */
  add(starts: readonly { route: TopicRoute; offsets: ReadonlyMap<number, number> }[]): void {
    const mine = starts.flatMap(({ route, offsets }) =>
      [...offsets].map(([partition, offset]) => ({
        topic: route.topic,
        partition,
        route,
        alone: offsets.size === 1,
        position: offset,
        highWatermark: offset,
        end: null,
        done: false
      }))
    )
    if (mine.length === 0) return
    this.partitions.push(...mine)
    const run = this.run(mine).catch((error: unknown) => {
      this.failure ??= error instanceof Error ? error : new Error(String(error))
    })
    this.readers.push(run)
  }

  /** Topics that are read, with their partitions. */
  topics(): Map<string, number[]> {
    const topics = new Map<string, number[]>()
    for (const { topic, partition } of this.partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
    return topics
  }

  /** From now on the topic ends at these offsets. */
  setEnds(topic: string, ends: ReadonlyMap<number, number>): void {
    for (const partition of this.partitions)
      if (partition.topic === topic) partition.end = ends.get(partition.partition) ?? partition.position
  }

  /** The stop time moved: nothing has an end any more but what is done. */
  openEnds(): void {
    for (const partition of this.partitions) partition.end = null
  }

  /** Stops where it is. */
  endHere(): void {
    for (const partition of this.partitions) partition.end = partition.position
  }

  get behind(): number {
    return this.partitions.reduce((sum, p) => sum + (p.done ? 0 : Math.max(0, p.highWatermark - p.position)), 0)
  }

  get isDone(): boolean {
    return this.partitions.every((partition) => partition.done)
  }

  /** Resolves when every reader has ended; throws what a reader died of. */
  async finished(): Promise<void> {
    // a reader may be added while others end
    for (let i = 0; i < this.readers.length; i++) await this.readers[i]
    if (this.failure !== undefined) throw this.failure
  }

  private async run(mine: readonly Partition[]): Promise<void> {
    const assign = mine.map(({ topic, partition, position }) => ({ topic, partition, offset: position }))
    const { fetchBytes, signal } = this.options
    const reader = this.kafka.reader({ assign, maxBytes: fetchBytes, signal })
    try {
      const byKey = new Map(mine.map((partition) => [`${partition.topic}\n${partition.partition}`, partition]))
      while (!this.allDone(mine, reader) && this.failure === undefined) {
        const batch = await reader.poll(pollMs)
        if (batch === null) return
        if (batch !== undefined) this.take(batch, byKey.get(`${batch.topic}\n${batch.partition}`))
        this.options.between()
      }
    } finally {
      await reader.close()
    }
  }

  private take(batch: Batch, partition: Partition | undefined): void {
    try {
      if (partition === undefined || partition.done) return
      const { route } = partition
      for (let i = 0; i < batch.count; i++) route.push(batch.value(i))
      for (const [reason, n] of Object.entries(batch.skipped ?? {})) countIn(route.bad, reason, n)
      partition.position = batch.nextOffset
      partition.highWatermark = batch.highWatermark
      const last = batch.count > 0 ? batch.timestampMs(batch.count - 1) : 0
      if (last > this.options.lastKafkaMs()) partition.end = partition.position
    } finally {
      batch.release()
    }
  }

  private allDone(mine: readonly Partition[], reader: Reader): boolean {
    let all = true
    for (const partition of mine) {
      if (!partition.done) {
        const reached = partition.end !== null && partition.position >= partition.end
        const past = partition.alone && partition.route.streams.every((stream) => stream.pastStop)
        if (reached || past) {
          partition.done = true
          reader.pause(partition.topic, partition.partition)
        }
      }
      all &&= partition.done
    }
    return all
  }
}
