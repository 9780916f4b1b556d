// Changes topics on a Kafka.
import kafkajs, { type Admin } from 'kafkajs'
import { kafka } from './kafka.js'
import { led } from './leaders.js'

/** @param brokers - default: the shared Kafka */
export async function withAdmin<T>(use: (admin: Admin) => Promise<T>, brokers?: readonly string[]): Promise<T> {
  const known = [...(brokers ?? (await kafka()).brokers)]
  const admin = new kafkajs.Kafka({ brokers: known, logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Creates one topic of exactly this name. */
export function createTopic(topic: string, numPartitions = 1): Promise<void> {
  return withAdmin(async (admin) => {
    // kafkajs' own waiting gives up at once when a busy broker does not know the topic yet
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions, replicationFactor: 1 }] })
    await led(admin, [topic], numPartitions)
  })
}

export function deleteTopic(topic: string): Promise<void> {
  return withAdmin((admin) => admin.deleteTopics({ topics: [topic] }))
}

/** Deletes a topic and makes it again; resolves when the broker tells of all its partitions with their leaders. */
export function remakeTopic(topic: string, numPartitions = 1): Promise<void> {
  return withAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [topic] })
    for (;;) {
      try {
        await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions, replicationFactor: 1 }] })
        return await led(admin, [topic], numPartitions)
      } catch (error) {
        // Its deletion is still under way
        if (!/already exists|Topic creation errors/i.test((error as Error).message)) throw error
      }
    }
  })
}

/** Adds partitions until there are `count`; resolves when the broker tells of all of them with their leaders. */
export function widenTopic(topic: string, count: number): Promise<void> {
  return withAdmin(async (admin) => {
    await admin.createPartitions({ topicPartitions: [{ topic, count }] })
    await led(admin, [topic], count)
  })
}
