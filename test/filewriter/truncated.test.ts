// A partition loses its only leader and one that was behind takes over: what was read and is gone, and what never came, is told.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Batch, type Reader } from '../../core/api/kafka.js'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { loadPlugins, type Loaded } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { type JobEnd } from '../../plugins/service-filewriter/thread/protocol.js'
import { type RunningKafka, startKafka } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { withAdmin } from '../support/topics.js'
import { WatchedJob } from '../support/watched-job.js'
import { entry, group } from './harness.js'

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

/** Both have the first ones; the leader alone the next; those that take their place are other ones. */
const BOTH = 100
const LEADER = 150
const NEW = 30

describe('a partition whose leader is lost with what it alone had', function () {
  this.timeout(240_000)
  let running: RunningKafka
  let client: KafkaClient
  let loaded: Loaded
  let folder: string
  const startMs = Date.now() - 600_000

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-truncated-'))
    loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    const properties = { 'broker.session.timeout.ms': 4000, 'broker.heartbeat.interval.ms': 800 }
    running = await startKafka({ own: true, brokers: 3, properties })
    client = connectKafka({ brokers: running.brokers })
  })
  after(async () => {
    await client?.close()
    await running?.stop()
    await loaded?.close()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  /** On brokers 2 and 3; the first quorum of controllers is broker 1 with one of them. */
  async function create(): Promise<string> {
    const topic = `lost-${randomBytes(4).toString('hex')}`
    const configEntries = [
      { name: 'unclean.leader.election.enable', value: 'true' },
      { name: 'min.insync.replicas', value: '1' }
    ]
    const replicaAssignment = [{ partition: 0, replicas: [2, 3] }]
    const topics = [{ topic, replicaAssignment, configEntries }]
    await withAdmin((admin) => admin.createTopics({ topics }), running.brokers)
    return topic
  }
  /** Each value is the number of its message and tells its time. */
  async function send(topic: string, list: readonly number[], from = client): Promise<void> {
    const producer = from.producer({ lingerMs: 0, maxBatchBytes: 400 })
    for (const value of list) {
      const timestampNs = BigInt(startMs + value) * 1_000_000n
      const message = logF144.encode({ source: 'pv', timestampNs, dtype: 'float64', value })
      producer.send({ topic, partition: 0, value: message, timestampMs: startMs + value })
    }
    await producer.flush() // However long it takes while a broker is frozen
    await producer.close()
  }
  async function led(topic: string, by: number, asked = client): Promise<void> {
    for (;;) {
      const { partitions } = await asked.cluster.topic(topic)
      if (partitions[0]?.leader === by) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  interface Heard {
    readonly offsets: number[]
    readonly truncated: Batch['truncated'][]
    next: number
  }
  async function hear(reader: Reader, heard: Heard, isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      const batch = await reader.next()
      assert.ok(batch)
      heard.offsets.push(...numbers(0, batch.count).map((i) => batch.offset(i)))
      if (batch.truncated !== undefined) heard.truncated.push(batch.truncated)
      heard.next = batch.nextOffset
      batch.release()
    }
  }
  const nothing = (): Heard => ({ offsets: [], truncated: [], next: 0 })
  const watched = (topic: string): WatchedJob => {
    const structure = entry(group('pv', 'f144', topic, 'pv'))
    return WatchedJob.start(client, { parts: lookupOf(loaded.host), folder, structure, startMs, stopMs: null })
  }
  const values = async ({ file }: JobEnd): Promise<unknown> =>
    (await readNexus(file, ['entry/pv/value']))['entry/pv/value']

  it('is read on where both logs part, by readers and jobs at any place; each says what is gone', async () => {
    const topic = await create()
    await led(topic, 2)
    await send(topic, numbers(0, BOTH))
    await running.kill9(2)
    await send(topic, numbers(BOTH, LEADER))
    const [live, stopped] = [watched(topic), watched(topic)]
    // One that stands before the place where the logs part and one behind it: fetched ahead is little
    const place = { topic, partition: 0, offset: 0 }
    const [early, late] = [120, 120].map((maxBytes) => client.reader({ assign: [place], maxBytes })) as [Reader, Reader]
    const [heardEarly, heardLate] = [nothing(), nothing()]
    await hear(early, heardEarly, () => heardEarly.next >= 10)
    await hear(late, heardLate, () => heardLate.next >= BOTH + 20)
    for (const one of [live, stopped])
      await one.until('all was read', (handed) => handed.some(({ nextOffset }) => nextOffset === LEADER))

    await running.kill9(1)
    stopped.stop() // Its ends are those of the new leader
    await running.restart(2)
    await led(topic, 3)
    await send(topic, numbers(1000, 1000 + NEW))

    await live.until('the new ones were read', (handed) => handed.at(-1)?.nextOffset === BOTH + NEW)
    live.stop()
    const end = await live.done
    assert.deepEqual(await values(end), [...numbers(0, LEADER), ...numbers(1000, 1000 + NEW)])
    assert.deepEqual(end.report?.topics[0]?.bad, { truncated: LEADER - BOTH })
    assert.equal(end.report?.verdict, 'warnings', 'all that was ever there is in the file')
    assert.match(end.message, /50 truncated \(messages that were read, are not in Kafka any more/)

    const other = await stopped.done
    assert.deepEqual(((await values(other)) as number[]).slice(0, LEADER), numbers(0, LEADER))
    assert.deepEqual(other.report?.topics[0]?.bad, { truncated: LEADER - BOTH })

    for (const [reader, heard] of [
      [early, heardEarly],
      [late, heardLate]
    ] as const) {
      await hear(reader, heard, () => heard.next === BOTH + NEW && heard.truncated.length > 0)
      await reader.close()
      const [lost] = heard.truncated
      assert.ok(lost)
      const before = heard.offsets.length - NEW
      // Those that it had, each once; the others are counted; then the new ones
      assert.deepEqual(heard.offsets, [...numbers(0, before), ...numbers(BOTH, BOTH + NEW)])
      assert.deepEqual(lost, { at: BOTH, read: Math.max(0, before - BOTH), unread: LEADER - Math.max(BOTH, before) })
    }
    assert.ok(heardLate.offsets.length >= BOTH + 20 + NEW)
    await running.restart(1)
  })

  it('ends where the new leader ends, though the old one was frozen when it was asked, and answers as if it still led', async () => {
    // Another client, so that the job's own does not learn from it who leads
    const others = connectKafka({ brokers: running.brokers })
    try {
      const topic = await create()
      await led(topic, 2)
      await send(topic, numbers(0, BOTH))
      const job = watched(topic)
      await job.until('all was read', (handed) => handed.at(-1)?.nextOffset === BOTH)
      await running.freeze(1)
      await led(topic, 3, others)
      await send(topic, numbers(BOTH, LEADER), others)
      job.stop()
      await running.thaw(1)
      const end = await job.done
      assert.deepEqual(await values(end), numbers(0, LEADER))
      assert.equal(end.report?.verdict, 'complete', end.message)
    } finally {
      await others.close()
    }
  })
})
