// `nexstream topics`: what topics there are, with partitions, offsets and counts.
import { CodedError } from '../api/errors.js'
import { listTopics } from '../kafka/admin.js'
import { connect, type KafkaFlags } from './connect.js'
import { print, printJson, table } from './io.js'

export interface TopicsFlags extends KafkaFlags {
  readonly json?: boolean
}

export async function topics(address: string | undefined, flags: TopicsFlags): Promise<void> {
  const target = connect(address, flags)
  await target.kafka.close() // The list comes over a connection of its own
  const all = await listTopics(target.kafkaOptions)
  const listed = target.topic === undefined ? all : all.filter(({ name }) => name === target.topic)
  if (target.topic !== undefined && listed.length === 0)
    throw new CodedError('TOPIC_MISSING', `topic ${target.topic} does not exist; create it with 'nexstream provision'`)
  const rows = listed.flatMap(({ name, replication, partitions }) =>
    partitions.map(({ partition, earliest, latest }) => ({
      topic: name, partition, replication, earliest, next: latest, messages: latest - earliest
    }))
  ) // prettier-ignore
  if (flags.json === true) for (const row of rows) await printJson(row)
  else
    await print(
      table([
        ['topic', 'partition', 'replicas', 'earliest', 'next', 'messages'],
        ...rows.map((row) => Object.values(row).map(String))
      ])
    )
}
