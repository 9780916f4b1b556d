// What happens to topics while a job reads them: made again, widened, deleted, transactions; the report accounts for it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import kafkajs, { type Admin, type Kafka } from 'kafkajs'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { connectKafka } from '../../core/kafka/client.js'
import { loadPlugins } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { widenTopic } from '../support/topics.js'
import { WatchedJob } from '../support/watched-job.js'
import { entry, group, Harness, type Json, reportOf } from './harness.js'

const MINUTE = 60_000
const numbers = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => from + i)

for (const fetch_threads of [0, 2])
  describe(`topics that change under a job, ${fetch_threads} fetch threads`, function () {
    this.timeout(120_000)
    let h: Harness
    let other: Kafka
    let admin: Admin
    /** Each message has a time of its own, in the last minute. */
    let clockMs = Date.now() - MINUTE
    before(async () => {
      h = await Harness.start({ max_jobs: 4, late_data_ms: 500, fetch_threads })
      other = new kafkajs.Kafka({ brokers: (await kafka()).brokers, logLevel: kafkajs.logLevel.NOTHING })
      admin = other.admin()
      await admin.connect()
    })
    after(async () => {
      await admin?.disconnect()
      await h?.close()
    })

    async function begin(topic: string, window: Json): Promise<string> {
      const id = randomUUID()
      const structure = entry(group('pv', 'f144', topic, 'pv'))
      const reply = await h.start({ job_id: id, file_name: `${id}.nxs`, nexus_structure: structure, ...window })
      assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
      return id
    }
    const stop = (id: string): Promise<Json> => h.control.send({ cmd: 'stop', service: 'filewriter', job_id: id })
    async function values(id: string): Promise<number[]> {
      const content = await readNexus(join(h.folder, `${id}.nxs`), ['entry/pv/value'])
      return (content['entry/pv/value'] as number[]).toSorted((a, b) => a - b)
    }
    async function send(topic: string, list: readonly number[], partition = 0): Promise<void> {
      for (const value of list) h.log(topic, 'pv', clockMs++, value, partition)
      await h.producer.flush()
    }
    const remake = async (topic: string): Promise<void> => {
      await admin.deleteTopics({ topics: [topic] })
      await create(topic)
    }
    async function create(topic: string): Promise<void> {
      for (;;) {
        const topics = [{ topic, numPartitions: 1, replicationFactor: 1 }]
        // Its deletion may still be under way
        if (await admin.createTopics({ waitForLeaders: false, topics }).catch(() => false)) return
      }
    }

    for (const [what, n] of [
      ['longer', 180],
      ['shorter', 60]
    ] as const)
      it(`made again during a job, ${what}: all of both is written, and the report names it`, async () => {
        const { made: topic } = await testTopics(['made'])
        const id = await begin(topic, { start_time: clockMs })
        await send(topic, numbers(100))
        await h.written(id, 100)
        await remake(topic)
        await send(topic, numbers(n, 1000))
        await h.written(id, 100 + n)
        await stop(id)
        const report = reportOf(await h.done(id))
        assert.deepEqual(await values(id), [...numbers(100), ...numbers(n, 1000)])
        assert.match(String(report.notes), /made-.* was deleted and made again during the job/)
        assert.equal(report.lost, false)
      })

    it('deleted during a job: what was read is in the file, and the job says so and ends', async () => {
      const { gone } = await testTopics(['gone'])
      const id = await begin(gone, { start_time: clockMs })
      await send(gone, numbers(10))
      await h.written(id, 10)
      await admin.deleteTopics({ topics: [gone] })
      await stop(id)
      const report = reportOf(await h.done(id))
      assert.deepEqual(await values(id), numbers(10))
      assert.match(String(report.problems), /gone-.* was deleted during the job/)
      assert.equal(report.lost, true)
      await create(gone) // For those who clean up
    })

    it('deleted while its end is sought: the job says so, and has all of its other topics', async () => {
      const { gone, other: kept } = await testTopics(['gone', 'other'])
      const startMs = clockMs
      for (const topic of [gone, kept]) await send(topic, numbers(10))
      const client = connectKafka({ brokers: (await kafka()).brokers })
      const loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
      let isEnding = false
      const offsets: typeof client.offsets = async (topic, ...more) => {
        if (isEnding && topic === gone) await admin.deleteTopics({ topics: [gone] }).catch(() => undefined)
        return client.offsets(topic, ...more)
      }
      const meddling = new Proxy(client, {
        get: (target, name) => {
          const value: unknown = name === 'offsets' ? offsets : Reflect.get(target, name, target)
          return typeof value === 'function' && name !== 'offsets' ? (value.bind(target) as unknown) : value
        }
      })
      const structure = entry(group('a', 'f144', gone, 'pv'), group('b', 'f144', kept, 'pv'))
      const parts = lookupOf(loaded.host)
      const job = WatchedJob.start(meddling, { parts, folder: h.folder, structure, startMs, stopMs: null })
      await job.until(
        'both were read',
        (handed) => handed.reduce((sum, { offsets: list }) => sum + list.length, 0) === 20
      )
      isEnding = true
      await send(kept, numbers(10, 10))
      job.stop()
      const end = await job.done
      assert.deepEqual(end.report?.problems, [`${gone} was deleted during the job`])
      const content = await readNexus(end.file, ['entry/a/value', 'entry/b/value'])
      assert.deepEqual(content, { 'entry/a/value': numbers(10), 'entry/b/value': numbers(20) })
      await create(gone) // For those who clean up
      await client.close()
      await loaded.close()
    })

    it('widened during a job: the new partitions are read from their beginning, also those of the last moment', async () => {
      const { wide } = await testTopics(['wide'])
      const id = await begin(wide, { start_time: clockMs })
      await send(wide, numbers(10))
      await h.written(id, 10)
      await widenTopic(wide, 2)
      await send(wide, numbers(100, 1000), 1)
      await h.written(id, 110)
      await widenTopic(wide, 3)
      await send(wide, numbers(100, 2000), 2)
      await stop(id)
      const report = reportOf(await h.done(id))
      assert.deepEqual(await values(id), [...numbers(10), ...numbers(100, 1000), ...numbers(100, 2000)])
      assert.equal(report.lost, false)
    })

    it('emptied before a job from the past, or in part: lost', async () => {
      const { none, some } = await testTopics(['none', 'some'])
      const t0 = Date.now() - 10 * MINUTE
      for (const topic of [none, some]) for (const i of numbers(100)) h.log(topic, 'pv', t0 + i * 1000, i)
      await h.producer.flush()
      for (const topic of [none, some]) await admin.fetchTopicOffsets(topic) // kafkajs must know it
      await admin.deleteTopicRecords({ topic: none, partitions: [{ partition: 0, offset: '100' }] })
      await admin.deleteTopicRecords({ topic: some, partitions: [{ partition: 0, offset: '40' }] })
      const window = { start_time: t0, stop_time: t0 + MINUTE }
      const [a, b] = [await begin(none, window), await begin(some, window)]
      const [first, second] = [reportOf(await h.done(a)), reportOf(await h.done(b))]
      assert.match(String(first.problems), /all 100 messages of none-.* have been deleted by Kafka/)
      assert.match(String(second.problems), /of some-.* Kafka has nothing from before .* any more/)
      assert.deepEqual([first.lost, second.lost], [true, true])
      assert.deepEqual(await values(b), numbers(21, 40))
    })

    it('behind a transaction that is open: counted, and lost; what was aborted is nobody\u2019s', async () => {
      const { open } = await testTopics(['open'])
      const t0 = Date.now() - 2 * MINUTE
      const producer = other.producer({ transactionalId: randomUUID(), maxInFlightRequests: 1, idempotent: true })
      await producer.connect()
      const message = (value: number): { value: Buffer; timestamp: string } => {
        const timestampNs = BigInt(t0 + value) * 1_000_000n
        const bytes = logF144.encode({ source: 'pv', timestampNs, dtype: 'float64', value })
        return { value: Buffer.from(bytes), timestamp: String(t0 + value) }
      }
      const transact = async (list: readonly number[], topic = open) => {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: list.map(message) })
        return transaction
      }
      await (await transact(numbers(10))).commit()
      await (await transact(numbers(10, 10))).abort()
      const left = await transact(numbers(10, 20))
      for (const i of numbers(10, 30)) h.log(open, 'pv', t0 + i, i)
      await h.producer.flush()
      const window = { start_time: t0, stop_time: t0 + MINUTE }
      const id = await begin(open, window)
      const report = reportOf(await h.done(id))
      assert.deepEqual(await values(id), numbers(10))
      assert.deepEqual(report.topics[0]?.bad, { open_transaction: 20 })
      assert.equal(report.lost, true)
      await left.commit()
      const again = await begin(open, window)
      const whole = reportOf(await h.done(again))
      assert.deepEqual(await values(again), [...numbers(10), ...numbers(20, 20)])
      assert.equal(whole.lost, false)
      // Left are what was aborted and the end of a transaction, which no reader gets
      const { gone } = await testTopics(['gone'])
      await (await transact(numbers(10), gone)).commit()
      await (await transact(numbers(10, 10), gone)).abort()
      await admin.fetchTopicOffsets(gone) // kafkajs must know it
      await admin.deleteTopicRecords({ topic: gone, partitions: [{ partition: 0, offset: '10' }] })
      const emptied = reportOf(await h.done(await begin(gone, window)))
      assert.match(String(emptied.problems), /all 10 messages of gone-.* have been deleted by Kafka/)
      assert.equal(emptied.lost, true)
      await producer.disconnect()
    })
  })
