// The Admin of kafkajs: loaded when it is first needed, with our settings, its errors in our words.
import { createRequire } from 'node:module'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import tls from 'node:tls'
import type kafkajsModule from 'kafkajs'
import type { Admin, ISocketFactoryArgs, KafkaConfig, SASLOptions } from 'kafkajs'
import { CodedError, type KafkaSettings } from '../../../core/api/plugin.js'

const KEEP_ALIVE_MS = 60_000
/** Within one attempt kafkajs only goes through its list of brokers. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 500
/** Between two attempts. */
const PAUSE_MS = 100

/** One connection for several calls; made anew after trouble. */
export class KafkajsAdmin {
  #admin: Admin | undefined

  constructor(readonly settings: KafkaSettings) {}

  /**
   * Repeats what fails for reasons that pass, up to `timeoutMs` of the settings; `what` is said in errors.
   * Rejects with KAFKA_AUTH, KAFKA_UNREACHABLE, COMMAND_FAILED.
   */
  async ask<T>(what: string, use: (admin: Admin) => Promise<T>): Promise<T> {
    for (const end = Date.now() + this.settings.timeoutMs; ;) {
      try {
        this.#admin ??= await this.#connect()
        return await use(this.#admin)
      } catch (error) {
        await this.close()
        const told = toldOf(error as KafkajsError, what)
        if (told.code !== 'KAFKA_UNREACHABLE' || Date.now() > end) throw told
      }
      await sleep(PAUSE_MS)
    }
  }

  async close(): Promise<void> {
    const admin = this.#admin
    this.#admin = undefined
    await admin?.disconnect().catch(() => undefined) // It is given up anyway
  }

  async #connect(): Promise<Admin> {
    const { Kafka, logLevel } = await loadKafkajs()
    const admin = new Kafka({ ...kafkajsConfig(this.settings), logLevel: logLevel.NOTHING }).admin()
    try {
      await admin.connect()
    } catch (error) {
      await admin.disconnect().catch(() => undefined) // The error above says more
      throw error
    }
    return admin
  }
}

/** What of a queue of requests must be reached to mend it. */
interface RequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests: (this: RequestQueue) => void
}
let mended = false

/**
 * Also mends it: 2.2.4 looks every millisecond for requests that wait, also when none does, by timers set to a time in the
 * past, of which Node 24 and later warn.
 */
export async function loadKafkajs(): Promise<typeof kafkajsModule> {
  const { default: kafkajs } = await import('kafkajs')
  if (mended) return kafkajs
  mended = true
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/network/requestQueue/index.js') as { prototype: RequestQueue }
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this)
  }
  return kafkajs
}

/** Colons part host and port in the words of kafkajs, those of an IPv6 address are hidden from it. */
const COLON = '%3A'

export function kafkajsConfig(settings: KafkaSettings): KafkaConfig {
  const { tls: secure, sasl, brokers } = settings
  return {
    clientId: settings.clientId,
    brokers: brokers.map(({ host, port }) => `${host.replaceAll(':', COLON)}:${port}`),
    connectionTimeout: settings.connectTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    retry: { retries: brokers.length, initialRetryTime: FIRST_PAUSE_MS, maxRetryTime: LONGEST_PAUSE_MS },
    socketFactory: connect,
    ...(secure && {
      ssl: {
        rejectUnauthorized: secure.verify,
        ...(secure.ca !== undefined && { ca: secure.ca }),
        ...(secure.cert !== undefined && { cert: secure.cert }),
        ...(secure.key !== undefined && { key: secure.key }),
        ...(secure.passphrase !== undefined && { passphrase: secure.passphrase }),
        ...(secure.servername !== undefined && { servername: secure.servername })
      }
    }),
    ...(sasl && { sasl: { ...sasl } as SASLOptions })
  }
}

function connect({ host: hidden, port, ssl, onConnect }: ISocketFactoryArgs): net.Socket {
  const host = hidden.replaceAll(COLON, ':')
  // kafkajs gives none as null
  const socket = (ssl as tls.ConnectionOptions | null | undefined)
    ? tls.connect({ host, port, ...(net.isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect)
  return socket.setKeepAlive(true, KEEP_ALIVE_MS)
}

/** Of its errors: those of brokers have a type and say whether they pass, those of connections a text and the broker's address. */
interface KafkajsError extends Error {
  readonly code?: number | string
  readonly type?: string
  readonly retriable?: boolean
  readonly broker?: string
  readonly errors?: readonly KafkajsError[]
  readonly cause?: KafkajsError
}

function toldOf(error: KafkajsError, what: string): CodedError {
  const inner = error.errors?.[0] ?? (error.code === undefined ? error.cause : undefined)
  if (inner) return toldOf(inner, what)
  const { name, message, code, type, retriable, broker: hidden = 'a broker' } = error
  const broker = hidden.replaceAll(COLON, ':')
  if (typeof code === 'number') {
    const isRefused = /AUTHORIZATION_FAILED|SASL/.test(type ?? '')
    // One unknown to kafkajs is a newer one, such as of a quota
    const passes = retriable === true || type === 'REASSIGNMENT_IN_PROGRESS' || type === 'KAFKAJS_UNKNOWN_ERROR_CODE'
    const told = isRefused ? 'KAFKA_AUTH' : passes ? 'KAFKA_UNREACHABLE' : 'COMMAND_FAILED'
    const right = /AUTHORIZATION/.test(type ?? '') ? '; the user needs CREATE, ALTER and ALTER_CONFIGS on the topic (kafka-acls --add)' : '' // prettier-ignore
    return new CodedError(told, `${what}: ${type ?? `error ${code}`}: ${message}${right}`, { cause: error })
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(code ?? ''))
    return new CodedError('KAFKA_AUTH', `TLS: the certificate of ${broker} is not trusted: ${message}`, {
      cause: error
    })
  if (name === 'KafkaJSSASLAuthenticationError')
    return new CodedError('KAFKA_AUTH', `${what}: ${message}`, { cause: error })
  if (/^KafkaJS(Connection|RequestTimeout|BrokerNotFound|Metadata|LockTimeout)/.test(name))
    return new CodedError('KAFKA_UNREACHABLE', `${what}: ${broker}: ${message}`, { cause: error })
  return new CodedError('COMMAND_FAILED', `${what}: ${message}`, { cause: error })
}
