// What does it cost to read small messages? Yardsticks: confluent-kafka (librdkafka from Python) and stock kafkajs.
import kafkajs from 'kafkajs'
import { connectKafka } from '../core/kafka/client.js'
import { compress, decompress } from '../core/kafka/codecs.js'
import { testTopics } from '../test/support/kafka.js'
import { eventMessages } from './support/events.js'
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

/** What is sent: with a codec events at random, which it can pack a little. */
const valuesOf = ({ bytes, codec }: Pick<Task, 'bytes' | 'codec'>): readonly Buffer[] =>
  codec === 'none' ? [Buffer.alloc(bytes, 'x')] : eventMessages(Math.max(1, Math.round((bytes - 150) / 8)))

const batchBytes = (bytes: number): number => Math.max(16_384, 2 * bytes)

/** The floor: our codec on batches like those of the topic, nothing else. */
const codecAlone: Contestant = ({ messages, bytes, codec }) => {
  const values = valuesOf({ bytes, codec })
  const each = Math.max(1, Math.floor(batchBytes(bytes) / bytes))
  const packed = values.map((_, i) => {
    const batch = Array.from({ length: each }, (_, k) => values[(i + k) % values.length]!)
    return Buffer.from(compress(codec, Buffer.concat(batch)))
  })
  const stop = stopwatch()
  for (let i = 0; i < messages / each; i++) decompress(codec, packed[i % packed.length]!)
  return Promise.resolve(stop(messages))
}

/** One topic for all runs: batches as a forwarder makes them. */
async function topic({ brokers, messages, bytes, codec }: Omit<Task, 'topic'>): Promise<string> {
  const { read } = await testTopics(['read'], { brokers: brokers.split(',') })
  const kafka = connectKafka({ brokers })
  const producer = kafka.producer({ maxBatchBytes: batchBytes(bytes), compression: codec })
  const values = valuesOf({ bytes, codec })
  for (let i = 0; i < messages; i++)
    if (!producer.send({ topic: read, value: values[i % values.length]! })) await producer.drained()
  await producer.close()
  await kafka.close()
  return read
}

const contestants = { nexstream, 'codec alone': codecAlone, kafkajs: stock }
await kafkaBench({ help, verb: 'read', messages: 1_000_000, contestants, topic })
