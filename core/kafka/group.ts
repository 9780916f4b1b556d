// A consumer group, one message at a time: work that is shared among daemons (a pool of jobs) goes to one of them.
import kafkajs, { type Consumer, type EachMessagePayload, type KafkaConfig, type SASLOptions } from 'kafkajs'
import { CodedError } from '../errors.js'
import { type Log, Cluster } from './cluster.js'
import { type KafkaOptions, type KafkaSettings, kafkaSettings } from './options.js'

export interface GroupMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer
}

export interface GroupOptions {
  readonly groupId: string
  readonly topic: string
  /**
   * `before`: the message is taken for good before the work starts (at most once: a job that dies is not begun again
   * elsewhere). `after`: when the work has ended (at least once).
   */
  readonly commit: 'before' | 'after'
  /** Where a group without history begins; default its end. */
  readonly from?: 'earliest' | 'latest'
  /** A member that is silent for so long is taken to be dead; default 30 s. */
  readonly sessionTimeoutMs?: number
}

export interface GroupReader {
  /** Leaves the group, so that the work goes to others; messages under way are finished. */
  leave(): Promise<void>
  /** Joins again after `leave`. */
  join(): Promise<void>
  /** Leaves for good. */
  close(): Promise<void>
}

/**
 * Joins the group and calls `onMessage` for one message after the other; membership is kept alive while it works, however
 * long that takes. Messages without a value are passed over. A rejection of `onMessage` is logged; with `after` the message is tried again.
 * Rejects with KAFKA_UNREACHABLE, KAFKA_AUTH or TOPIC_MISSING.
 */
export async function groupReader(
  options: KafkaOptions,
  group: GroupOptions,
  onMessage: (message: GroupMessage) => Promise<void>,
  log: Log = () => undefined
): Promise<GroupReader> {
  const reader = new KafkajsGroup(kafkaSettings(options), group, onMessage, log)
  await reader.join()
  return reader
}

class KafkajsGroup implements GroupReader {
  readonly #kafka: kafkajs.Kafka
  #consumer: Consumer | undefined

  constructor(
    readonly settings: KafkaSettings,
    readonly group: GroupOptions,
    readonly onMessage: (message: GroupMessage) => Promise<void>,
    readonly log: Log
  ) {
    this.#kafka = new kafkajs.Kafka(kafkajsConfig(settings, log))
  }

  async join(): Promise<void> {
    if (this.#consumer) return
    const { groupId, topic, from, sessionTimeoutMs = 30_000 } = this.group
    const consumer = this.#kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.floor(sessionTimeoutMs / 10),
      rebalanceTimeout: 60_000,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: 500,
      retry: {
        retries: Number.MAX_SAFE_INTEGER,
        initialRetryTime: 100,
        maxRetryTime: 2000,
        restartOnFailure: () => Promise.resolve(true)
      }
    })
    this.#consumer = consumer
    try {
      await this.#topicExists()
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: from === 'earliest' })
      const joined = new Promise<void>((resolve) => {
        const forget = consumer.on('consumer.group_join', () => {
          forget()
          resolve()
        })
      })
      await consumer.run({ autoCommit: false, eachMessage: (payload) => this.#work(consumer, payload) })
      await joined
    } catch (error) {
      await this.leave()
      throw coded(error)
    }
  }

  async leave(): Promise<void> {
    const consumer = this.#consumer
    this.#consumer = undefined
    await consumer?.disconnect()
  }

  close(): Promise<void> {
    return this.leave()
  }

  /** kafkajs would try for ever; also says what is wrong with credentials in our words. */
  async #topicExists(): Promise<void> {
    const cluster = new Cluster(this.settings, this.log)
    try {
      await cluster.patiently(`topic ${this.group.topic}`, () => cluster.topic(this.group.topic))
    } finally {
      await cluster.close()
    }
  }

  async #work(consumer: Consumer, payload: EachMessagePayload): Promise<void> {
    const { topic, partition, message } = payload
    const offset = Number(message.offset)
    const done = (): Promise<void> => consumer.commitOffsets([{ topic, partition, offset: String(offset + 1) }])
    const { key, value } = message
    if (this.group.commit === 'before' || value === null) await done()
    if (value === null) return
    // kafkajs sends heartbeats between messages only; a job lasts longer than a session.
    const beat = setInterval(
      () => {
        payload
          .heartbeat()
          .catch((error: unknown) => this.log('warn', `group ${this.group.groupId}: ${(error as Error).message}`))
      },
      (this.group.sessionTimeoutMs ?? 30_000) / 10
    )
    try {
      await this.onMessage({ topic, partition, offset, timestampMs: Number(message.timestamp), key, value })
    } catch (error) {
      this.log('error', `group ${this.group.groupId}: offset ${offset}: ${(error as Error).message}`)
      if (this.group.commit === 'after') throw error
    } finally {
      clearInterval(beat)
    }
    if (this.group.commit === 'after') await done()
  }
}

function coded(error: unknown): Error {
  if (error instanceof CodedError) return error
  const { message, name } = error as Error
  const refused = /SASL|Authoriz|Authentic/i.test(`${name} ${message}`)
  return new CodedError(refused ? 'KAFKA_AUTH' : 'KAFKA_UNREACHABLE', message, { cause: error })
}

function kafkajsConfig(settings: KafkaSettings, log: Log): KafkaConfig {
  const { tls, sasl } = settings
  return {
    clientId: settings.clientId,
    brokers: settings.brokers.map(({ host, port }) => `${host}:${port}`),
    connectionTimeout: settings.connectTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    logLevel: kafkajs.logLevel.ERROR,
    logCreator:
      () =>
      ({ log: entry }) =>
        log('debug', `kafkajs: ${entry.message}`),
    retry: { retries: 8, initialRetryTime: 100, maxRetryTime: 2000 },
    ...(tls && {
      ssl: {
        rejectUnauthorized: tls.verify,
        ...(tls.ca !== undefined && { ca: tls.ca }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.key !== undefined && { key: tls.key }),
        ...(tls.passphrase !== undefined && { passphrase: tls.passphrase }),
        ...(tls.servername !== undefined && { servername: tls.servername })
      }
    }),
    ...(sasl && { sasl: { ...sasl } as SASLOptions })
  }
}
