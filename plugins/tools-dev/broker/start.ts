// A real Apache Kafka to try things with: brokers that are named, Docker, or Kafka's jars on Java.
import { join } from 'node:path'
import { CodedError } from '../../../core/api/plugin.js'
import { type KafkaSetup, type ListenerName } from './kafka-config.js'
import { startDocker } from './kafka-docker.js'
import { type BrokerNodes, startJars } from './kafka-jars.js'

export interface KafkaStart extends KafkaSetup {
  /** Never the brokers named by NEXSTREAM_BROKERS: this one will be killed or has listeners of its own. */
  readonly own?: boolean
}

export interface RunningKafka {
  /** How it came to be: `brokers` (named by NEXSTREAM_BROKERS), `docker` or `jars`. */
  readonly way: KafkaWay
  /** Host:port without authentication or encryption. */
  readonly brokers: string[]
  /** Host:port of a listener asked for in the options. */
  listener(name: ListenerName): string[]
  /** PEM file of the CA (and certificate) of the TLS listeners, and its key. */
  readonly certificate: string
  readonly key: string
  stop(): Promise<void>
  /** Rejects when a node ends by itself, with the end of its log. */
  readonly died: Promise<never>
  /** SIGKILL for node `index`; resolves when it is dead. */
  kill9(index: number): Promise<void>
  /** Starts a killed node again on its old ports and data; resolves when it answers. */
  restart(index: number): Promise<void>
  /** SIGSTOP for node `index`: it is there but says nothing. */
  freeze(index: number): Promise<void>
  thaw(index: number): Promise<void>
}

export type KafkaWay = 'brokers' | 'docker' | 'jars'

/** Waits until each of the brokers answers and knows `count` brokers; rejects when it takes too long. */
export type UntilReady = (brokers: readonly string[], count: number) => Promise<void>

async function named(ready: UntilReady): Promise<RunningKafka> {
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
    died: new Promise(() => undefined),
    kill9: refuse,
    restart: refuse,
    freeze: refuse,
    thaw: refuse
  }
}

/** Waits until the cluster serves. */
export async function started(way: KafkaWay, cluster: BrokerNodes, ready: UntilReady): Promise<RunningKafka> {
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
    died: cluster.died,
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
async function twice(setup: KafkaSetup, ready: UntilReady): Promise<RunningKafka> {
  try {
    return await started('jars', await startJars(setup), ready)
  } catch (error) {
    if (!/Address already in use|BindException/.test((error as Error).message)) throw error
    return started('jars', await startJars(setup), ready)
  }
}

/**
 * A running Kafka: the brokers named by NEXSTREAM_BROKERS, else Docker, else Kafka's jars on Java; the first that serves.
 * NEXSTREAM_KAFKA=brokers|docker|jars allows one way only. Throws CodedError KAFKA_NONE that says why each way failed.
 * Topics are not created by use. A Kafka that was started here ends with its owner, also when that one is killed.
 */
export async function startKafka(options: KafkaStart, ready: UntilReady): Promise<RunningKafka> {
  const { own, ...setup } = options
  const mine = own === true || (setup.brokers ?? 1) > 1 || setup.sasl !== undefined || setup.tls === true
  const ways: Record<KafkaWay, () => Promise<RunningKafka>> = {
    brokers: () => named(ready),
    docker: async () => started('docker', await startDocker(setup), ready),
    jars: () => twice(setup, ready)
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
