// Who leads the partitions of topics, which replicas keep up, and how far behind consumer groups are: for `nexstream topics`.
import { KafkajsAdmin } from './kafkajs-admin.js'
import { type ListedTopic, type TopicPlace } from './topics.js'

export interface PartitionLeader {
  /** Id of the broker; undefined: there is none now. */
  readonly leader: number | undefined
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

export interface GroupPosition {
  readonly group: string
  readonly topic: string
  readonly partition: number
  /** Next offset that it would read. */
  readonly committed: number
  /** Messages that it has not read; those that are deleted count no more. */
  readonly lag: number
}

/** `topic partition` → leader. Rejects with KAFKA_AUTH, KAFKA_UNREACHABLE, COMMAND_FAILED. */
export async function leadersOf(
  { settings }: TopicPlace,
  topics: readonly ListedTopic[]
): Promise<ReadonlyMap<string, PartitionLeader>> {
  if (topics.length === 0) return new Map()
  const admin = new KafkajsAdmin(settings)
  try {
    const names = topics.map(({ name }) => name)
    const found = await admin.ask('leaders', (kafkajs) => kafkajs.fetchTopicMetadata({ topics: names }))
    return new Map(
      found.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionId, leader, replicas, isr }) => {
          const place = { leader: leader < 0 ? undefined : leader, replicas, inSync: isr }
          return [placeOf(name, partitionId), place] as const
        })
      )
    )
  } finally {
    await admin.close()
  }
}

export const placeOf = (topic: string, partition: number): string => `${topic} ${partition}`

/** Where each group that has committed offsets of these topics stands, sorted. */
export async function groupsOf({ settings }: TopicPlace, topics: readonly ListedTopic[]): Promise<GroupPosition[]> {
  const marks = new Map(
    topics.flatMap(({ name, partitions }) => partitions.map((mark) => [placeOf(name, mark.partition), mark] as const))
  )
  const admin = new KafkajsAdmin(settings)
  try {
    const { groups } = await admin.ask('groups', (kafkajs) => kafkajs.listGroups())
    const positions: GroupPosition[] = []
    for (const { groupId: group } of groups.toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1))) {
      const offsets = await admin.ask(`offsets of ${group}`, (kafkajs) => kafkajs.fetchOffsets({ groupId: group }))
      for (const { topic, partitions } of offsets)
        for (const { partition, offset } of partitions) {
          const mark = marks.get(placeOf(topic, partition))
          const committed = Number(offset)
          if (mark === undefined || committed < 0) continue
          const lag = Math.max(0, mark.latest - Math.max(committed, mark.earliest))
          positions.push({ group, topic, partition, committed, lag })
        }
    }
    return positions
  } finally {
    await admin.close()
  }
}
