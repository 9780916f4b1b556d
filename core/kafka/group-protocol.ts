// Requests and responses of Kafka's group coordinator, in one fixed version each; the members bring their own protocol.
import { type Api } from './connection.js'
import { type In, Out } from './wire.js'

export const groupApi = {
  offsetCommit: { key: 8, version: 5, name: 'OffsetCommit' },
  offsetFetch: { key: 9, version: 3, name: 'OffsetFetch' },
  findCoordinator: { key: 10, version: 2, name: 'FindCoordinator' },
  join: { key: 11, version: 3, name: 'JoinGroup' },
  heartbeat: { key: 12, version: 2, name: 'Heartbeat' },
  leave: { key: 13, version: 2, name: 'LeaveGroup' },
  sync: { key: 14, version: 2, name: 'SyncGroup' }
} as const satisfies Record<string, Api>

const GROUP = 0
/** Our protocol type, beside "consumer" and "connect": Kafka refuses members that speak another one. */
const TYPE = 'nexstream'
const PROTOCOL = 'equals-1'

export const findCoordinatorRequest = (group: string): Buffer => new Out().string(group).i8(GROUP).done()

export function findCoordinatorResponse(input: In): { error: number; id: number } {
  input.i32() // throttle time
  const error = input.i16()
  input.nullableString() // message
  return { error, id: input.i32() }
}

export const offsetFetchRequest = (group: string, topic: string, partitions: readonly number[]): Buffer => {
  const out = new Out().string(group)
  return out.array([topic], () => out.string(topic).array(partitions, (partition) => out.i32(partition))).done()
}

/** `offset` -1: none was ever committed. */
export function offsetFetchResponse(input: In): {
  error: number
  offsets: readonly { readonly partition: number; readonly offset: number; readonly error: number }[]
} {
  input.i32() // throttle time
  const topics = input.array(() => {
    input.string()
    return input.array(() => {
      const [partition, offset] = [input.i32(), input.i64()]
      input.nullableString() // metadata
      return { partition, offset, error: input.i16() }
    })
  })
  return { error: input.i16(), offsets: topics.flat() }
}

/** Of one who is no member: refused while the group has members. */
export function offsetCommitRequest(
  group: string,
  topic: string,
  offsets: readonly (readonly [partition: number, offset: number])[]
): Buffer {
  const out = new Out().string(group).i32(-1).string('')
  return out
    .array([topic], () => {
      out.string(topic).array(offsets, ([partition, offset]) => out.i32(partition).i64(offset).string(null))
    })
    .done()
}

/** The error codes of the partitions. */
export function offsetCommitResponse(input: In): number[] {
  input.i32()
  return input
    .array(() => {
      input.string()
      return input.array(() => (input.i32(), input.i16()))
    })
    .flat()
}

/** `memberId` '' for one who is new; `sessionMs` also bounds how long a join waits for the others. */
export function joinGroupRequest(of: { group: string; memberId: string; sessionMs: number; name: string }): Buffer {
  const out = new Out().string(of.group).i32(of.sessionMs).i32(of.sessionMs).string(of.memberId).string(TYPE)
  return out.array([PROTOCOL], (protocol) => out.string(protocol).bytes(Buffer.from(of.name))).done()
}

export interface Joined {
  readonly error: number
  readonly generation: number
  readonly leader: string
  readonly memberId: string
  /** For the leader only. */
  readonly members: readonly { readonly id: string; readonly metadata: Buffer }[]
}

export function joinGroupResponse(input: In): Joined {
  input.i32()
  const error = input.i16()
  const generation = input.i32()
  input.nullableString() // protocol
  const leader = input.string()
  const memberId = input.string()
  return { error, generation, leader, memberId, members: input.array(() => ({ id: input.string(), metadata: input.bytes() })) } // prettier-ignore
}

export function syncGroupRequest(of: {
  group: string
  generation: number
  memberId: string
  assignments: readonly { readonly id: string; readonly assignment: Buffer }[]
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
