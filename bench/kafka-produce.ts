// What does it cost to send small messages, acks=all? Yardsticks: confluent-kafka (librdkafka from Python) and stock kafkajs.
import kafkajs from 'kafkajs'
import { connectKafka } from '../core/kafka/client.js'
import { testTopics } from '../test/support/kafka.js'
import { type Contestant, type Task, kafkaBench } from './support/kafka-bench.js'
import { stopwatch } from './support/report.js'

const help = `node dist/bench/kafka-produce.js [--messages 300000] [--bytes 150 …] [--rounds 3] [--only NAME …] [--json FILE]

CPU of sending to one partition until everything is acknowledged by all replicas. Ours is idempotent besides.`

const nexstream =
  (acknowledged: boolean): Contestant =>
  async ({ brokers, topic, messages, bytes, codec }) => {
    const value = Buffer.alloc(bytes, 'x')
    const stop = stopwatch()
    const kafka = connectKafka({ brokers })
    const producer = kafka.producer({ compression: codec })
    let told = 0
    const onDelivered = acknowledged ? (error: Error | null): void => void (error === null && told++) : undefined
    const message = { topic, partition: 0, value }
    for (let i = 0; i < messages; i++) if (!producer.send(message, onDelivered)) await producer.drained()
    await producer.close()
    await kafka.close()
    if (acknowledged && told !== messages) throw new Error(`${told} of ${messages} were acknowledged`)
    return stop(messages)
  }

const stock: Contestant = async ({ brokers, topic, messages, bytes }) => {
  const value = Buffer.alloc(bytes, 'x')
  const stop = stopwatch()
  const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.ERROR })
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  for (let i = 0; i < messages; i += 1000) {
    const some = Array.from({ length: Math.min(1000, messages - i) }, () => ({ value, partition: 0 }))
    await producer.send({ topic, acks: -1, messages: some })
  }
  await producer.disconnect()
  return stop(messages)
}

/** Every run gets a topic of its own, so that none finds the log of another. */
async function topic({ brokers }: Omit<Task, 'topic'>, fresh: boolean): Promise<string> {
  return fresh ? (await testTopics(['produce'], { brokers: brokers.split(',') })).produce : ''
}

await kafkaBench({
  ...{ help, verb: 'produce', messages: 300_000, topic },
  contestants: { nexstream: nexstream(false), 'nexstream, told of each': nexstream(true), kafkajs: stock }
})
