import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { type KafkaOptions } from '../../core/kafka/options.js'
import { listTopics, provision } from '../support/administration.js'
import { type RunningKafka, startKafka, testTopics } from '../support/kafka.js'
import { consume, pythonConsume } from '../support/kafka-records.js'

/** How long the broker is away, and about how much of it is its start. */
const OUTAGE_MS = 30_000
const BROKER_START_MS = 5000
const user = { username: 'nx', password: 'pass word 1' }

describe('Kafka: a broker of its own', function () {
  this.timeout(240_000)
  let running: RunningKafka
  before(async () => {
    running = await startKafka({ own: true, sasl: user, tls: true })
  })
  after(() => running?.stop())

  describe('lets in', () => {
    const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512']
    const there = async (options: KafkaOptions): Promise<void> => {
      const { topic } = await testTopics(['topic'], { brokers: running.brokers })
      const client = connectKafka({ timeout_ms: 20_000, ...options })
      const producer = client.producer()
      const value = Buffer.alloc(300_000, 'x') // More than one TLS record
      for (let i = 0; i < 10; i++) producer.send({ topic, value, key: String(i) })
      await producer.flush()
      const { records } = await consume(client, topic, 10)
      assert.ok(records.length === 10 && records.every((record) => record.value === value.toString('hex')))
      await client.close()
      const made = `${topic}-made`
      const actions = []
      for (const partitions of [1, 2]) actions.push(...(await provision(options, [{ name: made, partitions }])))
      assert.deepEqual(actions.map(({ action }) => action), ['created', 'changed']) // prettier-ignore
      assert.equal((await listTopics(options)).find(({ name }) => name === made)?.partitions.length, 2)
    }
    const refused = async (options: KafkaOptions, message: RegExp): Promise<void> => {
      const client = connectKafka({ timeout_ms: 20_000, ...options })
      await assert.rejects(client.topics(['x']), { code: 'KAFKA_AUTH', message })
      const producer = client.producer()
      const lost = new Promise<Error | null>((resolve) => producer.send({ topic: 'x', value: 'x' }, resolve))
      assert.match(String(await lost), message)
      await assert.rejects(producer.close(), { code: 'KAFKA_AUTH' })
      const reader = client.reader({ assign: [{ topic: 'x', partition: 0, offset: 0 }] })
      await assert.rejects(reader.next(), { code: 'KAFKA_AUTH', message })
      await client.close()
      await assert.rejects(provision(options, [{ name: 'x' }]), { code: 'KAFKA_AUTH', message })
    }

    for (const mechanism of mechanisms)
      it(`who knows the password: ${mechanism}, and nobody else`, async () => {
        const brokers = running.listener('sasl')
        await there({ brokers, sasl: { mechanism, ...user } })
        const wrong = { ...user, password: 'wrong' }
        await refused({ brokers, sasl: { mechanism, ...wrong } }, /refused user nx: Authentication failed/)
      })
    it('whom TLS trusts, both ways', async () => {
      const brokers = running.listener('ssl')
      await there({ brokers, ssl: { ca_file: running.certificate } })
      await there({
        brokers,
        ssl: { ca_file: running.certificate, cert_file: running.certificate, key_file: running.key }
      })
      await there({ brokers, ssl: { verify: false } })
      await refused({ brokers, ssl: true }, /TLS: the certificate of 127\.0\.0\.1:\d+ is not trusted: self/)
      const servername = 'elsewhere.example'
      await refused({ brokers, ssl: { ca_file: running.certificate, servername } }, /not trusted: .*elsewhere/)
    })
    it('SASL over TLS, in the words of librdkafka', async () => {
      for (const mechanism of mechanisms)
        await there({
          'bootstrap.servers': running.listener('sasl_ssl').join(','),
          'security.protocol': 'SASL_SSL',
          'sasl.mechanisms': mechanism.toUpperCase(),
          'sasl.username': user.username,
          'sasl.password': user.password,
          'ssl.ca.pem': await readFile(running.certificate, 'utf8')
        })
    })
    it('and says which door is the wrong one', async () => {
      const at = async (options: KafkaOptions, message: RegExp): Promise<void> => {
        const client = connectKafka({ timeout_ms: 500, connect_timeout_ms: 1500, ...options })
        await assert.rejects(client.topics(['x']), (error: Error) => (assert.match(error.message, message), true))
        await client.close()
      }
      const sasl = { mechanism: 'plain', ...user }
      await at({ brokers: running.listener('sasl') }, /does it want TLS or SASL\?/)
      await at({ brokers: running.listener('ssl') }, /does it want TLS or SASL\?|or wants TLS/)
      await at({ brokers: running.brokers, sasl }, /SASL|closed the connection/)
      await at({ brokers: running.brokers, ssl: { verify: false } }, /is TLS spoken there\?/)
    })
  })

  it('is killed under load and comes back after 30 s: nothing acknowledged is lost, order kept, nothing twice', async () => {
    const { topic } = await testTopics(['topic'], { brokers: running.brokers, partitions: 2 })
    const client: KafkaClient = connectKafka({ brokers: running.brokers })
    const producer = client.producer({ lingerMs: 2, maxBufferedBytes: 1 << 20, maxBatchBytes: 20_000 })
    const reader = client.reader({ assign: [0, 1].map((partition) => ({ topic, partition, offset: 0 })) })
    const sent = [0, 0]
    const acknowledged: number[][] = [[], []]
    const read: number[][] = [[], []]
    let stop = false
    let waiting = false
    let full = (): void => undefined
    let arrived = (): void => undefined
    const reading = (async () => {
      for (let batch = await reader.next(); batch; batch = await reader.next()) {
        for (let i = 0; i < batch.count; i++)
          read[batch.partition]!.push(Number(batch.value(i)!.toString('latin1', 0, 9)))
        batch.release()
        arrived()
      }
    })()
    const sending = (async () => {
      while (!stop) {
        for (const partition of [0, 1]) {
          const n = sent[partition]!++
          const value = String(n).padStart(9, '0').padEnd(200)
          const room = producer.send({ topic, partition, value }, (error, offset) => {
            assert.equal(error, null)
            acknowledged[partition]![n] = offset
          })
          if (room) continue
          waiting = true
          full()
          await producer.drained()
          waiting = false
        }
        if (sent[0]! % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const until = (count: number): Promise<void> =>
      new Promise((resolve) => {
        arrived = () => read[0]!.length >= count && read[1]!.length >= count && resolve()
        arrived()
      })
    await until(2000)
    await running.kill9(0)
    while (!waiting) await new Promise<void>((resolve) => (full = resolve)) // All that may wait waits
    const before = read.map((list) => list.length)
    const killedMs = Date.now()
    // As long as a real outage: connections and requests run into their time limits, pauses between attempts are at their longest.
    await sleep(OUTAGE_MS - BROKER_START_MS)
    assert.ok(producer.bufferedBytes > 1 << 19, 'what was not acknowledged waits')
    const next = until(Math.max(...before) + 1)
    await running.restart(0)
    const readyMs = Date.now()
    // Someone who comes new, for comparison: on a busy machine everything takes longer.
    const fresh = (async () => {
      const other = connectKafka({ brokers: running.brokers })
      await consume(other, topic, 1)
      await other.close()
      return Date.now()
    })()
    await next
    const resumedMs = Date.now()
    const freshMs = await fresh
    assert.ok(resumedMs - freshMs <= 2000, `reading again ${resumedMs - freshMs} ms after a new reader`)
    await until(Math.max(...read.map((list) => list.length)) + 2000)
    stop = true
    await sending
    await producer.close()
    await until(Math.max(...sent))
    await client.close()
    await reading
    process.stdout.write(
      `      broker away for ${readyMs - killedMs} ms, reading again ${resumedMs - readyMs} ms after that (a new reader: ${freshMs - readyMs} ms); ${sent[0]! + sent[1]!} messages\n`
    )
    for (const partition of [0, 1]) {
      const all = Array.from({ length: sent[partition]! }, (_, n) => n)
      assert.deepEqual(read[partition], all, 'read while it happened')
      assert.equal(acknowledged[partition]!.length, all.length)
      const log = await pythonConsume(running.brokers, topic, all.length, partition)
      assert.deepEqual(
        log.map(({ value }) => Number(Buffer.from(value!, 'hex').toString('latin1', 0, 9))),
        all,
        'in the log'
      )
      acknowledged[partition]!.forEach((offset, n) => assert.ok(offset === n || offset === -1))
    }
    const ends = await (async () => {
      const other = connectKafka({ brokers: running.brokers })
      const found = await other.offsets(topic, [0, 1], 'latest')
      await other.close()
      return [found.get(0), found.get(1)]
    })()
    assert.deepEqual(ends, sent)
  })
})
