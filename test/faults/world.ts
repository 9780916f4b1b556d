// What a campaign runs on: Kafka (one broker behind a proxy, or three), a pool of file writers, a forwarder, data in the background.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKafka } from '../../core/kafka/client.js'
import { type Kafka } from '../../core/api/plugin.js'
import { type Json } from '../filewriter/harness.js'
import { Control } from '../support/control.js'
import { type KafkaProxy, kafkaProxy } from '../support/kafka-proxy.js'
import { type RunningKafka, startKafka, testTopics } from '../support/kafka.js'
import { Numbers } from './numbers.js'
import { Processes } from './processes.js'
import { Pvs } from './pvs.js'

export const WRITERS = ['one', 'two', 'three'] as const
const LEASE_MS = 1500
/** A broker that is killed is out of its cluster after so long. */
const cluster = { 'broker.session.timeout.ms': 3000, 'broker.heartbeat.interval.ms': 500 }

type Topics = Readonly<
  Record<'pool' | 'control' | 'status' | 'commands' | 'journal' | 'values' | 'events' | 'pvs', string>
>

interface Parts {
  readonly kafka: RunningKafka
  /** Between the daemons and their broker; with one broker only. */
  readonly proxy: KafkaProxy | undefined
  readonly topics: Topics
  readonly folder: string
  readonly client: Kafka
  readonly control: Control
  readonly numbers: Numbers
  readonly pvs: Pvs
  readonly daemons: Processes
}

export class World {
  readonly kafka: RunningKafka
  readonly proxy: KafkaProxy | undefined
  topics: Topics
  readonly folder: string
  readonly client: Kafka
  readonly control: Control
  readonly numbers: Numbers
  readonly pvs: Pvs
  readonly daemons: Processes

  private constructor(
    readonly brokers: 1 | 3,
    parts: Parts
  ) {
    this.kafka = parts.kafka
    this.proxy = parts.proxy
    this.topics = parts.topics
    this.folder = parts.folder
    this.client = parts.client
    this.control = parts.control
    this.numbers = parts.numbers
    this.pvs = parts.pvs
    this.daemons = parts.daemons
  }

  /** Where files are written to. */
  get files(): string {
    return join(this.folder, 'files')
  }

  static async open(brokers: 1 | 3): Promise<World> {
    const kafka = await startKafka({ own: true, brokers, properties: brokers === 3 ? cluster : {} })
    const proxy = brokers === 1 ? await kafkaProxy(kafka.brokers[0]!) : undefined
    const copies = brokers === 1 ? {} : { replication: 3, config: { 'min.insync.replicas': '2' } }
    const more = { brokers: kafka.brokers, ...copies }
    const topics = {
      ...(await testTopics(['control', 'status', 'commands', 'journal', 'values', 'pvs'], more)),
      ...(await testTopics(['pool', 'events'], { ...more, partitions: 2 }))
    }
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-faults-'))
    mkdirSync(join(folder, 'files'))
    const client = connectKafka({ brokers: kafka.brokers })
    const control = await Control.open(kafka.brokers, topics.commands, [topics.status, topics.control])
    const pvs = await Pvs.open(client, topics.pvs, folder)
    const numbers = new Numbers(client, topics)
    const world = new World(brokers, {
      kafka,
      proxy,
      topics,
      folder,
      client,
      control,
      numbers,
      pvs,
      daemons: new Processes(folder)
    })
    try {
      await world.#startDaemons()
    } catch (error) {
      await world.close()
      throw error
    }
    return world
  }

  async #startDaemons(): Promise<void> {
    const { pool, commands, status, journal } = this.topics
    const kafka = { brokers: this.proxy === undefined ? this.kafka.brokers : [this.proxy.address] }
    const rest = { kafka, status: { topic: status }, log: { level: 'info' } }
    const writer = {
      folder: this.files,
      ...{ max_jobs: 4, least_free_bytes: 0, late_data_ms: 500, checkpoint_ms: 250 },
      ...{ journal_topic: journal, journal_lease_ms: LEASE_MS }
    }
    const listen = [{ topic: pool, group: `group-${pool}` }, { topic: commands }]
    const services = { filewriter: writer }
    const writers = WRITERS.map((name) => [name, { ...rest, commands: { listen }, services }] as const)
    const forwarder = ['forwarder', { ...rest, commands: { topic: commands }, ...this.pvs.config }] as const
    const add = (name: string, config: Json): Promise<void> =>
      this.daemons.add(name, { daemon: { service_id: name }, ...config })
    await Promise.all([...writers, forwarder].map(([name, config]) => add(name, config)))
    await this.pvs.reached(Date.now())
  }

  /** Numbers go to new topics from now on. */
  async renewNumbers(): Promise<void> {
    const more = { brokers: this.kafka.brokers, replication: this.brokers }
    const { values } = await testTopics(['values'], more)
    const { events } = await testTopics(['events'], { ...more, partitions: 2 })
    this.topics = { ...this.topics, values, events }
    await this.numbers.moveTo({ values, events })
  }

  /** Ends all in order; gives what was wrong with the ends of the daemons. */
  async end(): Promise<string[]> {
    const wrong = await this.daemons.stopAll()
    await this.close()
    return wrong
  }

  async close(): Promise<void> {
    await this.daemons.close()
    await this.numbers.close()
    await this.pvs.close()
    await this.control.close()
    await this.client.close()
    await this.proxy?.close()
    await this.kafka.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
