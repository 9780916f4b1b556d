// A real Apache Kafka for tests and the demo, started by the project itself.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import { CodedError } from '../../core/api/errors.js'
import { loadKafkajs } from '../../plugins/tools-topics/admin/kafkajs-admin.js'
import { type KafkaSetup, type ListenerName } from './kafka-config.js'
import { startDocker } from './kafka-docker.js'
import { type Cluster, startJars } from './kafka-jars.js'
import { led } from './leaders.js'
import { PATIENCE_MS } from './patience.js'

export type { KafkaSetup } from './kafka-config.js'

export interface StartOptions extends KafkaSetup {
  /** Never the brokers named by NEXSTREAM_BROKERS: this one will be killed or has listeners of its own. */
  readonly own?: boolean
}

export interface RunningKafka {
  /** How it came to be: `brokers` (named by NEXSTREAM_BROKERS), `docker` or `jars`. */
  readonly way: Way
  /** Host:port without authentication or encryption. */
  readonly brokers: string[]
  /** Host:port of a listener asked for in the options. */
  listener(name: ListenerName): string[]
  /** PEM file of the CA (and certificate) of the TLS listeners, and its key. */
  readonly certificate: string
  readonly key: string
  stop(): Promise<void>
  /** SIGKILL for node `index`; resolves when it is dead. */
  kill9(index: number): Promise<void>
  /** Starts a killed node again on its old ports and data; resolves when it answers. */
  restart(index: number): Promise<void>
  /** SIGSTOP for node `index`: it is there but says nothing. */
  freeze(index: number): Promise<void>
  thaw(index: number): Promise<void>
}

type Way = 'brokers' | 'docker' | 'jars'
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

async function named(): Promise<RunningKafka> {
  const text = process.env['NEXSTREAM_BROKERS']
  if (!text) throw new Error('NEXSTREAM_BROKERS is not set')
  const brokers = text.split(',').map((broker) => broker.trim())
  await ready(brokers.slice(0, 1), 1)
  const refuse = (): never => {
    throw new CodedError('KAFKA_NONE', 'A broker named by NEXSTREAM_BROKERS has one listener and is never killed.')
  }
  return {
    way: 'brokers',
    brokers,
    certificate: '',
    key: '',
    listener: (name) => (name === 'plaintext' ? brokers : refuse()),
    stop: () => Promise.resolve(),
    kill9: refuse,
    restart: refuse,
    freeze: refuse,
    thaw: refuse
  }
}

/** Waits until the cluster serves. */
export async function started(way: Way, cluster: Cluster): Promise<RunningKafka> {
  const of = (name: ListenerName): string[] =>
    cluster.nodes.map((node) => {
      const found = node.listeners.find((listener) => listener.name === name)
      if (!found) throw new Error(`this Kafka was started without a ${name} listener`)
      return found.advertised
    })
  const brokers = of('plaintext')
  try {
    await Promise.race([ready(brokers, brokers.length), cluster.died])
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return {
    way,
    brokers,
    listener: of,
    certificate: join(cluster.tlsFolder, 'cert.pem'),
    key: join(cluster.tlsFolder, 'key.pem'),
    stop: () => cluster.stop(),
    kill9: (index) => cluster.kill9(index),
    restart: async (index) => {
      await cluster.restart(index)
      await ready([brokers[index]!], 1)
    },
    freeze: (index) => cluster.freeze(index),
    thaw: (index) => cluster.thaw(index)
  }
}

/** A port may be taken between our look and Kafka's bind: one more try. */
async function twice(setup: KafkaSetup): Promise<RunningKafka> {
  try {
    return await started('jars', await startJars(setup))
  } catch (error) {
    if (!/Address already in use|BindException/.test((error as Error).message)) throw error
    return started('jars', await startJars(setup))
  }
}

/**
 * A running Kafka: the brokers named by NEXSTREAM_BROKERS, else Docker, else Kafka's jars on Java; the first that serves.
 * NEXSTREAM_KAFKA=brokers|docker|jars allows one way only. Throws CodedError KAFKA_NONE that says why each way failed.
 * Topics are not created by use. A Kafka that was started here ends with its owner, also when that one is killed.
 */
export async function startKafka(options: StartOptions = {}): Promise<RunningKafka> {
  const { own, ...setup } = options
  const mine = own === true || (setup.brokers ?? 1) > 1 || setup.sasl !== undefined || setup.tls === true
  const ways: Record<Way, () => Promise<RunningKafka>> = {
    brokers: named,
    docker: async () => started('docker', await startDocker(setup)),
    jars: () => twice(setup)
  }
  const only = process.env['NEXSTREAM_KAFKA'] ?? ''
  const reasons: string[] = []
  for (const [way, start] of Object.entries(ways)) {
    if ((only !== '' && only !== way) || (mine && way === 'brokers')) continue
    try {
      return await start()
    } catch (error) {
      reasons.push(`${way}: ${(error as Error).message}`)
    }
  }
  throw new CodedError(
    'KAFKA_NONE',
    'No Kafka could be had. Set NEXSTREAM_BROKERS=host:port, or start Docker, or install Java >= 17 and Maven. ' +
      `Tried: ${reasons.join(' | ')}`
  )
}

let shared: Promise<RunningKafka> | undefined
const made: string[] = []

/** The one Kafka of this test run, started at the first call; `hooks.ts` or `all-tests.ts` stops it at the end. */
export function kafka(): Promise<RunningKafka> {
  shared ??= startKafka()
  return shared
}

/** Ends the shared Kafka; topics made on a named broker are deleted. */
export async function stopSharedKafka(): Promise<void> {
  const running = await shared?.catch(() => undefined)
  shared = undefined
  if (running?.way === 'brokers' && made.length > 0)
    await withAdmin(running.brokers, (client) => client.deleteTopics({ topics: made.splice(0) }))
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
