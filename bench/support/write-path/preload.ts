// Brings the messages of a workload into a real Kafka.
import { connectKafka } from '../../../core/kafka/client.js'
import { testTopics } from '../../../test/support/kafka.js'
import { endMs, messages, sourceName, type Task, type Workload } from './workloads.js'

/** Each workload gets topics of its own. */
export async function preload(workload: Workload, brokers: readonly string[]): Promise<Task> {
  const names = Array.from({ length: workload.topics }, (_, i) => `bench-${i}`)
  const config = { 'max.message.bytes': '20000000', 'retention.ms': '-1' }
  const topics = Object.values(await testTopics(names, { brokers, config }))
  const startMs = Date.now() - 7_200_000
  const kafka = connectKafka({ brokers: [...brokers] })
  const producer = kafka.producer({ lingerMs: 5, maxBufferedBytes: 64 << 20, compression: workload.codec ?? 'none' })
  let bytes = 0
  let count = 0
  for (const message of messages(workload, topics, startMs)) {
    bytes += message.value.length
    count++
    if (!producer.send(message)) await producer.drained()
  }
  await producer.flush()
  await producer.close()
  await kafka.close()
  return {
    brokers,
    topics,
    kind: workload.kind,
    sources: Array.from({ length: workload.sources }, (_, s) => sourceName(s)),
    startMs,
    stopMs: endMs(startMs),
    messages: count,
    bytes,
    units: workload.unit === 'GB' ? bytes / 1e9 : count
  }
}
