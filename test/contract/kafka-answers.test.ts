import assert from 'node:assert/strict'
import { testTopics } from '../support/kafka.js'
import { behindProxy, COUNT, diverged, texts } from '../support/kafka-proxy.js'
import { collect, consume } from '../support/kafka-records.js'

const PRODUCE = 0
const FETCH = 1
const INIT_PRODUCER_ID = 22
const text = (value: string | null): string => Buffer.from(value!, 'hex').toString()

/** Partitions in a Produce request: each is preceded by the topic's name and a count of 1. */
function partitionsOf(frame: Buffer, topic: string): string[] {
  const found: string[] = []
  for (let at = frame.indexOf(topic); at >= 0; at = frame.indexOf(topic, at + 1))
    found.push(`${topic}/${frame.readInt32BE(at + topic.length + 4)}`)
  return found
}

describe('Kafka: what brokers answer', function () {
  this.timeout(180_000)
  const via = behindProxy()

  // Where the error code of the only partition of one topic stands in an answer.
  const fetchCode = 8 + 1 + 4 + 2 + 4 + 1 + 16 + 1 + 4
  const produceCode = (topic: string): number => 8 + 4 + 2 + topic.length + 4 + 4
  const passing = [-1, 2, 3, 5, 6, 7, 9, 13, 19, 20, 56, 74, 75, 89, 1234]

  it('is survived by readers: error codes that pass', async () => {
    const topic = await via.filled(60)
    const codes = [...passing, 78, 100, 103]
    const met: number[] = []
    let answers = 0
    via.proxy.meddle = (api, frame) => {
      // Every second answer is good.
      if (api !== FETCH || frame.length < 1000 || answers++ % 2 === 0 || met.length === codes.length) return frame
      const code = codes[met.length]!
      met.push(code)
      frame.writeInt16BE(code, fetchCode)
      return frame
    }
    const reader = via.client.reader({ assign: [{ topic, partition: 0, offset: 0 }], maxBytes: 2000 })
    const { records, skipped } = await collect(reader, COUNT)
    await reader.close()
    assert.deepEqual([met, skipped], [codes, {}])
    assert.deepEqual(
      records.map(({ value }) => text(value)),
      texts
    )
  })

  it('may end behind the end that they name, when a message comes meanwhile: nothing is passed over, however often', async () => {
    const { topic } = await testTopics(['topic'], { brokers: via.brokers })
    let isLate = false
    let met = 0
    via.proxy.meddle = (api, frame) => {
      if (api !== FETCH || !isLate) return frame
      // After the error code: high watermark, last stable offset, log start; aborted; replica; length of the records
      let at = fetchCode + 2 + 24 + 1 + 4
      while (frame.length > at && frame[at]! >= 0x80) at++
      at++
      if (frame.length < at + 61) return frame
      for (const end of [fetchCode + 2, fetchCode + 10]) frame.copy(frame, end, at, at + 8)
      isLate = false
      met++
      return frame
    }
    const reader = via.client.reader({ assign: [{ topic, partition: 0, offset: 0 }] })
    const producer = via.client.producer({ lingerMs: 0 })
    for (let i = 0; i < 12; i++) {
      isLate = true
      producer.send({ topic, value: Buffer.from(`value ${i}`) })
      await producer.flush()
      const batch = await reader.next()
      assert.deepEqual([batch?.skipped, batch?.count, batch?.value(0)?.toString()], [undefined, 1, `value ${i}`])
      batch?.release()
    }
    assert.equal(met, 12)
    await Promise.all([reader.close(), producer.close()])
  })

  it('may be that the log goes another way than it did: it is read again from there', async () => {
    const topic = await via.filled(60)
    const [info] = await via.client.topics([topic])
    const from = COUNT - 40
    let answers = 0
    const reader = via.client.reader({ assign: [{ topic, partition: 0, offset: 0 }] })
    await collect(reader, COUNT)
    via.proxy.overhear = (api) => (api === FETCH && answers++ === 0 ? diverged(info?.id ?? '', COUNT, from) : undefined)
    const batch = await reader.next()
    assert.deepEqual(batch?.truncated, { at: from, read: 40, unread: 0 })
    assert.deepEqual([batch.nextOffset, batch.count], [from, 0])
    batch?.release()
    const { records } = await collect(reader, COUNT)
    await reader.close()
    assert.deepEqual(
      records.map(({ value }) => text(value)),
      texts.slice(from)
    )
  })

  it('is survived by producers: error codes that pass, for batches that the broker has all the same', async () => {
    const { topic } = await testTopics(['topic'], { brokers: via.brokers })
    const left = [...passing]
    let answers = 0
    via.proxy.meddle = (api, frame) => {
      const code = api === PRODUCE && answers++ % 2 === 1 ? left.shift() : undefined
      if (code !== undefined) frame.writeInt16BE(code, produceCode(topic))
      return frame
    }
    const producer = via.client.producer({ lingerMs: 0, maxBatchBytes: 2000 })
    const acknowledged: number[] = []
    for (const [i, value] of texts.entries())
      producer.send({ topic, value }, (error) => {
        assert.equal(error, null)
        acknowledged.push(i)
      })
    await producer.close()
    assert.equal(left.length, 0)
    assert.deepEqual(acknowledged, [...texts.keys()])
    const { records } = await consume(via.client, topic, COUNT)
    assert.deepEqual(
      records.map(({ value }) => text(value)),
      texts
    )
    assert.equal((await via.client.offsets(topic, [0], 'latest')).get(0), COUNT, 'no batch twice')
  })

  it('is survived by producers: a broker that has forgotten them', async () => {
    const { topic } = await testTopics(['topic'], { brokers: via.brokers })
    let identities = 0
    const left = [45, 47, 59, 90]
    via.proxy.overhear = (api, frame) => {
      if (api === INIT_PRODUCER_ID) identities++
      const code = api === PRODUCE && identities > 0 && frame.includes(texts[50]!) ? left.shift() : undefined
      if (code === undefined) return undefined
      // One topic, one partition 0: code, offset, two times, no record errors, no words; throttle time
      const body = Buffer.alloc(4 + 2 + topic.length + 4 + 4 + 2 + 24 + 4 + 2 + 4)
      body.writeInt32BE(1)
      body.writeInt16BE(topic.length, 4)
      body.write(topic, 6)
      body.writeInt32BE(1, 6 + topic.length)
      body.writeInt16BE(code, 14 + topic.length)
      return body
    }
    const producer = via.client.producer({ lingerMs: 0, maxBatchBytes: 500 })
    for (const value of texts.slice(0, 100)) producer.send({ topic, value }, (error) => assert.equal(error, null))
    await producer.close()
    assert.deepEqual([left, identities], [[], 5])
    const { records } = await consume(via.client, topic, 100)
    assert.deepEqual(
      records.map(({ value }) => text(value)),
      texts.slice(0, 100)
    )
  })

  it('may be a refusal: what is refused for good is lost and told, and the others arrive', async () => {
    const { topic } = await testTopics(['topic'], { brokers: via.brokers })
    let refusing = true
    via.proxy.meddle = (api, frame) => {
      if (api === PRODUCE && refusing) frame.writeInt16BE(87, produceCode(topic))
      return frame
    }
    const producer = via.client.producer({ lingerMs: 0 })
    const told = (value: string) =>
      new Promise<string>((resolve) => producer.send({ topic, value }, (error) => resolve(error?.message ?? 'good')))
    assert.match(await told('a'), /topic-.*\/0 refused a message: INVALID_RECORD/)
    refusing = false
    assert.equal(await told('b'), 'good')
    await assert.rejects(producer.close(), { code: 'KAFKA_LOST' })
  })

  it('that does not come before the producer is closed is a loss that close tells', async () => {
    const { topic } = await testTopics(['topic'], { brokers: via.brokers })
    via.proxy.meddle = (api, frame) => (api === PRODUCE ? Buffer.alloc(0) : frame)
    const producer = via.client.producer({ lingerMs: 0 })
    for (const value of texts.slice(0, 3)) producer.send({ topic, value })
    await assert.rejects(producer.close(), { code: 'KAFKA_LOST', message: /before Kafka acknowledged/ })
  })

  it('sets the pace: one request at a time, of batches that are full, have lingered or are asked for', async () => {
    const topics = await testTopics(['linger', 'other'], { brokers: via.brokers, partitions: 2 })
    const flying = new Map<string, number>()
    const sent: number[] = []
    let most = 0
    via.proxy.overhear = (api, frame) => {
      if (api !== PRODUCE || !frame.includes(topics.linger)) return undefined
      sent.push(frame.length)
      for (const partition of partitionsOf(frame, topics.linger)) {
        const n = (flying.get(partition) ?? 0) + 1
        flying.set(partition, n)
        most = Math.max(most, n)
      }
      return undefined
    }
    via.proxy.meddle = (api, frame) => {
      if (api === PRODUCE && frame.includes(topics.linger)) flying.clear()
      return frame
    }
    const patient = via.client.producer({ lingerMs: 3_600_000, maxBatchBytes: 5000 })
    const one = via.client.producer({ lingerMs: 1 })
    const value = Buffer.alloc(1000, 1)
    for (let i = 0; i < 4; i++) patient.send({ topic: topics.linger, partition: 0, value })
    one.send({ topic: topics.other, value }) // Lingers for 1 ms only: nobody has asked for it
    while (one.bufferedBytes > 0) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(sent, [], 'neither full nor asked for')
    for (let i = 0; i < 60; i++) patient.send({ topic: topics.linger, partition: i % 2, value })
    // Four messages fill a batch: of each partition two are left.
    while (patient.bufferedBytes > 4 * 1016) await new Promise((resolve) => setImmediate(resolve))
    assert.ok(
      sent.every((bytes) => bytes < 2 * 5000 + 400),
      String(sent)
    )
    const full = sent.length
    assert.ok(full >= 8, String(full))
    await patient.flush()
    assert.equal(sent.length, full + 1, 'the rest of both partitions in one request')
    assert.equal(most, 1)
    await Promise.all([patient.close(), one.close()])
    assert.deepEqual(Object.fromEntries(await via.client.offsets(topics.linger, [0, 1], 'latest')), { 0: 34, 1: 30 })
  })
})
