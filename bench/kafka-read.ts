// What does it cost to read small messages? Yardsticks: confluent-kafka (librdkafka from Python) and stock kafkajs.
import kafkajs from 'kafkajs'
import { connectKafka } from '../core/kafka/client.js'
import { testTopics } from '../test/support/kafka.js'
import { type Contestant, type Task, kafkaBench } from './support/kafka-bench.js'
import { stopwatch } from './support/report.js'

const help = `node dist/bench/kafka-read.js [--messages 1000000] [--bytes 150 …] [--rounds 3] [--only NAME …] [--json FILE]

CPU of reading one partition from its beginning to its end; the first and last byte of every value is looked at.`

const nexstream: Contestant = async ({ brokers, topic, messages }) => {
  const stop = stopwatch()
  const kafka = connectKafka({ brokers })
  const reader = kafka.reader({ assign: [{ topic, partition: 0, offset: 0 }] })
  let sum = 0
  for (let count = 0; count < messages;) {
    const batch = (await reader.next())!
    for (let i = 0; i < batch.count; i++) {
      const value = batch.value(i)!
      sum += value[0]! + value[value.length - 1]!
    }
    count += batch.count
    batch.release()
  }
  await kafka.close()
  if (sum === 0) throw new Error('nothing was read')
  return stop(messages)
}

const stock: Contestant = async ({ brokers, topic, messages }) => {
  const stop = stopwatch()
  const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.ERROR })
  const limits = { maxBytes: 8 << 20, maxBytesPerPartition: 8 << 20 }
  const consumer = kafka.consumer({ groupId: `bench-${process.pid}`, ...limits })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let count = 0
  let sum = 0
  await new Promise<void>((resolve, reject) => {
    const eachBatch = ({ batch }: kafkajs.EachBatchPayload): Promise<void> => {
      for (const { value } of batch.messages) sum += value![0]! + value![value!.length - 1]!
      count += batch.messages.length
      if (count >= messages) resolve()
      return Promise.resolve()
    }
    consumer.run({ eachBatch, autoCommit: false }).catch(reject)
  })
  await consumer.disconnect()
  if (sum === 0) throw new Error('nothing was read')
  return stop(messages)
}

/** One topic for all runs: batches as a forwarder makes them. */
async function topic({ brokers, messages, bytes }: Omit<Task, 'topic'>): Promise<string> {
  const { read } = await testTopics(['read'], { brokers: brokers.split(',') })
  const kafka = connectKafka({ brokers })
  const producer = kafka.producer({ maxBatchBytes: Math.max(16_384, 2 * bytes) })
  const value = Buffer.alloc(bytes, 'x')
  for (let i = 0; i < messages; i++) if (!producer.send({ topic: read, value })) await producer.drained()
  await producer.close()
  await kafka.close()
  return read
}

await kafkaBench({ help, verb: 'read', messages: 1_000_000, contestants: { nexstream, kafkajs: stock }, topic })
