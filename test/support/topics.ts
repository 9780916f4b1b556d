// Creates one topic of exactly this name on the shared Kafka.
import kafkajs from 'kafkajs'
import { kafka } from './kafka.js'

export async function createTopic(topic: string, numPartitions = 1): Promise<void> {
  const { brokers } = await kafka()
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions, replicationFactor: 1 }] })
  } finally {
    await admin.disconnect()
  }
}
