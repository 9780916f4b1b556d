// Answers of brokers but Fetch: metadata, offsets, produce, the group protocol and what members of other clients tell each other.
import { assign, assignedOf, subscriberOf, subscription } from '../../../core/kafka/assigners.js'
import * as group from '../../../core/kafka/group-protocol.js'
import * as protocol from '../../../core/kafka/protocol.js'
import { In, Out, WireError } from '../../../core/kafka/wire.js'
import { type Target } from '../target.js'

const topics = new Map([['t', [0, 1, 2, 3]], ['u', [0]]]) // prettier-ignore

/** As a leader shares out among the members that the broker lists, and a member takes its share. */
function joined(input: In): void {
  const { members } = group.joinGroupResponse(input)
  const subscribers = members.map(subscriberOf)
  for (const name of ['range', 'roundrobin'])
    for (const { assignment } of assign(name, subscribers, topics, '')) assignedOf(assignment)
}

const readers: readonly (readonly [read: (input: In) => unknown, sample: Buffer])[] = [
  [protocol.metadataResponse, new Out().i32(0).i32(1).i32(1).string('host').i32(9092).string(null).string('c').i32(1).i32(1).i16(0).string('t').bool(false).i32(1).i16(0).i32(0).i32(1).i32(5).i32(1).i32(1).i32(1).i32(1).i32(0).done()], // prettier-ignore
  [protocol.metadataByIdResponse, new Out().noTags().i32(0).uvarint(2).i32(1).compactString('host').i32(9092).compactString('').noTags().compactString('c').i32(1).uvarint(2).i16(0).compactString('t').uuid('22'.repeat(16)).bool(false).uvarint(2).i16(0).i32(0).i32(1).i32(5).uvarint(2).i32(1).uvarint(2).i32(1).uvarint(1).noTags().i32(0).noTags().noTags().done()], // prettier-ignore
  [protocol.listOffsetsResponse, new Out().i32(0).i32(1).string('t').i32(1).i32(0).i16(0).i64(-1).i64(7).done()],
  [protocol.produceResponse, new Out().i32(1).string('t').i32(1).i32(0).i16(0).i64(5).i64(-1).i64(0).i32(1).i32(0).string('why').string(null).i32(0).done()], // prettier-ignore
  [protocol.initProducerIdResponse, new Out().i32(0).i16(0).i64(9).i16(0).done()],
  [group.findCoordinatorResponse, new Out().i32(0).i16(0).string(null).i32(1).string('h').i32(9092).done()],
  [group.offsetFetchResponse, new Out().i32(0).i32(1).string('t').i32(1).i32(0).i64(4).string('m').i16(0).i16(0).done()], // prettier-ignore
  [group.offsetCommitResponse, new Out().i32(0).i32(1).string('t').i32(1).i32(0).i16(0).done()],
  [group.syncGroupResponse, new Out().i32(0).i16(0).bytes(Buffer.from('x')).done()],
  [group.statusResponse, new Out().i32(0).i16(25).done()],
  [joined, join()],
  [({ buffer, at }) => assignedOf(buffer.subarray(at)), new Out().i16(0).i32(1).string('t').i32(2).i32(0).i32(1).bytes(Buffer.from('note')).done()] // prettier-ignore
]

function join(): Buffer {
  const out = new Out().i32(0).i16(0).i32(3).string('range').string('a').string('a')
  const members = ['a', 'b'].map((id) => ({
    id,
    metadata: subscription(id === 'a' ? ['t'] : ['t', 'u'], 's')[0]!.metadata
  }))
  return out.array(members, ({ id, metadata }) => out.string(id).bytes(metadata)).done()
}

export default {
  seeds: () => readers.map(([, sample], i) => Buffer.concat([Buffer.from([i]), sample])),
  run: (input) => {
    const [read] = readers[(input[0] ?? 0) % readers.length]!
    read(new In(input, Math.min(1, input.length)))
  },
  allows: (error) => error instanceof WireError
} satisfies Target
