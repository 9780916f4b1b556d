// Sharing out partitions: every partition to exactly one member that asked for its topic, as the other clients do it.
import assert from 'node:assert/strict'
import { random } from '../../test/support/random.js'
import { type Partitions, type Subscriber, assign, assignedOf, subscriberOf, subscription } from './assigners.js'

const partitions = (...counts: [topic: string, partitions: number][]): Partitions =>
  new Map(counts.map(([topic, n]) => [topic, Array.from({ length: n }, (_, i) => i)]))

const shares = (
  protocol: string,
  subscribers: readonly Subscriber[],
  topics: Partitions
): Record<string, Record<string, readonly number[]>> =>
  Object.fromEntries(
    assign(protocol, subscribers, topics, '').map(({ id, assignment }) => [
      id,
      Object.fromEntries(assignedOf(assignment).topics)
    ])
  )

describe('assigners', () => {
  const two = [
    { id: 'b', topics: ['t', 'u'], state: '' },
    { id: 'a', topics: ['u', 't'], state: '' }
  ]

  it('share out as the examples in Kafka’s documentation', () => {
    const topics = partitions(['t', 3], ['u', 3])
    assert.deepEqual(shares('range', two, topics), { a: { t: [0, 1], u: [0, 1] }, b: { t: [2], u: [2] } })
    assert.deepEqual(shares('roundrobin', two, topics), { a: { t: [0, 2], u: [1] }, b: { t: [1], u: [0, 2] } })
    const uneven = [
      { id: 'c0', topics: ['t0'], state: '' },
      { id: 'c1', topics: ['t0', 't1'], state: '' },
      { id: 'c2', topics: ['t0', 't1', 't2'], state: '' }
    ]
    assert.deepEqual(shares('roundrobin', uneven, partitions(['t0', 1], ['t1', 2], ['t2', 3])), {
      c0: { t0: [0] },
      c1: { t1: [0] },
      c2: { t1: [1], t2: [0, 1, 2] }
    })
  })

  it('give every partition to exactly one member that asked for it, whoever is there', () => {
    const below = random(20261130)
    for (let round = 0; round < 500; round++) {
      const topics = partitions(...Array.from({ length: below(5) }, (_, i): [string, number] => [`t${i}`, below(7)]))
      const members = Array.from({ length: 1 + below(6) }, (_, i) => ({
        id: `m${i}`,
        topics: ['t0', 't1', 't2', 't3', 't4'].filter(() => below(2) === 0),
        state: ''
      }))
      const asked = new Set(members.flatMap((member) => member.topics))
      for (const protocol of ['range', 'roundrobin']) {
        const given = shares(protocol, members, topics)
        assert.deepEqual(Object.keys(given).toSorted(), members.map(({ id }) => id).toSorted())
        for (const { id, topics: mine } of members)
          for (const topic of Object.keys(given[id]!)) assert.ok(mine.includes(topic), `${protocol} ${round}`)
        for (const [topic, all] of topics) {
          const found = Object.values(given).flatMap((share) => share[topic] ?? [])
          assert.deepEqual(found.toSorted(), asked.has(topic) ? [...all].toSorted() : [], `${protocol} ${round}`)
        }
      }
    }
  })

  it('read what other versions and clients write', () => {
    const [offer] = subscription(['t', 'u'], 'state')
    assert.deepEqual(subscriberOf({ id: 'x', metadata: offer!.metadata }), {
      id: 'x',
      topics: ['t', 'u'],
      state: 'state'
    })
    // Version 3 with owned partitions, a generation and a rack behind
    const later = Buffer.concat([Buffer.from([0, 3]), offer!.metadata.subarray(2), Buffer.alloc(10)])
    assert.deepEqual(subscriberOf({ id: 'x', metadata: later }).topics, ['t', 'u'])
    assert.equal(assignedOf(Buffer.alloc(0)).topics.size, 0)
    const [told] = assign('range', [{ id: 'x', topics: ['t'], state: '' }], partitions(['t', 1]), 'note')
    assert.equal(assignedOf(told!.assignment).note, 'note')
    // librdkafka and Java write a null where they have nothing to tell
    const nothing = Buffer.concat([offer!.metadata.subarray(0, -9), Buffer.alloc(4, 0xff)])
    assert.equal(subscriberOf({ id: 'x', metadata: nothing }).state, '')
  })
})
