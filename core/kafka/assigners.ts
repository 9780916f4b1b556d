// How consumers share partitions out: the protocol and the two ways that librdkafka, Java and Python members speak as well.
import { type Assignment, type JoinedMember, type OfferedProtocol } from './group-protocol.js'
import { In, Out } from './wire.js'

/** Topic → partitions. */
export type Partitions = ReadonlyMap<string, readonly number[]>

export interface Subscriber {
  readonly id: string
  readonly topics: readonly string[]
  /** What a client tells beside it, in its own form. */
  readonly state: string
}
export interface MemberShare {
  readonly topics: Partitions
  /** What the leader tells everyone beside it, in its own form. */
  readonly note: string
}

type Assigner = (subscribers: readonly Subscriber[], topics: Partitions) => Map<string, Map<string, number[]>>

/** Of each topic a range for each of its members, the first ones get the rest. */
const range: Assigner = (subscribers, topics) => {
  const shares = emptyShares(subscribers)
  for (const [topic, partitions] of topics) {
    const mine = subscribers.filter((subscriber) => subscriber.topics.includes(topic))
    const [each, more] = [Math.floor(partitions.length / mine.length), partitions.length % mine.length]
    mine.forEach(({ id }, i) => {
      const first = i * each + Math.min(i, more)
      const part = partitions.slice(first, first + each + (i < more ? 1 : 0))
      if (part.length > 0) shares.get(id)!.set(topic, part)
    })
  }
  return shares
}

/** All partitions of all topics in turn; who has not asked for the topic is passed over. */
const roundRobin: Assigner = (subscribers, topics) => {
  const shares = emptyShares(subscribers)
  let turn = 0
  for (const [topic, partitions] of topics)
    for (const partition of partitions) {
      while (!subscribers[turn % subscribers.length]!.topics.includes(topic)) turn++
      const share = shares.get(subscribers[turn++ % subscribers.length]!.id)!
      share.set(topic, [...(share.get(topic) ?? []), partition])
    }
  return shares
}

const emptyShares = (subscribers: readonly Subscriber[]): Map<string, Map<string, number[]>> =>
  new Map(subscribers.map(({ id }) => [id, new Map<string, number[]>()]))

/** In the order in which we like them: with several topics of one partition each, `range` gives them all to one member. */
const assigners: Readonly<Record<string, Assigner>> = { roundrobin: roundRobin, range }

/** What a member tells the leader. `state`: whatever makes the broker share out anew when it changes. */
export function subscription(topics: readonly string[], state: string): OfferedProtocol[] {
  const out = new Out().i16(0)
  out.array(topics, (topic) => out.string(topic))
  const metadata = out.bytes(Buffer.from(state)).done()
  return Object.keys(assigners).map((name) => ({ name, metadata }))
}

/** Of a member of any client. */
export function subscriberOf({ id, metadata }: JoinedMember): Subscriber {
  const input = new In(metadata)
  input.i16() // Version: later ones only add to the end
  return { id, topics: input.array(() => input.string()), state: input.bytes().toString() }
}

/** Shares out `topics` as `protocol` says; topics that nobody asked for are left out. */
export function assign(
  protocol: string,
  subscribers: readonly Subscriber[],
  topics: Partitions,
  note: string
): Assignment[] {
  const assigner = assigners[protocol]
  if (assigner === undefined) throw new TypeError(`no way '${protocol}' to share out partitions`)
  const members = subscribers.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const asked = new Set(members.flatMap((member) => member.topics))
  const wanted = [...topics].filter(([topic]) => asked.has(topic)).sort(([a], [b]) => (a < b ? -1 : 1))
  const shares = assigner(members, new Map(wanted.map(([topic, all]) => [topic, all.toSorted((a, b) => a - b)])))
  return [...shares].map(([id, share]) => ({ id, assignment: assignmentOf(share, note) }))
}

function assignmentOf(share: Partitions, note: string): Buffer {
  const out = new Out().i16(0)
  out.array([...share], ([topic, partitions]) => out.string(topic).array(partitions, (partition) => out.i32(partition)))
  return out.bytes(Buffer.from(note)).done()
}

/** What a leader of any client gave to us; some send nothing to a member without partitions. */
export function assignedOf(assignment: Buffer): MemberShare {
  if (assignment.length === 0) return { topics: new Map(), note: '' }
  const input = new In(assignment)
  input.i16()
  const topics = new Map(input.array(() => [input.string(), input.array(() => input.i32())] as const))
  return { topics, note: input.bytes().toString() }
}
