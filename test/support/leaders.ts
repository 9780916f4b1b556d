// What a broker tells of topics follows what is done to them: until it does.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from 'kafkajs'

const PATIENCE_MS = 90_000

/** Waits until the broker tells of so many partitions of each topic, all with a leader. */
export async function led(admin: Admin, topics: readonly string[], partitions: number): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    try {
      const found = await admin.fetchTopicMetadata({ topics: [...topics] })
      const isLed = (topic: (typeof found.topics)[number]): boolean =>
        topic.partitions.length === partitions && topic.partitions.every(({ leader }) => leader >= 0)
      if (found.topics.length === topics.length && found.topics.every(isLed)) return
      if (Date.now() > end) throw new Error(`no leaders of ${topics.join(', ')} after ${PATIENCE_MS} ms`)
    } catch (error) {
      // A TypeError is how kafkajs says that no broker answered
      const isPassing = error instanceof TypeError || (error as { retriable?: boolean }).retriable === true
      if (Date.now() > end || !isPassing) throw error
    }
    await sleep(50)
  }
}
