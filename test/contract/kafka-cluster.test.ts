import assert from 'node:assert/strict'
import { connectKafka } from '../../core/kafka/client.js'
import { type RunningKafka, startKafka, testTopics } from '../support/kafka.js'

describe('Kafka: three brokers', function () {
  this.timeout(240_000)
  let running: RunningKafka
  before(async () => {
    running = await startKafka({
      ...{ own: true, brokers: 3 },
      properties: { 'broker.session.timeout.ms': 4000, 'broker.heartbeat.interval.ms': 800 }
    })
  })
  after(() => running?.stop())

  it('when the leader is killed, another takes over: nothing acknowledged is lost, order kept, nothing twice', async () => {
    const config = { 'min.insync.replicas': '2' }
    const { topic } = await testTopics(['topic'], { brokers: running.brokers, replication: 3, config })
    const client = connectKafka({ brokers: running.brokers })
    const producer = client.producer({ lingerMs: 2, maxBufferedBytes: 1 << 20, maxBatchBytes: 20_000 })
    const reader = client.reader({ assign: [{ topic, partition: 0, offset: 0 }] })
    const read: number[] = []
    const acknowledged: number[] = []
    let arrived = (): void => undefined
    let stop = false
    let sent = 0
    const reading = (async () => {
      for (let batch = await reader.next(); batch; batch = await reader.next()) {
        for (let i = 0; i < batch.count; i++) read.push(Number(batch.value(i)!.toString('latin1', 0, 9)))
        batch.release()
        arrived()
      }
    })()
    const sending = (async () => {
      while (!stop) {
        const n = sent++
        const room = producer.send({ topic, value: String(n).padStart(9, '0').padEnd(200) }, (error, offset) => {
          assert.equal(error, null)
          acknowledged[n] = offset
        })
        if (!room) await producer.drained()
        else if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const until = (count: number): Promise<void> =>
      new Promise((resolve) => {
        arrived = () => read.length >= count && resolve()
        arrived()
      })
    const leader = async (): Promise<number> => (await client.cluster.topic(topic)).partitions[0]!.leader
    await until(2000)
    const first = await leader()
    const before = acknowledged.length
    const killedMs = Date.now()
    await running.kill9(first - 1)
    // What can have been under way when the leader died is behind us, and much more.
    await until(read.length + 20_000)
    const lasted = Date.now() - killedMs
    const second = await leader()
    assert.notEqual(second, first)
    assert.ok(acknowledged.length > before)
    stop = true
    await sending
    await producer.close()
    await until(sent)
    process.stdout.write(`      20,000 more messages read ${lasted} ms after the kill; leader ${first} → ${second}\n`)
    assert.deepEqual(
      read,
      Array.from({ length: sent }, (_, n) => n)
    )
    assert.equal(acknowledged.length, sent)
    acknowledged.forEach((offset, n) => assert.ok(offset === n || offset === -1, `message ${n} at ${offset}`))
    assert.equal((await client.offsets(topic, [0], 'latest')).get(0), sent)

    // With one replica left, acks=all must not be given; it is given again when a second is back.
    await running.kill9(second - 1)
    const late = client.producer({ lingerMs: 0 })
    let offset: number | undefined
    const delivered = new Promise<void>((resolve, reject) =>
      late.send({ topic, value: 'late' }, (error, at) => {
        offset = at
        if (error) reject(error)
        else resolve()
      })
    )
    await Promise.all([running.restart(first - 1), running.restart(second - 1)])
    await delivered
    assert.equal(offset, sent)
    await client.close()
    await reading
  })
})
