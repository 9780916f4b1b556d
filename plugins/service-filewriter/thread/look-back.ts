// Finds the last message before the window for every log of a topic, however long ago it came: steps back in growing spans.
import { type TopicRoute } from '../structure/route.js'
import { type Kafka } from '../../../core/api/plugin.js'

export interface LookBackOptions {
  readonly startMs: number
  readonly beforeStartMs: number
  readonly lookBackMs: number | null
  readonly lookBackBytes: number
  readonly fetchBytes: number
  readonly signal: AbortSignal
}

type Offsets = ReadonlyMap<number, number>

/** Each step back is so many times longer than the one before. */
const GROWTH = 4

/**
 * Reads the messages just before (and, over several partitions, just after) the start, then ever earlier ones, until every
 * log has a value or a limit is reached. Returns what stopped it early, in words.
 */
export async function lookBack(
  kafka: Kafka,
  route: TopicRoute,
  partitions: readonly number[],
  options: LookBackOptions
): Promise<string | undefined> {
  const { startMs, beforeStartMs, lookBackMs, signal } = options
  // Alarms and connections that were not asked for take what comes along: often there are none to be found
  const wanting = (): number =>
    route.streams.filter((stream) => stream.keepsLast && !stream.plan.companion && stream.kept === null).length
  if (wanting() === 0) return undefined
  const at = (timestampMs: number): Promise<Offsets> =>
    kafka.offsets(route.topic, partitions, { timestampMs: Math.max(0, timestampMs) })
  const earliest = await kafka.offsets(route.topic, partitions, 'earliest')
  const scan = new Scan(kafka, route, options)
  // Values of one source may lie in several partitions: look at all of them before the first is written
  let low = await at(startMs - beforeStartMs)
  await scan.run(low, await at(partitions.length > 1 ? startMs + beforeStartMs : startMs), () => false)
  let reach = beforeStartMs
  const limit = lookBackMs ?? Infinity
  while (wanting() > 0 && !signal.aborted) {
    if (partitions.every((p) => (low.get(p) ?? 0) <= (earliest.get(p) ?? 0))) return undefined
    if (reach >= limit)
      return `no value for ${wanting()} logs of ${route.topic} within ${limit / 1000} s before the start`
    reach = Math.min(limit, Math.max(1000, reach) * GROWTH)
    const next = startMs - reach <= 0 ? earliest : await at(startMs - reach)
    await scan.run(next, low, () => scan.bytes > options.lookBackBytes)
    if (scan.bytes > options.lookBackBytes)
      return `no value for ${wanting()} logs of ${route.topic} in the last ${scan.bytes} bytes before the start`
    low = next
  }
  return undefined
}

class Scan {
  bytes = 0

  readonly #kafka: Kafka
  readonly #route: TopicRoute
  readonly #options: LookBackOptions

  constructor(kafka: Kafka, route: TopicRoute, options: LookBackOptions) {
    this.#kafka = kafka
    this.#route = route
    this.#options = options
  }

  /** Shows every message from `low` to below `high` to the logs. */
  async run(low: Offsets, high: Offsets, enough: () => boolean): Promise<void> {
    const { topic } = this.#route
    const open = new Map([...low].filter(([partition, offset]) => offset < (high.get(partition) ?? 0)))
    if (open.size === 0) return
    const assign = [...open].map(([partition, offset]) => ({ topic, partition, offset }))
    const reader = this.#kafka.reader({ assign, maxBytes: this.#options.fetchBytes, signal: this.#options.signal })
    try {
      while (open.size > 0 && !enough()) {
        const batch = await reader.next()
        if (batch === null) return
        const end = high.get(batch.partition) ?? 0
        for (let i = 0; i < batch.count; i++) {
          const value = batch.value(i)
          this.bytes += value?.length ?? 0
          if (batch.offset(i) < end) this.#route.lookBack(value)
        }
        const { partition, nextOffset, madeAgain } = batch
        batch.release()
        if (madeAgain !== undefined) return
        if (nextOffset >= end && open.delete(partition)) reader.pause(topic, partition)
      }
    } finally {
      await reader.close()
    }
  }
}
