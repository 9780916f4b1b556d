// A consumer group, one message at a time: work that is shared among daemons (a pool of jobs) goes to one of them.
import kafkajs, { type Consumer, type EachMessagePayload, type KafkaConfig, type SASLOptions } from 'kafkajs'
import { CodedError } from '../api/errors.js'
import { KafkaClient } from './client.js'
import { type Log, Cluster } from './cluster.js'
import { keepStart } from './coordinator.js'
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
  /** Where a group without history begins; default its end. */
  readonly from?: 'earliest' | 'latest'
  /** A member that is silent for so long is taken to be dead; default 10 s. */
  readonly sessionTimeoutMs?: number
}

/** Takes the message for good: no other member gets it. Rejects when it went to another member meanwhile. */
export type Take = () => Promise<void>
/** `later`: the message is not taken; this member leaves the group and another one gets it. */
export type Work = (message: GroupMessage, take: Take) => Promise<'done' | 'later'>

export interface GroupReader {
  /** Leaves the group, so that the work goes to others; messages under way are finished. */
  leave(): Promise<void>
  /** Joins again after `leave`. */
  join(): Promise<void>
  /** Leaves for good. */
  close(): Promise<void>
}

/**
 * Joins the group and calls `work` for one message after the other; membership is kept alive while it works, however
 * long that takes. A message that `work` did not take is taken when it is done (at least once); one that it took before
 * it began is not given again (at most once). A rejection of `work` is logged. Messages without a value are passed over.
 * Rejects with KAFKA_UNREACHABLE, KAFKA_AUTH or TOPIC_MISSING.
 */
export async function groupReader(
  options: KafkaOptions,
  group: GroupOptions,
  work: Work,
  log: Log = () => undefined
): Promise<GroupReader> {
  const reader = new KafkajsGroup(kafkaSettings(options), group, work, log)
  await reader.join()
  return reader
}

class KafkajsGroup implements GroupReader {
  readonly #kafka: kafkajs.Kafka
  #consumer: Consumer | undefined
  /** Joining and leaving, one after the other. */
  #turn: Promise<void> = Promise.resolve()
  #wanted = false
  #closed = false

  constructor(
    readonly settings: KafkaSettings,
    readonly group: GroupOptions,
    readonly work: Work,
    readonly log: Log
  ) {
    this.#kafka = new kafkajs.Kafka(kafkajsConfig(settings, log))
  }

  join(): Promise<void> {
    this.#wanted = !this.#closed
    return this.#inTurn(() => (this.#wanted ? this.#join() : Promise.resolve()))
  }

  /** No message is begun after this call. */
  leave(): Promise<void> {
    this.#wanted = false
    this.#consumer?.pause([{ topic: this.group.topic }])
    return this.#inTurn(() => (this.#wanted ? Promise.resolve() : this.#leave()))
  }

  close(): Promise<void> {
    this.#closed = true
    return this.leave()
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(step)
    this.#turn = mine.catch(() => undefined) // the caller sees the error
    return mine
  }

  async #join(): Promise<void> {
    if (this.#consumer) return
    const { groupId, topic, from, sessionTimeoutMs = 10_000 } = this.group
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
      await this.#keepStart()
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
      await this.#leave()
      throw coded(error)
    }
  }

  async #leave(): Promise<void> {
    const consumer = this.#consumer
    this.#consumer = undefined
    await consumer?.disconnect()
  }

  /** Also says in our words what is wrong with topic or credentials; kafkajs would try for ever. */
  async #keepStart(): Promise<void> {
    const client = new KafkaClient(new Cluster(this.settings, this.log))
    try {
      await keepStart(client, this.group)
    } finally {
      await client.close()
    }
  }

  async #work(consumer: Consumer, payload: EachMessagePayload): Promise<void> {
    const { topic, partition, message } = payload
    const offset = Number(message.offset)
    const stay = this.#wanted && this.#consumer === consumer
    // paused, so that nothing after this message is begun either; what is not committed goes to another member
    if (!stay) return consumer.pause([{ topic }])
    let taken = false
    const take = async (): Promise<void> => {
      if (!taken) await consumer.commitOffsets([{ topic, partition, offset: String(offset + 1) }])
      taken = true
    }
    const { key, value } = message
    if (value === null) return take()
    // kafkajs sends heartbeats between messages only; a job may take longer than a session to begin.
    const beat = setInterval(
      () => {
        payload
          .heartbeat()
          .catch((error: unknown) => this.log('warn', `group ${this.group.groupId}: ${(error as Error).message}`))
      },
      (this.group.sessionTimeoutMs ?? 10_000) / 10
    )
    try {
      const given = { topic, partition, offset, timestampMs: Number(message.timestamp), key, value }
      if ((await this.work(given, take)) === 'done') await take()
      else this.#aside(consumer)
    } catch (error) {
      this.log('error', `group ${this.group.groupId}: offset ${offset}: ${(error as Error).message}`)
      if (!taken) throw error // kafkajs gives it again
    } finally {
      clearInterval(beat)
    }
  }

  #aside(consumer: Consumer): void {
    consumer.pause([{ topic: this.group.topic }])
    // not awaited: leaving waits for the end of this very message
    this.leave().catch((error: unknown) => this.log('warn', `group ${this.group.groupId}: ${(error as Error).message}`))
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
