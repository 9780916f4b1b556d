// The Kafka client of the daemon: own data path (Fetch, Produce) and control requests over own connections.
import { CodedError } from '../api/errors.js'
import { closeAll } from '../closing.js'
import { NOT_LEADER } from './broker-errors.js'
import { BrokerError, Cluster, expectOk, expectRight, expectTopic } from './cluster.js'
import { type Log } from '../log.js'
import { GroupMembership } from './membership.js'
import { type KafkaOptions, kafkaSettings } from './options.js'
import { BatchProducer } from './producer.js'
import {
  EARLIEST,
  LATEST,
  type TopicMetadata,
  alterConfigsRequest,
  alterConfigsResponse,
  api,
  listOffsetsRequest,
  listOffsetsResponse
} from './protocol.js'
import { PartitionReader } from './reader.js'
import {
  type Kafka,
  type Membership,
  type MembershipOptions,
  type Producer,
  type ProducerOptions,
  type Reader,
  type ReaderOptions,
  type TopicInfo
} from '../api/kafka.js'

/**
 * A client for the brokers named in `options`; connects when it is first used.
 * Throws CodedError CONFIG_INVALID for options that are unknown or wrong.
 */
export function connectKafka(options: KafkaOptions, log: Log = () => undefined): KafkaClient {
  return new KafkaClient(new Cluster(kafkaSettings(options), log))
}

export class KafkaClient implements Kafka {
  readonly #open = new Set<{ close(): Promise<void> }>()

  constructor(readonly cluster: Cluster) {}

  get connected(): boolean {
    return this.cluster.connected
  }

  /** Looks from now on every so often whether a broker answers; the log tells loss and return. */
  watch(intervalMs: number): void {
    this.cluster.watch(intervalMs)
  }

  /** `names` null: all but Kafka's own. Rejects with KAFKA_UNREACHABLE (after `timeout_ms`) or KAFKA_AUTH, also without `right`. */
  async topics(names: readonly string[] | null, right?: 'READ' | 'WRITE'): Promise<TopicInfo[]> {
    const topics = await this.cluster.patiently('topics', async () => {
      const found = (await this.cluster.metadata(names, right !== undefined)).topics
      if (names === null) return found.filter(({ internal, error }) => !internal && error === 0)
      for (const { name, error } of found) if (error !== 3 && error !== 17) expectTopic(error, name)
      for (const topic of found) if (right !== undefined) expectRight(topic, right)
      return found
    })
    if (names === null) return topics.map(infoOf)
    return names.map((name) => {
      const found = topics.find((topic) => topic.name === name)
      return found?.error === 0 ? infoOf(found) : { name, partitions: [] }
    })
  }

  /**
   * Partition → offset. `timestampMs` gives the first record at or after that time, or the end where there is none.
   * Rejects with TOPIC_MISSING, KAFKA_UNREACHABLE, KAFKA_AUTH.
   */
  async offsets(
    topic: string,
    partitions: readonly number[],
    at: 'earliest' | 'latest' | 'written' | { timestampMs: number }
  ): Promise<Map<number, number>> {
    if (at === 'written') return this.#listOffsets(topic, partitions, LATEST, true)
    const time = at === 'earliest' ? EARLIEST : at === 'latest' ? LATEST : Math.max(0, Math.floor(at.timestampMs))
    const found = await this.#listOffsets(topic, partitions, time)
    const none = partitions.filter((partition) => (found.get(partition) ?? -1) < 0)
    if (none.length > 0) {
      const ends = await this.#listOffsets(topic, none, LATEST)
      // What came since the first look is behind the end, too: only a second look tells
      const again = await this.#listOffsets(topic, none, time)
      for (const partition of none) {
        const offset = again.get(partition) ?? -1
        found.set(partition, offset < 0 ? (ends.get(partition) ?? 0) : offset)
      }
    }
    return new Map(partitions.map((partition) => [partition, found.get(partition)!]))
  }

