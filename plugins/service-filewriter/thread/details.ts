// What a job makes of each partition, and of each stream in it: for those who ask for more than sums.
import { type Batch, type Detail } from '../../../core/api/plugin.js'
import { type TopicRoute } from '../structure/route.js'
import { type StreamState } from '../structure/window.js'

interface StreamCounts {
  received: number
  sent: number
  repeated_timestamp: number
}
type Counts = Record<string, number>

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, n) => total + n, 0)

/** Messages of a route that were no good, as kafka-to-nexus sorts them. */
function badOf({ bad, otherSchema, streams }: TopicRoute): Counts {
  const small = bad.get('too_small') ?? 0
  const timeless = sum(streams.map((stream) => stream.bad.get('time_zero') ?? 0))
  const all = sum(bad.values()) + sum(streams.flatMap((stream) => [...stream.bad.values()]))
  return {
    small_buffer: small,
    bad_timestamps: timeless,
    unknown_flatbuffer: otherSchema,
    invalid_flatbuffer: Math.max(0, all - small - timeless)
  }
}

/** Batches are written one after the other: what has changed since the last one is the work of this one. */
export class Details {
  readonly #partitions = new Map<string, { readonly of: Detail['of']; readonly counts: Counts }>()
  readonly #streams = new Map<string, { readonly of: Detail['of']; readonly counts: StreamCounts }>()
  readonly #bad = new Map<TopicRoute, Counts>()
  readonly #seen = new Map<StreamState, StreamCounts>()

  /** The route has written this batch. */
  note({ topic, partition, count, skipped = {} }: Batch, route: TopicRoute): void {
    const of = { topic, partition: String(partition) }
    const key = `${topic} ${partition}`
    let at = this.#partitions.get(key)
    if (at === undefined) this.#partitions.set(key, (at = { of, counts: { received: 0, kafka_errors: 0 } }))
    add(at.counts, { received: count, kafka_errors: sum(Object.values(skipped)) })
    const bad = badOf(route)
    add(at.counts, less(bad, this.#bad.get(route) ?? {}))
    this.#bad.set(route, bad)
    for (const stream of route.streams) this.#noteStream(stream, of, key)
  }

  rows(): Detail[] {
    const partitions = [...this.#partitions.values()].map(({ of, counts }): Detail => {
      const { received = 0, kafka_errors = 0, ...bad } = counts
      const errors = sum(Object.values(bad))
      const below = Object.entries(bad).map(([name, n]): [string, number] => [`flatbuffer_errors.${name}`, n])
      const never = { timeouts: 0, end_of_partition: 0, bad_offsets: 0 }
      const first = { received, processed: received - errors, ...never, kafka_errors, flatbuffer_errors: errors }
      return { of, counts: { ...first, ...Object.fromEntries(below) } }
    })
    const streams = [...this.#streams.values()].map(({ of, counts }): Detail => {
      const { received, sent, repeated_timestamp } = counts
      return { of, counts: { received, sent, discarded: Math.max(0, received - sent - repeated_timestamp), repeated_timestamp } } // prettier-ignore
    })
    return [...partitions, ...streams]
  }

  #noteStream(stream: StreamState, of: Detail['of'], partition: string): void {
    const { received, written: sent, repeated: repeated_timestamp, plan } = stream
    const before = this.#seen.get(stream) ?? { received: 0, sent: 0, repeated_timestamp: 0 }
    if (before.received === received && before.sent === sent) return
    this.#seen.set(stream, { received, sent, repeated_timestamp })
    const { source, module } = plan
    const key = `${partition} ${source} ${module}`
    let at = this.#streams.get(key)
    if (at === undefined) {
      at = { of: { ...of, source, module }, counts: { received: 0, sent: 0, repeated_timestamp: 0 } }
      this.#streams.set(key, at)
    }
    at.counts.received += received - before.received
    at.counts.sent += sent - before.sent
    at.counts.repeated_timestamp += repeated_timestamp - before.repeated_timestamp
  }
}

function add(counts: Counts, more: Counts): void {
  for (const [name, n] of Object.entries(more)) counts[name] = (counts[name] ?? 0) + n
}

const less = (now: Counts, before: Counts): Counts =>
  Object.fromEntries(Object.entries(now).map(([name, n]) => [name, n - (before[name] ?? 0)]))
