// Reads the topics of a job from their starts to their ends; each partition knows when it is done.
import { type TopicRoute } from '../structure/route.js'
import { countIn } from '../structure/window.js'
import { type Batch, type Kafka, type Reader } from '../../../core/api/plugin.js'

interface Partition {
  readonly topic: string
  readonly partition: number
  readonly route: TopicRoute
  position: number
  highWatermark: number
  /** Read up to here (exclusive); null while the end is open. */
  end: number | null
  /** The end was found by time: what follows may still belong to the window. */
  tail: Tail | null
  /** Everything of the last batch behind `end` is of times behind the window. */
  beyond: boolean
  /** Kafka has deleted what was before; its first message will say since when. */
  cut: boolean
  done: boolean
}

export interface ReadingOptions {
  readonly fetchBytes: number
  readonly signal: AbortSignal
  /** Called between batches, at least every `pollMs`. */
  readonly between: () => void
  /** What was before the first message of a topic is in Kafka no more. */
  readonly cut: (topic: string, firstMs: number) => void
}

/** Where reading of a topic begins. */
export interface Start {
  readonly route: TopicRoute
  readonly offsets: ReadonlyMap<number, number>
  /** Partitions that begin with what Kafka has not deleted. */
  readonly cut?: ReadonlySet<number>
}

/** How far a partition is read behind an end that was found by time. */
interface Tail {
  readonly limitMs: number
  /** Offset of the present end. */
  readonly last: number
}

const pollMs = 100

function isBeyond(batch: Batch, end: number | null, limitMs: number): boolean {
  if (end === null || batch.offset(0) < end) return false
  for (let i = 0; i < batch.count; i++) if (batch.timestampMs(i) <= limitMs) return false
  return true
}

/** Streams that want the first value after the stop are given the topic up to its present end to find it in. */
function isOver({ position, end, tail, beyond, route }: Partition): boolean {
  if (end === null || position < end) return false
  if (tail === null || position >= tail.last) return true
  return beyond && route.streams.every((stream) => !stream.plan.firstAfterStop || stream.pastStop)
}

export class Reading {
  private readonly partitions: Partition[] = []
  private readonly readers: Promise<void>[] = []
  private failure: Error | undefined

  constructor(
    private readonly kafka: Kafka,
    private readonly options: ReadingOptions
  ) {}

  /** Begins to read topics, each partition from its offset. */
  add(starts: readonly Start[]): void {
    const mine = starts.flatMap(({ route, offsets, cut = new Set() }) =>
      [...offsets].map(([partition, offset]) => ({
        topic: route.topic,
        partition,
        route,
        position: offset,
        highWatermark: offset,
        end: null,
        tail: null,
        beyond: false,
        cut: cut.has(partition),
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

  /**
   * From now on the topic ends at these offsets. With `tail` they were found by time, and a single message with a wrong
   * Kafka time may have come too early: it is read on until a whole batch lies behind that time, or to the present end.
   */
  setEnds(
    topic: string,
    ends: ReadonlyMap<number, number>,
    tail?: Omit<Tail, 'last'> & { last: ReadonlyMap<number, number> }
  ): void {
    for (const partition of this.partitions) {
      if (partition.topic !== topic) continue
      partition.end = ends.get(partition.partition) ?? partition.position
      partition.tail =
        tail === undefined ? null : { limitMs: tail.limitMs, last: tail.last.get(partition.partition) ?? 0 }
      partition.beyond = false
    }
  }

  /** The stop time moved: nothing has an end any more but what is done. */
  openEnds(): void {
    for (const partition of this.partitions) {
      partition.end = null
      partition.tail = null
    }
  }

  /** Stops where it is. */
  endHere(): void {
    for (const partition of this.partitions) {
      partition.end = partition.position
      partition.tail = null
    }
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
      route.pushAll(batch)
      for (const [reason, n] of Object.entries(batch.skipped ?? {})) countIn(route.bad, reason, n)
      partition.position = batch.nextOffset
      partition.highWatermark = batch.highWatermark
      if (batch.count === 0) return
      if (partition.cut) this.options.cut(partition.topic, batch.timestampMs(0))
      partition.cut = false
      if (partition.tail !== null) partition.beyond = isBeyond(batch, partition.end, partition.tail.limitMs)
    } finally {
      batch.release()
    }
  }

  private allDone(mine: readonly Partition[], reader: Reader): boolean {
    let all = true
    for (const partition of mine) {
      if (!partition.done) {
        if (isOver(partition)) {
          partition.done = true
          reader.pause(partition.topic, partition.partition)
        }
      }
      all &&= partition.done
    }
    return all
  }
}
