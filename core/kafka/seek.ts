// Looking back in a topic: where to begin, and the last value of each source before a time.
import { type Batch, type Kafka } from '../api/kafka.js'

export interface LookBack {
  /** Width of the first slice; each further one is twice as wide. */
  readonly stepMs: number
  /** How far back at most. */
  readonly limitMs: number
  readonly signal?: AbortSignal
}

/**
 * Reads what lies before `timeMs` in slices from the newest to the oldest, each slice in order.
 * `visit` gets every record of a slice (batch and index; valid during the call); after each slice `enough` is asked.
 * Ends with the first slice after which nothing more is wanted, at the limit, or at the beginning of the topic.
 * Returns how many records were visited. Rejects as `Kafka.offsets` does.
 */
export async function lastBefore(
  kafka: Kafka,
  { topic, partition }: { topic: string; partition: number },
  timeMs: number,
  { stepMs, limitMs, signal }: LookBack,
  visit: (batch: Batch, i: number) => void,
  enough: () => boolean = () => false
): Promise<number> {
  const offsetAt = async (at: 'earliest' | { timestampMs: number }): Promise<number> =>
    (await kafka.offsets(topic, [partition], at)).get(partition)!
  const first = await offsetAt('earliest')
  let end = await offsetAt({ timestampMs: timeMs })
  let visited = 0
  for (let backMs = stepMs; end > first && !signal?.aborted; backMs += Math.max(backMs, stepMs)) {
    const fromMs = timeMs - Math.min(backMs, limitMs)
    const start = Math.min(end, Math.max(first, await offsetAt({ timestampMs: fromMs })))
    if (start < end) {
      visited += await readSlice(kafka, topic, partition, start, end, visit, signal)
      if (enough()) break
    }
    end = start
    if (backMs >= limitMs) break
  }
  return visited
}

/** Visits the records with start <= offset < end. */
export async function readSlice(
  kafka: Kafka,
  topic: string,
  partition: number,
  start: number,
  end: number,
  visit: (batch: Batch, i: number) => void,
  signal?: AbortSignal
): Promise<number> {
  const reader = kafka.reader({ assign: [{ topic, partition, offset: start }], ...(signal && { signal }) })
  let visited = 0
  try {
    for (let next = start; next < end;) {
      const batch = await reader.next()
      if (batch === null) break
      for (let i = 0; i < batch.count && batch.offset(i) < end; i++, visited++) visit(batch, i)
      next = batch.nextOffset
      batch.release()
    }
  } finally {
    await reader.close()
  }
  return visited
}
