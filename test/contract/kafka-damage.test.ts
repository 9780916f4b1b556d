import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { connectKafka } from '../../core/kafka/client.js'
import { testTopics } from '../support/kafka.js'
import { type Meddle, behindProxy, COUNT, texts } from '../support/kafka-proxy.js'
import { consume } from '../support/kafka-records.js'

const PRODUCE = 0
const FETCH = 1
const METADATA = 3
const text = (value: string | null): string => Buffer.from(value!, 'hex').toString()

describe('Kafka: damage on the way', function () {
  this.timeout(180_000)
  const via = behindProxy()

  it('of one answer costs nothing: it is fetched again', async () => {
    const topic = await via.filled()
    let hits = 0
    via.proxy.meddle = (api, frame) => {
      if (api === FETCH && frame.length > 10_000 && hits++ === 0) frame[frame.length >> 1]! ^= 1
      return frame
    }
    const { records, skipped } = await consume(via.client, topic, COUNT)
    assert.ok(hits >= 1)
    assert.deepEqual(skipped, {})
    assert.deepEqual(
      records.map(({ value }) => text(value)),
      texts
    )
  })

  it('that stays costs the batch that has it, counted by reason', async () => {
    const topic = await via.filled()
    const target = Buffer.from('value 1234 of')
    via.proxy.meddle = (api, frame) => {
      const at = api === FETCH ? frame.indexOf(target) : -1
      if (at >= 0) frame[at]! ^= 1
      return frame
    }
    const { records, skipped } = await consume(via.client, topic, COUNT)
    assert.deepEqual(skipped, { crc: 1 })
    assert.deepEqual(
      records.map(({ value }) => text(value)),
      texts.filter((_, i) => i < 1200 || i >= 1300)
    )
    // One who has said so gets it all, damaged as it is
    const { settings } = via.client.cluster
    const trusting = connectKafka({ brokers: settings.brokers.map(({ host, port }) => `${host}:${port}`), check_crcs: false }) // prettier-ignore
    try {
      const all = await consume(trusting, topic, COUNT)
      assert.deepEqual([all.records.length, all.skipped], [COUNT, {}])
      assert.notEqual(text(all.records[1234]!.value), texts[1234])
    } finally {
      await trusting.close()
    }
  })

  it('of a place in the log leads nowhere', async () => {
    const topic = await via.filled()
    const target = Buffer.from('value 1200 of')
    let hits = 0
    via.proxy.meddle = (api, frame) => {
      const at = api === FETCH ? frame.indexOf(target) : -1
      // The first record's value lies 7 bytes after the header of 61.
      if (at >= 0 && hits++ < 2) frame.writeInt32BE(77, at - 68)
      return frame
    }
    const { records, skipped } = await consume(via.client, topic, COUNT)
    assert.equal(hits, 3)
    assert.deepEqual(skipped, {})
    assert.equal(records.length, COUNT)
  })

  const nonsense: [string, Meddle][] = [
    ['a cut connection', () => null],
    ['a length of 2 GB', (_, frame) => (frame.writeInt32BE(0x7fffffff, 0), frame)],
    ['a length of 1 GB that never comes', (_, frame) => (frame.writeInt32BE(1 << 30, 0), frame)],
    ['a negative length', (_, frame) => (frame.writeInt32BE(-5, 0), frame)],
    ['the answer to another question', (_, frame) => (frame.writeInt32BE(77_777, 4), frame)],
    ['an array without end', (_, frame) => (frame.writeInt32BE(0x7fffffff, 12), frame)],
    ['an empty answer', (_, frame) => (frame.writeInt32BE(4, 0), frame.subarray(0, 8))],
    ['half an answer', (_, frame) => {
        const half = frame.subarray(0, 8 + ((frame.length - 8) >> 1))
        half.writeInt32BE(half.length - 4, 0)
        return half
    }] // prettier-ignore
  ]
  for (const [what, change] of nonsense)
    it(`is survived by readers and producers: ${what}`, async () => {
      const { topic } = await testTopics(['topic'], { brokers: via.brokers })
      const left = new Map([PRODUCE, FETCH, METADATA].map((api) => [api, 2]))
      via.proxy.meddle = (api, frame) => {
        const n = left.get(api) ?? 0
        if (n === 0) return frame
        left.set(api, n - 1)
        return change(api, frame)
      }
      const producer = via.client.producer({ lingerMs: 1 })
      const acknowledged: number[] = []
      for (let i = 0; i < 100; i++)
        producer.send({ topic, value: texts[i]! }, (error) => {
          assert.equal(error, null)
          acknowledged.push(i)
        })
      await producer.flush()
      const { records, skipped } = await consume(via.client, topic, 100)
      assert.deepEqual(
        records.map(({ value }) => text(value)),
        texts.slice(0, 100)
      )
      assert.deepEqual(skipped, {})
      assert.equal(acknowledged.length, 100)
      assert.deepEqual([...left.values()], [0, 0, 0])
    })

  it('ends in a clear error where no answer ever makes sense', async () => {
    via.proxy.meddle = (_, frame) => {
      frame.writeInt32BE(-5, 0)
      return frame
    }
    const short = connectKafka({ brokers: [via.proxy.address], timeout_ms: 300 })
    await assert.rejects(short.topics(['x']), {
      code: 'KAFKA_UNREACHABLE',
      message: /127\.0\.0\.1:\d+ does not speak the Kafka protocol \(or wants TLS\)/
    })
    await short.close()
  })

  it('leaves nothing behind: sockets, timers and listeners end with the client', async () => {
    const topic = await via.filled(3)
    const busy = (): string[] => process.getActiveResourcesInfo().filter((name) => /Timeout|TCPSocketWrap/.test(name))
    await via.client.close()
    await via.proxy.idle()
    const before = busy().length
    const { signal } = new AbortController()
    const other = connectKafka({ brokers: [via.proxy.address] })
    const assign = [{ topic, partition: 0, offset: 0 }]
    for (let i = 0; i < 5; i++) {
      const reader = other.reader({ assign, signal })
      await reader.next()
      await reader.close()
    }
    const waiting = other.reader({ assign: [{ topic, partition: 0, offset: COUNT }], signal })
    const nothing = [waiting.poll(60_000), waiting.next()]
    const missing = other.reader({ assign: [{ topic: 'no-such-topic', partition: 0, offset: 0 }] })
    const producer = other.producer({ lingerMs: 60_000, deliveryTimeoutMs: 60_000 })
    const lost = new Promise((resolve) => producer.send({ topic, value: 'x' }, resolve))
    await other.close()
    assert.deepEqual(await Promise.all([...nothing, missing.next(), lost]), [null, null, null, null])
    await via.proxy.idle()
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    assert.ok(busy().length <= before, `${busy().join(' ')}, before there were ${before}`)
  })

  it('or not: no more is fetched than may be held', async () => {
    const { big } = await testTopics(['big'], { brokers: via.brokers, partitions: 2 })
    const value = Buffer.alloc(10_000, 7)
    // Small batches: little is wasted on those that are cut off at the end of an answer.
    const producer = via.client.producer({ maxBatchBytes: 10_500 })
    for (let i = 0; i < 1200; i++) producer.send({ topic: big, partition: i % 2, value })
    await producer.flush()
    let fetched = 0
    via.proxy.meddle = (api, frame) => {
      if (api === FETCH) fetched += frame.length
      return frame
    }
    const maxBytes = 1 << 20
    const assign = [0, 1].map((partition) => ({ topic: big, partition, offset: 0 }))
    const reader = via.client.reader({ assign, maxBytes })
    const held: Awaited<ReturnType<typeof reader.next>>[] = []
    let released = 0
    for (let n = 0; n < 1200;) {
      const batch = await reader.poll(held.length > 0 ? 50 : 10_000)
      // Nothing comes while too much is held: give back the older half.
      if (batch) held.push(batch)
      else
        held
          .splice(0, (held.length + 1) >> 1)
          .forEach((one) => ((released += one!.count * value.length), one!.release()))
      n += batch?.count ?? 0
      assert.ok(fetched - released < 4.5 * maxBytes, `${fetched - released} bytes are held`)
    }
    held.forEach((batch) => batch!.release())
    await reader.close()
  })
})
