// Requests and responses of Kafka's group coordinator, in one fixed version each; the members bring their own protocol.
import { type Api } from './connection.js'
import { type In, Out } from './wire.js'

export const groupApi = {
  offsetCommit: { key: 8, version: 5, name: 'OffsetCommit' },
  offsetFetch: { key: 9, version: 3, name: 'OffsetFetch' },
  findCoordinator: { key: 10, version: 2, name: 'FindCoordinator' },
  // The first in which one who joins knows its id before it waits for the others, so that it can leave while it waits
  join: { key: 11, version: 4, name: 'JoinGroup' },
  heartbeat: { key: 12, version: 2, name: 'Heartbeat' },
  leave: { key: 13, version: 2, name: 'LeaveGroup' },
  sync: { key: 14, version: 2, name: 'SyncGroup' }
} as const satisfies Record<string, Api>

const GROUP = 0

export const findCoordinatorRequest = (group: string): Buffer => new Out().string(group).i8(GROUP).done()

export function findCoordinatorResponse(input: In): { error: number; id: number } {
  input.i32() // Throttle time
  const error = input.i16()
  input.nullableString() // Message
  return { error, id: input.i32() }
}

export const offsetFetchRequest = (group: string, topic: string, partitions: readonly number[]): Buffer => {
  const out = new Out().string(group).i32(1).string(topic)
  return out.array(partitions, (partition) => out.i32(partition)).done()
}

interface CommittedOffset {
  readonly partition: number
  /** -1: none. */
  readonly offset: number
  /** Whatever the member wrote beside it. */
  readonly metadata: string
  readonly error: number
}

export function offsetFetchResponse(input: In): { error: number; offsets: readonly CommittedOffset[] } {
  input.i32() // Throttle time
  const offsets = input.ofTopics(() => {
    return { partition: input.i32(), offset: input.i64(), metadata: input.string(), error: input.i16() }
  })
  return { error: input.i16(), offsets }
}

/** Who commits: a member, or one who is none, who is refused while the group has members. */
export interface Committer {
  readonly generation: number
  readonly memberId: string
}
export const nobody: Committer = { generation: -1, memberId: '' }

export function offsetCommitRequest(
  group: string,
  { generation, memberId }: Committer,
  topic: string,
  offsets: readonly { readonly partition: number; readonly offset: number; readonly metadata: string }[]
): Buffer {
  const out = new Out().string(group).i32(generation).string(memberId).i32(1).string(topic)
  return out.array(offsets, (each) => out.i32(each.partition).i64(each.offset).string(each.metadata)).done()
}

/** The error codes of the partitions. */
export function offsetCommitResponse(input: In): number[] {
  input.i32()
  return input.ofTopics(() => (input.i32(), input.i16()))
}

/** A way to share out that a member offers, with what it tells the one who will do it. */
export interface OfferedProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** `memberId` '' for one who is new; `rebalanceMs` bounds how long the others wait for this member. */
export function joinGroupRequest(of: {
  group: string
  memberId: string
  sessionMs: number
  rebalanceMs: number
  type: string
  protocols: readonly OfferedProtocol[]
}): Buffer {
  const out = new Out().string(of.group).i32(of.sessionMs).i32(of.rebalanceMs).string(of.memberId).string(of.type)
  return out.array(of.protocols, ({ name, metadata }) => out.string(name).bytes(metadata)).done()
}

export interface JoinedMember {
  readonly id: string
  readonly metadata: Buffer
}
interface Joined {
  readonly error: number
  readonly generation: number
  /** The one all members offer. */
  readonly protocol: string
  readonly leader: string
  readonly memberId: string
  /** For the leader only. */
  readonly members: readonly JoinedMember[]
}

export function joinGroupResponse(input: In): Joined {
  input.i32()
  const error = input.i16()
  const generation = input.i32()
  const protocol = input.string()
  const leader = input.string()
  const memberId = input.string()
  return { error, generation, protocol, leader, memberId, members: input.array(() => ({ id: input.string(), metadata: input.bytes() })) } // prettier-ignore
}

export interface Assignment {
  readonly id: string
  readonly assignment: Buffer
}

export function syncGroupRequest(of: {
  group: string
  generation: number
  memberId: string
  assignments: readonly Assignment[]
}): Buffer {
  const out = new Out().string(of.group).i32(of.generation).string(of.memberId)
  return out.array(of.assignments, ({ id, assignment }) => out.string(id).bytes(assignment)).done()
}

export function syncGroupResponse(input: In): { error: number; assignment: Buffer } {
  input.i32()
  return { error: input.i16(), assignment: input.bytes() }
}

export const heartbeatRequest = (group: string, generation: number, memberId: string): Buffer =>
  new Out().string(group).i32(generation).string(memberId).done()

export const leaveGroupRequest = (group: string, memberId: string): Buffer =>
  new Out().string(group).string(memberId).done()

/** The error code of an answer that says nothing else. */
export function statusResponse(input: In): number {
  input.i32()
  return input.i16()
}
