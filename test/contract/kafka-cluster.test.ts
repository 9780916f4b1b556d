import assert from 'node:assert/strict'
import kafkajs from 'kafkajs'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { type RunningKafka, startKafka, testTopics } from '../support/kafka.js'

/** Numbers messages through one producer into several partitions and reads them through one reader, all the while. */
class Traffic {
  readonly read: number[][]
  readonly acknowledged: number[][]
  readonly sent: number[]
  readonly #reading: Promise<void>
  readonly #sending: Promise<void>
  readonly #producer
  readonly #places: readonly { readonly topic: string; readonly partition: number }[]
  #arrived = (): void => undefined
  #stop = false

  constructor(client: KafkaClient, topics: readonly string[], partitions: number) {
    this.#places = topics.flatMap((topic) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    )
    this.read = this.#places.map(() => [])
    this.acknowledged = this.#places.map(() => [])
    this.sent = this.#places.map(() => 0)
    this.#producer = client.producer({ lingerMs: 2, maxBufferedBytes: 2 << 20, maxBatchBytes: 20_000 })
    this.#reading = this.#readAll(client)
    this.#sending = this.#sendAll()
  }

  /** Resolves when so many more have been read from each partition. */
  async more(count: number): Promise<void> {
    const wanted = this.read.map((list) => list.length + count)
    await this.#until(() => this.read.every((list, i) => list.length >= wanted[i]!))
  }

  /** Ends sending, then reading when all has come, and checks that all was read, once and in order. */
  async check(client: KafkaClient): Promise<void> {
    this.#stop = true
    await this.#sending
    await this.#producer.close()
    await this.#until(() => this.read.every((list, i) => list.length >= this.sent[i]!))
    for (const [i, { topic, partition }] of this.#places.entries()) {
      const n = this.sent[i]!
      assert.deepEqual(
        this.read[i],
        Array.from({ length: n }, (_, k) => k)
      )
      assert.equal(this.acknowledged[i]!.length, n)
      this.acknowledged[i]!.forEach((at, k) => assert.ok(at === k || at === -1, `message ${k} at ${at}`))
      assert.equal((await client.offsets(topic, [partition], 'latest')).get(partition), n)
    }
  }

  /** After the client is closed. */
  get ended(): Promise<void> {
    return this.#reading
  }

  #until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = () => done() && resolve()
      this.#arrived()
    })
  }

  async #readAll(client: KafkaClient): Promise<void> {
    const index = new Map(this.#places.map(({ topic, partition }, i) => [`${topic}/${partition}`, i]))
    const reader = client.reader({ assign: this.#places.map((place) => ({ ...place, offset: 0 })) })
    for (let batch = await reader.next(); batch; batch = await reader.next()) {
      const list = this.read[index.get(`${batch.topic}/${batch.partition}`)!]!
      for (let i = 0; i < batch.count; i++) list.push(Number(batch.value(i)!.toString('latin1', 0, 9)))
      batch.release()
      this.#arrived()
    }
  }

  async #sendAll(): Promise<void> {
    for (let round = 1; !this.#stop; round++) {
      let room = true
      for (const [i, place] of this.#places.entries()) {
        const n = this.sent[i]!++
        const value = String(n).padStart(9, '0').padEnd(200)
        room = this.#producer.send({ ...place, value }, (error, offset) => {
          assert.equal(error, null)
          this.acknowledged[i]![n] = offset
        })
      }
      if (!room) await this.#producer.drained()
      else if (round % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

describe('Kafka: three brokers', function () {
  this.timeout(240_000)
  let running: RunningKafka
  before(async () => {
    running = await startKafka({
      ...{ own: true, brokers: 3 },
      properties: {
        'broker.session.timeout.ms': 4000,
        'broker.heartbeat.interval.ms': 800,
        // A broker that is back soon leads its partitions again.
        'leader.imbalance.check.interval.seconds': 2,
        'leader.imbalance.per.broker.percentage': 0
      }
    })
  })
  after(() => running?.stop())

  const leadersOf = async (client: KafkaClient, topics: readonly string[]): Promise<number[]> => {
    const all = await Promise.all(topics.map((topic) => client.cluster.topic(topic)))
    return all.flatMap(({ partitions }) =>
      [...partitions].sort((a, b) => a.partition - b.partition).map(({ leader }) => leader)
    )
  }

  it('leaders of several topics change, by a kill and by order: nothing acknowledged is lost, order kept, nothing twice', async () => {
    const config = { 'min.insync.replicas': '2' }
    const topics = Object.values(
      await testTopics(['a', 'b'], { brokers: running.brokers, partitions: 3, replication: 3, config })
    )
    const client = connectKafka({ brokers: running.brokers })
    const first = await leadersOf(client, topics)
    assert.deepEqual([...new Set(first)].sort(), [1, 2, 3], 'one reader and one producer deal with all brokers')
    const traffic = new Traffic(client, topics, 3)
    await traffic.more(1000)
    const victim = first[0]!
    const killedMs = Date.now()
    await running.kill9(victim - 1)
    // What can have been under way when the leader died is behind us, and much more.
    await traffic.more(5000)
    const lasted = Date.now() - killedMs
    const second = await leadersOf(client, topics)
    assert.ok(!second.includes(victim))

    // Leadership goes back while all brokers are up: now they say that they lead no more.
    await running.restart(victim - 1)
    while (!(await leadersOf(client, topics)).includes(victim)) await traffic.more(100)
    await traffic.more(5000)
    await traffic.check(client)
    process.stdout.write(
      `      5,000 more of each of 6 partitions read ${lasted} ms after the kill; leaders ${first.join(' ')} → ${second.join(' ')} → ${(await leadersOf(client, topics)).join(' ')}\n`
    )
    await client.close()
    await traffic.ended
  })

  it('partitions that are added and moved to other brokers are read and written on', async () => {
    const { moved: topic } = await testTopics(['moved'], { brokers: running.brokers, partitions: 2 })
    const client = connectKafka({ brokers: running.brokers })
    const traffic = new Traffic(client, [topic], 2)
    await traffic.more(1000)
    const before = await leadersOf(client, [topic])
    const admin = new kafkajs.Kafka({ brokers: running.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    const partitionAssignment = before.map((leader, partition) => ({ partition, replicas: [(leader % 3) + 1] }))
    await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] })
    await admin.disconnect()
    const now = before.map((leader) => (leader % 3) + 1)
    while ((await leadersOf(client, [topic])).some((leader, i) => leader !== now[i])) await traffic.more(100)
    await traffic.more(1000)
    await traffic.check(client)
    await client.close()
    await traffic.ended
  })

  it('with one replica left, acks=all is not given; it is given again when a second is back', async () => {
    const config = { 'min.insync.replicas': '2' }
    const { few: topic } = await testTopics(['few'], { brokers: running.brokers, replication: 3, config })
    const client = connectKafka({ brokers: running.brokers })
    const producer = client.producer({ lingerMs: 0 })
    const tell = (value: string) =>
      new Promise<number>((resolve, reject) =>
        producer.send({ topic, value }, (error, at) => (error ? reject(error) : resolve(at)))
      )
    assert.equal(await tell('early'), 0)
    const [leader] = await leadersOf(client, [topic])
    const others = [1, 2, 3].filter((id) => id !== leader)
    await running.kill9(others[0]! - 1)
    assert.equal(await tell('two left'), 1)
    await running.kill9(others[1]! - 1)
    const late = tell('late')
    await Promise.all(others.map((id) => running.restart(id - 1)))
    assert.equal(await late, 2)
    await client.close()
  })
})
