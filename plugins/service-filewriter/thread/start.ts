// Finds where to begin to read a topic: by Kafka's times, corrected by what the times in the messages say of them.
import { type TopicRoute } from '../structure/route.js'
import { type Batch, type Kafka } from '../../../core/api/plugin.js'

export interface StartOptions {
  readonly startMs: number
  readonly beforeStartMs: number
  readonly fetchBytes: number
  readonly signal: AbortSignal
}

export interface FoundOffsets {
  readonly earliest: ReadonlyMap<number, number>
  readonly offsets: ReadonlyMap<number, number>
  /** Kafka's times are so much behind those of the messages; up to there it is allowed for. */
  readonly behindMs: number
}

/** Messages looked at on both sides of the start, and bytes at most. */
const SAMPLE_MESSAGES = 2048
const SAMPLE_BYTES = 8 << 20
/** A topic that holds less than this before the start is read from its beginning. */
const SMALL_BYTES = 64 << 20
/** What is further off than a day is no clock that is wrong but times that are others. */
export const DAY_MS = 24 * 3600_000

/**
 * Kafka gives the first message at or after a time by its own times. Where those are behind the times in the messages, as
 * seen around that place, it begins so much earlier; where little lies before, at the beginning.
 */
export async function findStart(
  kafka: Kafka,
  route: TopicRoute,
  partitions: readonly number[],
  options: StartOptions
): Promise<FoundOffsets> {
  const { topic } = route
  const earliest = await kafka.offsets(topic, partitions, 'earliest')
  const at = (ms: number): Promise<Map<number, number>> =>
    kafka.offsets(topic, partitions, { timestampMs: Math.max(0, ms) })
  const fromMs = options.startMs - options.beforeStartMs
  const byTime = await at(fromMs)
  const later = partitions.filter((partition) => (byTime.get(partition) ?? 0) > (earliest.get(partition) ?? 0))
  if (later.length === 0) return { earliest, offsets: byTime, behindMs: options.beforeStartMs }
  const latest = await kafka.offsets(topic, partitions, 'latest')
  const sample = new Sample(route)
  const ranges = later.map((partition) => {
    const middle = byTime.get(partition) ?? 0
    const low = Math.max(earliest.get(partition) ?? 0, middle - SAMPLE_MESSAGES)
    return [partition, low, Math.min(latest.get(partition) ?? 0, middle + SAMPLE_MESSAGES)] as const
  })
  await sample.read(kafka, ranges, options)
  const behindMs = sample.behindMs()
  const shifted =
    behindMs <= options.beforeStartMs ? byTime : behindMs > DAY_MS ? earliest : await at(fromMs - behindMs)
  const offsets = new Map(byTime)
  for (const partition of later) {
    const first = earliest.get(partition) ?? 0
    const before = ((byTime.get(partition) ?? 0) - first) * sample.meanBytes
    const isSmall = sample.messages > 0 && before <= SMALL_BYTES / partitions.length
    const earlier = isSmall ? first : Math.max(first, shifted.get(partition) ?? 0)
    offsets.set(partition, Math.min(byTime.get(partition) ?? 0, earlier))
  }
  return { earliest, offsets, behindMs: options.beforeStartMs + Math.max(0, behindMs) }
}

class Sample {
  messages = 0
  #bytes = 0
  readonly #behind = new Map<string, number[]>()
  readonly #last = new Map<string, bigint>()

  readonly #route: TopicRoute

  constructor(route: TopicRoute) {
    this.#route = route
  }

  get meanBytes(): number {
    return this.messages === 0 ? 0 : this.#bytes / this.messages
  }

  async read(
    kafka: Kafka,
    ranges: readonly (readonly [partition: number, low: number, high: number])[],
    { fetchBytes, signal }: StartOptions
  ): Promise<void> {
    const { topic } = this.#route
    const open = new Map(ranges.flatMap(([partition, low, high]) => (low < high ? [[partition, high] as const] : [])))
    if (open.size === 0) return
    const assign = ranges.filter(([p]) => open.has(p)).map(([partition, offset]) => ({ topic, partition, offset }))
    const maxBytes = Math.min(fetchBytes, 2 << 20)
    const reader = kafka.reader({ assign, maxBytes, signal })
    try {
      while (open.size > 0 && this.#bytes < SAMPLE_BYTES) {
        const batch = await reader.next()
        if (batch === null) return
        this.#hear(batch)
        const { partition, nextOffset, madeAgain } = batch
        batch.release()
        if (madeAgain !== undefined) return
        if (nextOffset >= (open.get(partition) ?? 0) && open.delete(partition)) reader.pause(topic, partition)
      }
    } finally {
      await reader.close()
    }
  }

  /** Of each source half of the messages are behind by less; the source that is behind by most counts. */
  behindMs(): number {
    const medians = [...this.#behind.values()].map((list) => list.sort((a, b) => a - b)[list.length >> 1] ?? 0)
    return Math.max(0, ...medians)
  }

  #hear(batch: Batch): void {
    for (let i = 0; i < batch.count; i++) {
      this.messages++
      this.#bytes += Math.max(0, batch.valueEnd(i) - batch.valueStart(i))
      const glance = this.#route.glance(batch, i)
      if (glance === undefined || this.#last.get(glance.source) === glance.timeNs) continue
      this.#last.set(glance.source, glance.timeNs)
      const behindMs = Number(glance.timeNs / 1_000_000n) - batch.timestampMs(i)
      const list = this.#behind.get(glance.source)
      if (list === undefined) this.#behind.set(glance.source, [behindMs])
      else list.push(behindMs)
    }
  }
}
