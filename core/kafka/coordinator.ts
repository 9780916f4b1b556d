// What is asked of the coordinator of a consumer group beside membership: who it is, and how far the group is.
import { type Kafka } from '../api/kafka.js'
import { GROUP_REBALANCING, ILLEGAL_GENERATION, UNKNOWN_MEMBER } from './broker-errors.js'
import { type Cluster, BrokerError, expectOk, expectTopic } from './cluster.js'
import {
  type Committer,
  findCoordinatorRequest,
  findCoordinatorResponse,
  groupApi,
  nobody,
  offsetCommitRequest,
  offsetCommitResponse,
  offsetFetchRequest,
  offsetFetchResponse
} from './group-protocol.js'

/** Number of the broker that coordinates `group`. Rejects with BrokerError. */
export async function coordinatorOf(cluster: Cluster, group: string): Promise<number> {
  const [any] = (await cluster.metadata([])).brokers
  if (any === undefined) throw new BrokerError(15, 'FindCoordinator')
  const found = await cluster.ask(
    any.id,
    groupApi.findCoordinator,
    findCoordinatorRequest(group),
    findCoordinatorResponse
  )
  expectOk(found.error, `coordinator of group ${group}`, null, `READ on group ${group}`)
  return found.id
}

/** How far a group is in one partition. */
export interface Committed {
  readonly offset: number
  /** Of the topic that it was written for, when one of us wrote it: a topic that is made again has another one. */
  readonly topicId?: string
  /** The member that wrote it. */
  readonly memberId?: string
}

/** What is known of a topic's identity and size. */
export interface TopicState {
  /** Undefined with brokers before 2.8. */
  readonly id: string | undefined
  readonly partitions: readonly number[]
}

/** Without partitions when there is none. Rejects with BrokerError or what `metadata` rejects with. */
export async function topicState(cluster: Cluster, name: string): Promise<TopicState> {
  const found = (await cluster.metadata([name])).topics.find((topic) => topic.name === name)
  if (found === undefined || found.error === 3) return { id: undefined, partitions: [] }
  expectTopic(found.error, name)
  return {
    id: found.id === '' ? undefined : found.id,
    partitions: found.partitions.map(({ partition }) => partition).sort((a, b) => a - b)
  }
}

/** Partition → how far the group is; those where it never was are left out. */
export async function committed(
  cluster: Cluster,
  group: string,
  topic: string,
  partitions: readonly number[]
): Promise<Map<number, Committed>> {
  const request = offsetFetchRequest(group, topic, partitions)
  const found = await cluster.ask(await coordinatorOf(cluster, group), groupApi.offsetFetch, request, offsetFetchResponse) // prettier-ignore
  expectOk(found.error, `offsets of group ${group}`, null, `READ on group ${group}`)
  const known = new Map<number, Committed>()
  for (const { partition, offset, metadata, error } of found.offsets) {
    expectOk(error, `offset of group ${group} in ${topic}/${partition}`)
    if (offset >= 0) known.set(partition, { offset, ...markOf(metadata) })
  }
  return known
}

/** Partition → the offset to go on from. */
interface OffsetProgress {
  readonly topic: string
  readonly topicId: string | undefined
  readonly offsets: ReadonlyMap<number, number>
}

/** Writes down how far the group is. Rejects with BrokerError: of codes 22 and 25 when `by` is a member no more. */
export async function commit(
  cluster: Cluster,
  group: string,
  by: Committer,
  { topic, topicId, offsets }: OffsetProgress
): Promise<void> {
  const metadata = JSON.stringify({ topic_id: topicId, member: by.memberId })
  const all = [...offsets].map(([partition, offset]) => ({ partition, offset, metadata }))
  const request = offsetCommitRequest(group, by, topic, all)
  const coordinator = await coordinatorOf(cluster, group)
  for (const error of await cluster.ask(coordinator, groupApi.offsetCommit, request, offsetCommitResponse))
    expectOk(error, `offsets of group ${group}`)
}

/** Peers write nothing there, or what they like. */
function markOf(metadata: string): Pick<Committed, 'topicId' | 'memberId'> {
  try {
    const { topic_id: topicId, member: memberId } = JSON.parse(metadata) as Record<string, unknown>
    return {
      ...(typeof topicId === 'string' && { topicId }),
      ...(typeof memberId === 'string' && { memberId })
    }
  } catch {
    return {}
  }
}

/** Where a group begins that never took anything. */
export interface GroupStarts extends TopicState {
  /** Partition → offset, as long as it is not known to be written down. */
  readonly offsets: Map<number, number>
}

/**
 * Finds out where a group begins in partitions where it never took anything, and writes it down if the group has no members:
 * members would begin at the end of the topic each time that they share it out anew, and what came meanwhile would go to
 * nobody. Partitions that were added, and all of a topic that was made again since `before`, are the group's from their beginning.
 * Rejects with TOPIC_MISSING, KAFKA_UNREACHABLE, KAFKA_AUTH.
 */
export async function keepStarts(
  client: Pick<Kafka, 'offsets'> & { readonly cluster: Cluster },
  { groupId, topic, from = 'latest' }: { groupId: string; topic: string; from?: 'earliest' | 'latest' },
  before?: GroupStarts
): Promise<GroupStarts> {
  const { cluster } = client
  await cluster.patiently(`topic ${topic}`, () => cluster.topic(topic))
  return cluster.patiently(`offsets of group ${groupId}`, async () => {
    const state = await topicState(cluster, topic)
    const known = await committed(cluster, groupId, topic, state.partitions)
    const without = state.partitions.filter((partition) => !known.has(partition))
    const again = before !== undefined && before.id !== state.id
    const isNew = (partition: number): boolean =>
      again || known.size > 0 || before?.partitions.includes(partition) === false
    const offsets = new Map([
      ...(await client.offsets(topic, without.filter(isNew), 'earliest')),
      ...(await client.offsets(topic, without.filter((partition) => !isNew(partition)), from)), // prettier-ignore
      ...(again ? [] : [...(before?.offsets ?? [])].filter(([partition]) => !known.has(partition)))
    ])
    if (offsets.size === 0) return { ...state, offsets }
    try {
      await commit(cluster, groupId, nobody, { topic, topicId: state.id, offsets })
      offsets.clear()
    } catch (error) {
      const { code } = error as Partial<BrokerError>
      if (code !== UNKNOWN_MEMBER && code !== ILLEGAL_GENERATION && code !== GROUP_REBALANCING) throw error
    }
    return { ...state, offsets }
  })
}
