// Reads messages of a topic one by one, with their place, until closed or to given ends; says when the topic was made again.
import { type Place, type Reader } from './api/plugin.js'
import { type Log } from './log.js'
import { traceOf } from './traceparent.js'

export interface HeardMessage {
  /** A copy: it may be kept. */
  readonly value: Buffer
  readonly timestampMs: number
  readonly partition: number
  readonly offset: number
  readonly topicId?: string
  readonly traceparent?: string
}

interface Hearing {
  /** Where the reader began. */
  readonly places: readonly Place[]
  /** Offset by partition at which to stop; undefined: never. */
  readonly ends: ReadonlyMap<number, number> | undefined
  readonly hear: (message: HeardMessage) => void
  readonly log: Log
}

/** Resolves when `reader` is closed, which it does itself at the last of `ends`. Rejects as the reader does. */
export async function hearAll(reader: Reader, { places, ends, hear, log }: Hearing): Promise<void> {
  const ids = new Map(places.map(({ partition, topicId }) => [partition, topicId]))
  const open = new Set(ends === undefined ? [] : ids.keys())
  for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
    const { topic, partition, nextOffset, madeAgain } = batch
    if (madeAgain !== undefined) {
      ids.set(partition, madeAgain.id)
      const lost = madeAgain.unread > 0 ? `; ${madeAgain.unread} messages of the old one were not read` : ''
      log('warn', `${topic}/${partition}: the topic was made again and is heard from its beginning${lost}`)
    }
    const topicId = ids.get(partition)
    const end = ends === undefined ? Infinity : (ends.get(partition) ?? 0)
    for (let i = 0; i < batch.count && batch.offset(i) < end; i++) {
      const value = batch.value(i)
      if (value === null) continue
      const [timestampMs, offset] = [batch.timestampMs(i), batch.offset(i)]
      hear({
        value: Buffer.from(value),
        timestampMs,
        partition,
        offset,
        ...(topicId !== undefined && { topicId }),
        ...traceOf(batch, i)
      })
    }
    batch.release()
    // What was there is gone when the topic was made again
    if (nextOffset < end && (ends === undefined || madeAgain === undefined)) continue
    open.delete(partition)
    if (open.size === 0) return reader.close()
  }
}
