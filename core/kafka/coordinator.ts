// What is asked of the coordinator of a consumer group beside membership.
import { type KafkaClient } from './client.js'
import { type Cluster, BrokerError, expectOk } from './cluster.js'
import {
  findCoordinatorRequest,
  findCoordinatorResponse,
  groupApi,
  offsetCommitRequest,
  offsetCommitResponse,
  offsetFetchRequest,
  offsetFetchResponse
} from './group-protocol.js'

/** ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS: the group has members. */
const HAS_MEMBERS = new Set([22, 25, 27])

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
  expectOk(found.error, `coordinator of group ${group}`)
  return found.id
}

/**
 * Writes down where a group that never took anything begins, before its first member joins: members would begin at the end
 * of the topic each time that they share it out anew, and what came meanwhile would go to nobody.
 * Rejects with TOPIC_MISSING, KAFKA_UNREACHABLE, KAFKA_AUTH.
 */
export async function keepStart(
  client: KafkaClient,
  { groupId, topic, from = 'latest' }: { groupId: string; topic: string; from?: 'earliest' | 'latest' }
): Promise<void> {
  const { cluster } = client
  const { partitions } = await cluster.patiently(`topic ${topic}`, () => cluster.topic(topic))
  await cluster.patiently(`offsets of group ${groupId}`, async () => {
    const coordinator = await coordinatorOf(cluster, groupId)
    const request = offsetFetchRequest(
      groupId,
      topic,
      partitions.map(({ partition }) => partition)
    )
    const known = await cluster.ask(coordinator, groupApi.offsetFetch, request, offsetFetchResponse)
    expectOk(known.error, `offsets of group ${groupId}`)
    const without = known.offsets.filter(({ partition, offset, error }) => {
      expectOk(error, `offset of group ${groupId} in ${topic}/${partition}`)
      return offset < 0
    })
    if (without.length === 0) return
    const starts = await client.offsets(
      topic,
      without.map(({ partition }) => partition),
      from
    )
    const commit = offsetCommitRequest(groupId, topic, [...starts])
    for (const error of await cluster.ask(coordinator, groupApi.offsetCommit, commit, offsetCommitResponse))
      if (!HAS_MEMBERS.has(error)) expectOk(error, `offsets of group ${groupId}`)
  })
}
