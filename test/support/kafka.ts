// A real Apache Kafka for tests, started by the project itself, and topics in it.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import { loadKafkajs } from '../../plugins/tools-topics/admin/kafkajs-admin.js'
import {
  type RunningKafka,
  started as startedBy,
  startKafka as start,
  type KafkaStart
} from '../../plugins/tools-dev/broker/start.js'
import { type BrokerNodes } from '../../plugins/tools-dev/broker/kafka-jars.js'
import { led } from './leaders.js'
import { PATIENCE_MS } from './patience.js'

export type { KafkaSetup } from '../../plugins/tools-dev/broker/kafka-config.js'
export type { RunningKafka } from '../../plugins/tools-dev/broker/start.js'

const START_MS = 90_000

const kafkajs = await loadKafkajs()

const admin = (brokers: readonly string[]): Admin =>
  new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: 'nexstream-test',
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
    connectionTimeout: PATIENCE_MS,
    requestTimeout: PATIENCE_MS
  }).admin()

async function withAdmin<T>(brokers: readonly string[], use: (admin: Admin) => Promise<T>): Promise<T> {
  const client = admin(brokers)
  try {
    await client.connect()
    return await use(client)
  } finally {
    await client.disconnect()
  }
}

/** Waits until each of the brokers answers and knows `count` brokers. */
async function ready(brokers: readonly string[], count: number, timeoutMs = START_MS): Promise<void> {
  const end = Date.now() + timeoutMs
  for (const broker of brokers)
    for (;;) {
      try {
        const cluster = await withAdmin([broker], (client) => client.describeCluster())
        if (cluster.brokers.length >= count) break
      } catch (error) {
        if (Date.now() > end) throw new Error(`${broker} does not serve: ${(error as Error).message}`)
      }
      if (Date.now() > end) throw new Error(`${broker} knows fewer than ${count} brokers`)
      await sleep(100)
    }
}

/** Whether the broker tells its clients the very address by which we know it. */
export async function advertisesItself(broker: string): Promise<boolean> {
  const { brokers } = await withAdmin([broker], (client) => client.describeCluster())
  return brokers.some(({ host, port }) => `${host}:${port}` === broker)
}

/** A running Kafka, see `startKafka` of the plugin. */
export const startKafka = (options: KafkaStart = {}): Promise<RunningKafka> => start(options, ready)

/** Waits until the cluster of local processes serves. */
export const started = (cluster: BrokerNodes): Promise<RunningKafka> => startedBy('jars', cluster, ready)

let shared: Promise<RunningKafka> | undefined
const made: string[] = []

/** The one Kafka of this test run, started at the first call; `hooks.ts` or `all-tests.ts` stops it at the end. */
export function kafka(): Promise<RunningKafka> {
  shared ??= startKafka()
  return shared
}

/** A test may have deleted its topic itself; the others go all the same. */
function unlessGone(error: unknown): void {
  const { type } = ((error as { cause?: unknown }).cause ?? error) as { type?: unknown }
  if (type !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
}

/** Ends the shared Kafka; topics made on a named broker are deleted. */
export async function stopSharedKafka(): Promise<void> {
  const running = await shared?.catch(() => undefined)
  shared = undefined
  if (running?.way === 'brokers' && made.length > 0)
    await withAdmin(running.brokers, (client) => client.deleteTopics({ topics: made.splice(0) })).catch(unlessGone)
  await running?.stop()
}

export interface TopicOptions {
  readonly partitions?: number
  readonly replication?: number
  /** e.g. `{ 'max.message.bytes': '1000' }`. */
  readonly config?: Readonly<Record<string, string>>
  /** Default: the shared Kafka. */
  readonly brokers?: readonly string[]
}

/**
 * Creates one topic for each short name, with a random suffix, and waits for its leaders.
 * Returns short name → topic: `const { events } = await testTopics(['events'])`.
 */
export async function testTopics<const N extends string>(
  names: readonly N[],
  options: TopicOptions = {}
): Promise<Record<N, string>> {
  const brokers = options.brokers ?? (await kafka()).brokers
  const suffix = randomBytes(4).toString('hex')
  const topics = names.map((name) => `${name}-${suffix}`)
  await withAdmin(brokers, async (client) => {
    await client.createTopics({
      timeout: PATIENCE_MS,
      waitForLeaders: false, // kafkajs gives up at once when a busy broker does not know the topic yet
      topics: topics.map((topic) => ({
        topic,
        numPartitions: options.partitions ?? 1,
        replicationFactor: options.replication ?? 1,
        configEntries: Object.entries(options.config ?? {}).map(([name, value]) => ({ name, value }))
      }))
    })
    await led(client, topics, options.partitions ?? 1)
  })
  // Each broker learns of a topic by itself
  if (brokers.length > 1)
    for (const broker of brokers) await withAdmin([broker], (client) => led(client, topics, options.partitions ?? 1))
  if (!options.brokers) made.push(...topics)
  return Object.fromEntries(names.map((name, i) => [name, topics[i]!])) as Record<N, string>
}
