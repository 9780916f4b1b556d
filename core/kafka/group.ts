// A consumer group on a command topic (job pool): of all daemons in the group exactly one gets each message.
import { Kafka as KafkaJs, logLevel, type KafkaConfig } from 'kafkajs'
import { CodedError } from '../errors.js'
import { type KafkaOptions, kafkaSettings } from './options.js'

export interface GroupMessage {
  readonly value: Buffer
  readonly timestampMs: number
  readonly partition: number
  readonly offset: number
}
export interface GroupOptions {
  readonly group: string
  readonly topic: string
  /** Where a new group begins. */
  readonly from: 'latest' | 'earliest'
  /** One message at a time; its offset is committed before the call, so that a crash does not run it twice. */
  readonly onMessage: (message: GroupMessage) => Promise<void>
}
type Log = (level: 'error' | 'warn' | 'info' | 'debug', message: string, fields?: Record<string, unknown>) => void

function kafkaJsConfig(options: KafkaOptions): KafkaConfig {
  const { brokers, clientId, tls, sasl, connectTimeoutMs, requestTimeoutMs } = kafkaSettings(options)
  return {
    clientId,
    brokers: brokers.map(({ host, port }) => `${host}:${port}`),
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    logLevel: logLevel.NOTHING,
    retry: { retries: Number.MAX_SAFE_INTEGER, maxRetryTime: 2000 },
    ...(tls === undefined
      ? {}
      : {
          ssl: {
            ca: tls.ca,
            cert: tls.cert,
            key: tls.key,
            passphrase: tls.passphrase,
            servername: tls.servername,
            rejectUnauthorized: tls.verify
          }
        }),
    ...(sasl === undefined
      ? {}
      : {
          sasl: { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password } as KafkaConfig['sasl']
        })
  }
}

/** Joins and stays until closed, through broker outages; resolves once the group has given this member its share. */
export async function joinGroup(
  options: KafkaOptions,
  { group, topic, from, onMessage }: GroupOptions,
  log: Log
): Promise<{ close(): Promise<void> }> {
  const client = new KafkaJs(kafkaJsConfig(options))
  const consumer = client.consumer({
    groupId: group,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 500,
    retry: { restartOnFailure: () => Promise.resolve(true) }
  })
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
  consumer.on(consumer.events.CRASH, ({ payload }) =>
    log('warn', `group ${group} on ${topic}: ${payload.error.message}; joining again`)
  )
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: from === 'earliest' })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        await consumer.commitOffsets([{ topic, partition, offset: (BigInt(message.offset) + 1n).toString() }])
        if (message.value === null) return
        await onMessage({
          value: message.value,
          timestampMs: Number(message.timestamp),
          partition,
          offset: Number(message.offset)
        })
      }
    })
    await joined
  } catch (cause) {
    await consumer.disconnect()
    throw new CodedError('KAFKA_UNREACHABLE', `cannot join group ${group} on ${topic}: ${(cause as Error).message}`, {
      cause
    })
  }
  return { close: () => consumer.disconnect() }
}
