import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import kafkajs from 'kafkajs'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { codecs } from '../../core/kafka/codecs.js'
import { CodedError } from '../../core/api/errors.js'
import { kafka, testTopics } from '../support/kafka.js'
import { type ToSend, consume, pythonConsume, pythonProduce, pythonTransact } from '../support/kafka-records.js'

const hex = (text: string): string => Buffer.from(text).toString('hex')
/** Every awkward record: null and empty, all bytes, large. Incompressible and compressible. */
const awkward = (): Required<ToSend>[] => {
  const at = 1_700_000_000_000
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('hex')
  const values = [null, '', '00', all, randomBytes(70_000).toString('hex'), '00'.repeat(2_000_000), hex('ünïcode')]
  const keys = [null, '', all, hex('key')]
  const headers = [
    [],
    [['a', '']],
    [['ü', all]],
    [
      ['twice', '01'],
      ['twice', '02']
    ]
  ] as [string, string][][]
  return values.flatMap((value, v) =>
    keys.map((key, k) => ({ key, value, headers: headers[(v + k) % 4]!, timestamp: at + v * 1000 - k }))
  )
}

describe('Kafka: records', function () {
  this.timeout(180_000)
  let brokers: string[]
  let client: KafkaClient
  before(async () => {
    ;({ brokers } = await kafka())
    client = connectKafka({ brokers })
  })
  after(() => client.close())

  for (const codec of codecs) {
    it(`go from us to librdkafka byte for byte: ${codec}`, async () => {
      const { out } = await testTopics(['out'])
      const sent = awkward()
      const producer = client.producer({ compression: codec, lingerMs: 20 })
      const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text, 'hex'))
      for (const { key, value, headers, timestamp } of sent)
        producer.send({
          ...{ topic: out, key: bytes(key), partition: 0, value: bytes(value), timestampMs: timestamp },
          headers: headers.map(([name, text]) => [name, bytes(text)!])
        })
      await producer.close()
      const got = await pythonConsume(brokers, out, sent.length)
      sent.forEach((record, offset) => assert.deepEqual(got[offset], { ...record, offset }))
    })

    it(`go from librdkafka to us byte for byte: ${codec}`, async () => {
      const { into } = await testTopics(['into'])
      const sent = awkward()
      await pythonProduce(brokers, into, codec, sent)
      const { records, skipped } = await consume(client, into, sent.length)
      assert.deepEqual(skipped, {})
      sent.forEach(({ key, value, timestamp }, offset) =>
        assert.deepEqual(records[offset], { key, value, timestamp, offset })
      )
    })
  }

  it('of aborted and open transactions are not read, nor are control records', async () => {
    const { topic } = await testTopics(['topic'])
    const some = (name: string): ToSend[] => Array.from({ length: 3 }, (_, i) => ({ value: hex(`${name}${i}`) }))
    await pythonTransact(brokers, topic, [
      { id: 'a', end: 'commit', records: some('good') },
      { id: 'b', end: 'open', records: some('bad') },
      { id: 'a', end: 'commit', records: some('fine') },
      { id: 'b', begin: false, end: 'abort', records: some('worse') },
      { id: 'b', end: 'commit', records: some('last') },
      { id: 'c', end: 'open', records: some('unfinished') }
    ])
    const end = (await client.offsets(topic, [0], 'latest')).get(0)!
    // 5 times 3 records and 4 markers; what is open lies behind the end.
    assert.equal(end, 19)
    const committed = ['good', 'fine', 'last'].flatMap((name) => [0, 1, 2].map((i) => `${name}${i}`))
    const places = new Map<string, number>()
    // Also from the middle of a transaction that was aborted later, or of a marker.
    for (let from = 0; from < end; from++) {
      const { records, skipped } = await consume(client, topic, end, from)
      assert.deepEqual(skipped, {})
      const found = records.map(({ value, offset }) => [Buffer.from(value!, 'hex').toString(), offset] as const)
      if (from === 0) for (const [text, offset] of found) places.set(text, offset)
      const wanted = committed.map((text) => [text, places.get(text)!] as const)
      assert.deepEqual(
        found,
        wanted.filter(([, offset]) => offset >= from)
      )
    }
    const reader = client.reader({ assign: [{ topic, partition: 0, offset: end }] })
    assert.equal(await reader.poll(700), undefined)
    await reader.close()
  })

  it('that arrive while their place is looked up by time are not passed over', async () => {
    const partitions = Array.from({ length: 60 }, (_, i) => i)
    const { quiet } = await testTopics(['quiet'], { partitions: partitions.length })
    const producer = client.producer({ lingerMs: 0 })
    const timestampMs = Date.now()
    const seen = new Set<number | undefined>()
    for (const partition of partitions) {
      // Looks again and again until the first record of the partition is there
      let there = false
      const sent = new Promise<void>((resolve) => {
        const arrived = (): void => resolve(void (there = true))
        setTimeout(() => producer.send({ topic: quiet, partition, value: 'x', timestampMs: timestampMs + 1 }, arrived), partition % 7) // prettier-ignore
      })
      while (!there) seen.add((await client.offsets(quiet, [partition], { timestampMs })).get(partition))
      await sent
    }
    assert.deepEqual(seen, new Set([0]))
    await producer.close()
  })

  it('that are too large are refused one by one; the others arrive', async () => {
    const { small } = await testTopics(['small'], { config: { 'max.message.bytes': '3000' } })
    const producer = client.producer({ lingerMs: 50 })
    const refused: number[] = []
    const offsets = new Map<number, number>()
    for (let i = 0; i < 20; i++)
      producer.send({ topic: small, value: Buffer.alloc(i % 5 === 0 ? 5000 : 500, i) }, (error, offset) => {
        if (error === null) return void offsets.set(i, offset)
        assert.ok(error instanceof CodedError && error.code === 'KAFKA_LOST')
        assert.match(error.message, /small-.*\/0 refused \(1 messages, 5\d\d\d bytes\): MESSAGE_TOO_LARGE/)
        refused.push(i)
      })
    await assert.rejects(producer.flush(), { code: 'KAFKA_LOST', message: /4 messages were lost/ })
    await producer.close()
    assert.deepEqual(refused, [0, 5, 10, 15])
    const { records } = await consume(client, small, 16)
    assert.deepEqual(
      records.map(({ value }) => value!.length / 2),
      Array.from({ length: 16 }, () => 500)
    )
    for (const [i, offset] of offsets) assert.equal(parseInt(records[offset]!.value!.slice(0, 2), 16), i)
  })

  const refusals: { why: string; config: Record<string, string>; bad: object; text: RegExp }[] = [
    {
      why: 'their time',
      config: { 'message.timestamp.before.max.ms': '3600000' },
      bad: { timestampMs: 631_152_000_000 },
      text: /refused a message: INVALID_TIMESTAMP; the topic allows only times within its message.timestamp.before.max/
    },
    {
      why: 'a missing key',
      config: { 'cleanup.policy': 'compact' },
      bad: { key: null },
      text: /refused a message: INVALID_RECORD$/
    }
  ]
  for (const { why, config, bad, text } of refusals)
    for (const compression of ['none', 'zstd'] as const)
      it(`that the broker refuses for ${why} are lost alone, the others of their ${compression} batch arrive`, async () => {
        const { strict } = await testTopics(['strict'], { config })
        const producer = client.producer({ lingerMs: 20, compression })
        const isBad = (i: number): boolean => i % 7 === 3 || (i > 100 && i < 130)
        const offsets = new Map<number, number>()
        const refused: number[] = []
        const now = Date.now()
        for (let i = 0; i < 300; i++) {
          const good = { topic: strict, partition: 0, key: 'k', value: String(i), timestampMs: now + i }
          producer.send(isBad(i) ? { ...good, ...bad } : good, (error, offset) => {
            if (error === null) return void offsets.set(i, offset)
            assert.match(error.message, text)
            refused.push(i)
          })
        }
        const all = Array.from({ length: 300 }, (_, i) => i)
        const good = all.filter((i) => !isBad(i))
        await assert.rejects(producer.flush(), { code: 'KAFKA_LOST', message: /^\d+ messages were lost/ })
        // A batch of nothing but bad ones, and what comes after
        producer.send({ topic: strict, partition: 0, key: 'k', value: 'bad', timestampMs: now, ...bad })
        await assert.rejects(producer.flush(), { code: 'KAFKA_LOST' })
        producer.send({ topic: strict, partition: 0, key: 'k', value: 'end', timestampMs: now + 999 })
        await producer.close()
        assert.deepEqual([refused, [...offsets.keys()]], [all.filter(isBad), good])
        const { records } = await consume(client, strict, good.length + 1)
        const wanted = [...good.map((i) => [String(i), now + i]), ['end', now + 999]]
        assert.deepEqual(
          records.map(({ value, timestamp }) => [Buffer.from(value!, 'hex').toString(), Number(timestamp)]),
          wanted
        )
        for (const [i, offset] of offsets) assert.equal(offset, good.indexOf(i))
        assert.equal((await client.offsets(strict, [0], 'latest')).get(0), good.length + 1, 'no batch twice')
      })

  it('that are larger than what is asked for at once are read', async () => {
    const { huge } = await testTopics(['huge'])
    const producer = client.producer()
    const values = [randomBytes(10), randomBytes(12_000_000), randomBytes(10), randomBytes(6_000_000)]
    for (const value of values) producer.send({ topic: huge, value })
    await producer.close()
    const reader = client.reader({ assign: [{ topic: huge, partition: 0, offset: 0 }], maxBytes: 1000 })
    for (let i = 0; i < values.length;) {
      const batch = await reader.next()
      for (let k = 0; k < batch!.count; k++) assert.ok(batch!.value(k)!.equals(values[i++]!))
      batch!.release()
    }
    await reader.close()
  })

  it('are found by time and by end', async () => {
    const { timed } = await testTopics(['timed'], { partitions: 2 })
    const producer = client.producer()
    for (let i = 0; i < 100; i++)
      producer.send({ topic: timed, partition: i % 2, value: String(i), timestampMs: 1_000_000 + i * 10 })
    await producer.close()
    const at = async (when: 'earliest' | 'latest' | { timestampMs: number }) =>
      Object.fromEntries(await client.offsets(timed, [0, 1], when))
    assert.deepEqual(await at('earliest'), { 0: 0, 1: 0 })
    assert.deepEqual(await at('latest'), { 0: 50, 1: 50 })
    assert.deepEqual(await at({ timestampMs: 0 }), { 0: 0, 1: 0 })
    assert.deepEqual(await at({ timestampMs: 1_000_500 }), { 0: 25, 1: 25 })
    assert.deepEqual(await at({ timestampMs: 1_000_501 }), { 0: 26, 1: 25 })
    assert.deepEqual(await at({ timestampMs: 2_000_000 }), { 0: 50, 1: 50 })
    const reader = client.reader({ assign: [{ topic: timed, partition: 0, offset: 0 }] })
    const first = await reader.next()
    assert.equal(first!.offset(0), 0)
    first!.release()
    reader.seek(timed, 0, 26)
    const after = await reader.next()
    assert.deepEqual([after!.offset(0), after!.timestampMs(0), after!.value(0)!.toString()], [26, 1_000_520, '52'])
    after!.release()
    await reader.close()
    await assert.rejects(client.offsets(timed, [7], 'latest'), { code: 'TOPIC_MISSING' })
    await assert.rejects(client.offsets('no-such-topic', [0], 'latest'), {
      code: 'TOPIC_MISSING',
      message: /nexstream provision/
    })
  })

  it('deleted by retention are counted and passed over', async () => {
    const { short } = await testTopics(['short'])
    const producer = client.producer({ lingerMs: 0 })
    for (let i = 0; i < 30; i++) {
      producer.send({ topic: short, value: String(i) })
      await producer.flush()
    }
    await producer.close()
    const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    await admin.fetchTopicOffsets(short) // Deleting wants its metadata
    await admin.deleteTopicRecords({ topic: short, partitions: [{ partition: 0, offset: '20' }] })
    await admin.disconnect()
    const { records, skipped } = await consume(client, short, 30, 5)
    assert.deepEqual(skipped, { offset_out_of_range: 15 })
    assert.deepEqual(
      records.map(({ offset }) => offset),
      [20, 21, 22, 23, 24, 25, 26, 27, 28, 29]
    )
  })
})
