// Two brokers of their own for random scripts: what cleans, deletes and looks for expired messages does so at once.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type Admin } from 'kafkajs'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { type Loaded, loadPlugins } from '../../core/loader.js'
import { startThread } from '../../core/thread.js'
import { FetchThreads } from '../../plugins/service-filewriter/thread/fetch/threads.js'
import { lookupOf } from '../../core/lookup.js'
import { type WriterParts } from '../../plugins/service-filewriter/structure/structure.js'
import { until as awaited } from '../support/forwarder/live.js'
import { type RunningKafka, startKafka } from '../support/kafka.js'
import { PATIENCE_MS } from '../support/patience.js'
import { Sender } from './sender.js'

const properties = {
  'log.cleaner.backoff.ms': 100,
  'log.retention.check.interval.ms': 200,
  'log.initial.task.delay.ms': 200,
  'log.segment.delete.delay.ms': 1000
}

/** Waits for what a broker does in its own time. */
export async function until(what: string, isSo: () => Promise<boolean>, mostMs = PATIENCE_MS): Promise<true> {
  await awaited(isSo, mostMs).catch((error: Error) => {
    throw new Error(`${what}: ${error.message}`)
  })
  return true
}

export class Broker {
  readonly fetching: FetchThreads
  readonly folder = mkdtempSync(join(tmpdir(), 'nexstream-broker-'))

  private constructor(
    readonly running: RunningKafka,
    readonly client: KafkaClient,
    readonly admin: Admin,
    readonly sender: Sender,
    readonly loaded: Loaded
  ) {
    const config = { plugins: [], builtin: [], baseFolder: '.', checked: true, kafka: { brokers: running.brokers } }
    this.fetching = new FetchThreads((entry) => startThread(config, entry))
  }

  static async start(): Promise<Broker> {
    const running = await startKafka({ own: true, brokers: 2, properties })
    const { brokers } = running
    const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    const loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    return new Broker(running, connectKafka({ brokers }), admin, await Sender.start(brokers), loaded)
  }

  get parts(): WriterParts {
    return lookupOf(this.loaded.host)
  }

  async close(): Promise<void> {
    await this.fetching.close()
    await this.sender.close()
    await this.client.close()
    await this.admin.disconnect()
    await this.loaded.close()
    await this.running.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Resolves with the id of the topic when all partitions are led. */
  async create(topic: string, numPartitions: number, config: Readonly<Record<string, string>>): Promise<string> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    const topics = [{ topic, numPartitions, replicationFactor: 1, configEntries }]
    // The deletion of one of this name may still be under way
    await until(`making ${topic}`, () => this.admin.createTopics({ waitForLeaders: false, topics }).catch(() => false))
    await this.ready(topic, numPartitions)
    return (await this.client.topics([topic]))[0]?.id ?? ''
  }

  async ready(topic: string, count: number): Promise<void> {
    // Each answer is of a broker that chance takes, and one may know it later
    let known = 0
    await until(`leaders of ${topic}`, async () => {
      const { partitions = [] } = (await this.client.cluster.metadata([topic])).topics[0] ?? {}
      known = partitions.length >= count && partitions.every(({ leader }) => leader >= 0) ? known + 1 : 0
      return known >= 8
    })
  }

  /** Each partition to the other broker, with its log. */
  async move(topic: string, partitions: readonly number[]): Promise<void> {
    const leaders = async (): Promise<number[]> => {
      const { partitions: found = [] } = (await this.client.cluster.metadata([topic])).topics[0] ?? {}
      return partitions.map((number) => found.find(({ partition }) => partition === number)?.leader ?? -1)
    }
    const wanted = (await leaders()).map((leader) => 3 - leader)
    const partitionAssignment = partitions.map((partition, i) => ({ partition, replicas: [wanted[i]!] }))
    await this.admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] })
    await until(`moving ${topic}`, async () => {
      const { topics } = await this.admin.listPartitionReassignments({
        topics: [{ topic, partitions: [...partitions] }]
      })
      return topics.length === 0 && (await leaders()).every((leader, i) => leader === wanted[i])
    })
  }

  async configure(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }))
    const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries }]
    await this.admin.alterConfigs({ validateOnly: false, resources })
  }

  async firstOf(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    return this.client.offsets(topic, partitions, 'earliest')
  }

  /** Offsets of all that a reader gets now. */
  async offsetsIn(topic: string, partition: number): Promise<readonly number[]> {
    const [first, end] = [
      await this.client.offsets(topic, [partition], 'earliest'),
      await this.client.offsets(topic, [partition], 'latest')
    ]
    let next = first.get(partition) ?? 0
    const offsets: number[] = []
    const reader = this.client.reader({ assign: [{ topic, partition, offset: next }] })
    while (next < (end.get(partition) ?? 0)) {
      const batch = await reader.next()
      if (batch === null) break
      for (let i = 0; i < batch.count; i++) offsets.push(batch.offset(i))
      next = batch.nextOffset
      batch.release()
    }
    await reader.close()
    return offsets
  }

  async deleteRecords(topic: string, partition: number, offset: number): Promise<void> {
    await this.admin.fetchTopicOffsets(topic) // kafkajs must know it
    await this.admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
  }
}
