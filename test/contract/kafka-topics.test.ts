import assert from 'node:assert/strict'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { type Batch, type Reader } from '../../core/api/kafka.js'
import { kafka, testTopics } from '../support/kafka.js'
import { remakeTopic, widenTopic } from '../support/topics.js'

interface Heard {
  /** `PARTITION VALUE` of every record, and what the reader told between them. */
  readonly events: string[]
  nextOffset: number
}

describe('Kafka: a topic that becomes another one', function () {
  this.timeout(120_000)
  let client: KafkaClient
  before(async () => {
    const { brokers } = await kafka()
    client = connectKafka({ brokers })
  })
  after(async () => {
    await client?.close()
  })

  async function send(topic: string, text: string, n: number, partition = 0): Promise<void> {
    const producer = client.producer({ lingerMs: 0, deliveryTimeoutMs: 30_000 })
    for (let i = 0; i < n; i++) producer.send({ topic, partition, value: `${text}${i}` })
    await producer.close()
  }
  /** Deleted and made again, with `n` records at once. */
  async function remake(topic: string, text: string, n: number, numPartitions = 1): Promise<void> {
    await remakeTopic(topic, numPartitions)
    await send(topic, text, n)
  }
  function note(heard: Heard, batch: Batch): void {
    for (let i = 0; i < batch.count; i++) heard.events.push(`${batch.partition} ${String(batch.value(i))}`)
    if (batch.madeAgain) heard.events.push(`again ${batch.madeAgain.unread}`)
    for (const reason of Object.keys(batch.skipped ?? {})) heard.events.push(reason)
    heard.nextOffset = batch.nextOffset
    batch.release()
  }
  /** Hears until `n` events are there. */
  async function hear(reader: Reader, n: number): Promise<Heard> {
    const heard: Heard = { events: [], nextOffset: 0 }
    while (heard.events.length < n) {
      const batch = await reader.next()
      assert.ok(batch)
      note(heard, batch)
    }
    assert.equal(heard.events.length, n, String(heard.events))
    return heard
  }
  const all = (text: string, n: number, partition = 0): string[] =>
    Array.from({ length: n }, (_, i) => `${partition} ${text}${i}`)

  for (const [what, n] of [
    ['longer', 280],
    ['shorter', 60]
  ] as const)
    it(`is read from its beginning when it was made again, ${what}`, async () => {
      const { again: topic } = await testTopics(['again'])
      await send(topic, 'old', 100)
      const reader = client.reader({ assign: [{ topic, partition: 0, offset: 0 }] })
      assert.deepEqual((await hear(reader, 100)).events, all('old', 100))
      await remake(topic, 'new', n)
      const heard = await hear(reader, n + 1)
      assert.deepEqual(heard.events, ['again 0', ...all('new', n)])
      assert.equal(heard.nextOffset, n)
      await remake(topic, 'third', 5)
      assert.deepEqual((await hear(reader, 6)).events, ['again 0', ...all('third', 5)])
      await reader.close()
    })

  it('gives first what was fetched of the old one, and says how much it did not get', async () => {
    const { again: topic } = await testTopics(['again'])
    await send(topic, 'old', 100)
    const reader = client.reader({ assign: [{ topic, partition: 0, offset: 0 }] })
    const first = await reader.next()
    assert.ok(first)
    await remake(topic, 'new', 30)
    const heard: Heard = { events: [], nextOffset: 0 }
    const { count: got } = first
    note(heard, first)
    while (!heard.events.includes('0 new29')) note(heard, (await reader.next())!)
    assert.deepEqual(heard.events, [...all('old', got), `again ${100 - got}`, ...all('new', 30)])
    // 100 are there, one is asked for, then the reader holds still while the topic goes
    reader.pause(topic, 0)
    await remake(topic, 'third', 3)
    reader.resume(topic, 0)
    const third = await hear(reader, 4)
    assert.deepEqual(third.events, ['again 0', ...all('third', 3)])
    await reader.close()
  })

  it('is known by its id to one who kept an offset of the old one', async () => {
    const { again: topic } = await testTopics(['again'])
    await send(topic, 'old', 100)
    const [old] = await client.topics([topic])
    assert.match(old?.id ?? '', /^[0-9a-f]{32}$/)
    await remake(topic, 'new', 150)
    const [now] = await client.topics([topic])
    assert.notEqual(now?.id, old?.id)
    const place = { topic, partition: 0, offset: 100 }
    const reader = client.reader({ assign: [{ ...place, topicId: old?.id ?? '' }] })
    assert.deepEqual((await hear(reader, 151)).events, ['again 0', ...all('new', 150)])
    await reader.close()
    const same = client.reader({ assign: [{ ...place, topicId: now?.id ?? '' }] })
    assert.deepEqual((await hear(same, 50)).events, all('new', 150).slice(100))
    await same.close()
  })

  it('is read with the partitions that are added, also when it is made again with more', async () => {
    const { wide: topic, other } = await testTopics(['wide', 'other'])
    await send(topic, 'a', 10)
    const assign = [topic, other].map((name) => ({ topic: name, partition: 0, offset: 0 }))
    const reader = client.reader({ assign, follow: [topic] })
    assert.deepEqual((await hear(reader, 10)).events, all('a', 10))
    await widenTopic(topic, 3)
    await Promise.all([send(topic, 'b', 20, 1), send(topic, 'c', 20, 2)])
    const added = (await hear(reader, 40)).events
    assert.deepEqual(
      added.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })),
      [...all('b', 20, 1), ...all('c', 20, 2)]
    )
    await remake(topic, 'd', 5, 4)
    await send(topic, 'e', 5, 3)
    const events = (await hear(reader, 13)).events
    assert.equal(events.filter((event) => event === 'again 0').length, 3, String(events))
    assert.deepEqual(events.filter((event) => event.startsWith('0 ')), all('d', 5)) // prettier-ignore
    assert.deepEqual(events.filter((event) => event.startsWith('3 ')), all('e', 5, 3)) // prettier-ignore
    await reader.close()
  })
})