  async #listOffsets(
    topic: string,
    partitions: readonly number[],
    time: number,
    uncommitted = false
  ): Promise<Map<number, number>> {
    const offsets = new Map<number, number>()
    await this.cluster.patiently(`offsets of ${topic}`, async () => {
      const metadata = await this.cluster.topic(topic)
      const byLeader = new Map<number, number[]>()
      for (const partition of partitions) {
        if (offsets.has(partition)) continue
        const leader = metadata.partitions.find((p) => p.partition === partition)?.leader
        if (leader === undefined) throw new CodedError('TOPIC_MISSING', `topic ${topic} has no partition ${partition}`)
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition])
      }
      for (const [leader, mine] of byLeader) {
        const body = listOffsetsRequest(topic, mine, time, uncommitted)
        const found: { partition: number; offset: number }[] = []
        for (const part of await this.cluster.ask(leader, api.listOffsets, body, listOffsetsResponse)) {
          expectOk(part.error, `offsets of ${topic}/${part.partition}`, null, `DESCRIBE on topic ${topic}`)
          found.push(part)
        }
        if (time === LATEST) await this.#requireLeader(metadata, leader)
        for (const { partition, offset } of found) offsets.set(partition, offset)
      }
    })
    return offsets
  }

  /** A broker that was frozen first answers what it was asked, with the end of then, before it learns that others lead: they know. */
  async #requireLeader({ name, partitions }: TopicMetadata, leader: number): Promise<void> {
    const now = await this.cluster.topic(name, leader)
    for (const { partition, leaderEpoch } of partitions.filter((one) => one.leader === leader)) {
      const found = now.partitions.find((one) => one.partition === partition)
      if (found?.leader !== leader || found.leaderEpoch !== leaderEpoch)
        throw new BrokerError(NOT_LEADER, `offsets of ${name}/${partition}`)
    }
  }

  /** Sets Kafka's own settings of a topic; others are left as they are. */
  alterTopic(name: string, config: readonly (readonly [key: string, value: string])[]): Promise<void> {
    return this.cluster.patiently(`topic ${name}`, async () => {
      await this.cluster.metadata([]) // Tells which broker is the controller now
      const body = alterConfigsRequest(name, config)
      for (const { error, message } of await this.cluster.ask(
        'controller',
        api.alterConfigs,
        body,
        alterConfigsResponse
      ))
        expectOk(error, `config of ${name}`, message)
    })
  }

  reader(options: ReaderOptions): Reader {
    return this.#own((onClose) => new PartitionReader(this.cluster, options, onClose))
  }

  producer(options: ProducerOptions = {}): Producer {
    return this.#own((onClose) => new BatchProducer(this.cluster, options, onClose))
  }

  membership(options: MembershipOptions): Membership {
    return this.#own((onClose) => new GroupMembership(this.cluster, options, this.cluster.log, onClose))
  }

  /** Closes readers and producers (those deliver what they can first), then the connections. */
  async close(): Promise<void> {
    const failures: unknown[] = []
    const parts = [...this.#open].map((part) => ['a Kafka reader or producer', () => part.close()] as const)
    await closeAll(parts, (_, error) => failures.push(error))
    await this.cluster.close()
    if (failures.length > 0) throw failures[0]
  }

  #own<T extends { close(): Promise<void> }>(make: (onClose: () => void) => T): T {
    if (this.cluster.closing.aborted) throw new CodedError('KAFKA_UNREACHABLE', 'the Kafka client is closed')
    const open = this.#open
    const part = { closed: false, made: undefined as T | undefined }
    const made = make(() => {
      part.closed = true // Perhaps before make returns
      if (part.made) open.delete(part.made)
    })
    part.made = made
    if (!part.closed) open.add(made)
    return made
  }
}

function infoOf({ name, id, partitions: found }: TopicMetadata): TopicInfo {
  const partitions = found.map(({ partition }) => partition).sort((a, b) => a - b)
  return { name, partitions, replication: found[0]?.replicas.length ?? 0, ...(id !== '' && { id }) }
}
