// Hears command topics: bytes → dialect → dispatcher → exactly one answer on the reply topic.
import { type ListenConfig } from './config-schema.js'
import { type Dispatcher, refusal } from './dispatcher.js'
import { CodedError } from './errors.js'
import { errorFields, type Log } from './log.js'
import {
  type Command,
  type Dialect,
  type Kafka,
  type Origin,
  type OutMessage,
  type Producer,
  type Reply,
  type ServiceEvent,
  type Subscription
} from './plugin.js'

export interface ListenerOptions {
  readonly kafka: Kafka
  readonly producer: Producer
  readonly dialects: ReadonlyMap<string, Dialect>
  readonly dispatcher: Dispatcher
  readonly statusTopic: string | undefined
  readonly serviceId: string
  readonly maxBytes: number
  readonly log: Log
  /** Joins a consumer group and calls back for one message at a time, committed before the call. */
  readonly joinGroup: (options: GroupOptions) => Promise<Subscription>
}
export interface GroupOptions {
  readonly group: string
  readonly topic: string
  readonly from: 'latest' | 'earliest'
  readonly onMessage: (message: CommandMessage) => Promise<void>
}
export interface CommandMessage {
  readonly value: Buffer
  readonly timestampMs: number
  readonly partition: number
  readonly offset: number
}

/** What is heard on one topic. */
interface Ear {
  readonly topic: string
  readonly dialects: readonly Dialect[]
  readonly replyTopic: string
}

const known = (dialects: ReadonlyMap<string, Dialect>): string => [...dialects.keys()].toSorted().join(', ')

export class CommandListener {
  readonly #open = new Set<Subscription>()

  constructor(readonly options: ListenerOptions) {}

  /** Opens one configured topic. Throws TOPIC_MISSING, or CONFIG_INVALID for an unknown dialect. */
  async add(listen: ListenConfig, at: string): Promise<void> {
    const replyTopic = listen.reply_topic ?? this.options.statusTopic
    if (replyTopic === undefined)
      throw new CodedError(
        'CONFIG_INVALID',
        `answers to '${listen.topic}' have no topic: give status.topic or reply_topic`,
        { path: `${at}/reply_topic` }
      )
    const ear = {
      topic: listen.topic,
      dialects: listen.dialects.map((id, i) => this.#dialect(id, `${at}/dialects/${i}`)),
      replyTopic
    }
    await this.#requireTopics([listen.topic, replyTopic], `${at}/topic`)
    if (listen.group === undefined) this.#open.add(await this.#read(ear, listen.from))
    else {
      const onMessage = (message: CommandMessage): Promise<void> => this.#handle(ear, message)
      this.#open.add(
        await this.options.joinGroup({ group: listen.group, topic: listen.topic, from: listen.from, onMessage })
      )
    }
  }

  /** Hears a further topic from a time on (control topic of a job). */
  async listen(topic: string, { dialect, fromMs }: { dialect: string; fromMs?: number }): Promise<Subscription> {
    await this.#requireTopics([topic], '/control_topic')
    const ear = { topic, dialects: [this.#dialect(dialect, '/control_topic')], replyTopic: topic }
    const open = await this.#read(ear, fromMs === undefined ? 'latest' : { timestampMs: fromMs })
    this.#open.add(open)
    const close = async (): Promise<void> => {
      this.#open.delete(open)
      await open.close()
    }
    return { close }
  }

  /** Carries out commands of the start-up file; answers go to the log and the status topic. */
  async runFile(commands: readonly Command[]): Promise<void> {
    const dialect = this.#dialect('json', '/commands/file')
    for (const command of commands) {
      const origin = { dialect: 'json', topic: '', replyTopic: this.options.statusTopic ?? '', timestampMs: Date.now() }
      await this.#answer(dialect, command, origin, await this.options.dispatcher.dispatch(command, origin))
    }
  }

  /** Sends an event in the words of the origin's dialect. */
  emit(event: ServiceEvent, origin?: Origin): void {
    const dialect = this.options.dialects.get(origin?.dialect ?? 'json')
    const topic = origin?.replyTopic ?? this.options.statusTopic
    if (dialect !== undefined && topic !== undefined && topic !== '')
      this.#send(topic, dialect.event(event, this.options.serviceId))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map(async (open) => open.close()))
    this.#open.clear()
  }

  #dialect(id: string, path: string): Dialect {
    const dialect = this.options.dialects.get(id)
    if (dialect !== undefined) return dialect
    throw new CodedError('CONFIG_INVALID', `unknown dialect '${id}'; known are ${known(this.options.dialects)}`, {
      path
    })
  }

  async #requireTopics(names: readonly string[], path: string): Promise<void> {
    const missing = (await this.options.kafka.topics(names))
      .filter((topic) => topic.partitions.length === 0)
      .map((topic) => topic.name)
    if (missing.length > 0)
      throw new CodedError(
        'TOPIC_MISSING',
        `no topic ${missing.join(', ')} on the broker; create it with 'nexstream provision'`,
        { path }
      )
  }

  async #read(ear: Ear, from: 'latest' | 'earliest' | { timestampMs: number }): Promise<Subscription> {
    const { kafka } = this.options
    const [info] = await kafka.topics([ear.topic])
    const offsets = await kafka.offsets(ear.topic, info?.partitions ?? [], from)
    const assign = [...offsets].map(([partition, offset]) => ({ topic: ear.topic, partition, offset }))
    const reader = kafka.reader({ assign, maxWaitMs: 500 })
    const done = this.#pump(ear, reader).catch((error: unknown) => {
      this.options.log(
        'error',
        `commands on ${ear.topic} are no longer heard: ${(error as Error).message}`,
        errorFields(error)
      )
    })
    return { close: () => reader.close().then(() => done) }
  }

  async #pump(ear: Ear, reader: ReturnType<Kafka['reader']>): Promise<void> {
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
      for (let i = 0; i < batch.count; i++) {
        const value = batch.value(i)
        if (value === null) continue
        const message = {
          value: Buffer.from(value),
          timestampMs: batch.timestampMs(i),
          partition: batch.partition,
          offset: batch.offset(i)
        }
        void this.#handle(ear, message)
      }
      batch.release()
    }
  }

  /** Never rejects. */
  async #handle(ear: Ear, message: CommandMessage): Promise<void> {
    const { log, maxBytes } = this.options
    let dialect = ear.dialects[0]
    const at = (id: string): Origin => ({ ...message, dialect: id, topic: ear.topic, replyTopic: ear.replyTopic })
    try {
      if (message.value.length > maxBytes)
        throw new CodedError(
          'COMMAND_TOO_LARGE',
          `the command has ${message.value.length} bytes; the limit commands.max_bytes is ${maxBytes}`
        )
      for (dialect of ear.dialects) {
        const command = dialect.decode(message.value)
        if (command === undefined) continue
        const origin = at(dialect.id)
        log('info', `command ${command.cmd}${command.service === undefined ? '' : ` ${command.service}`}`, {
          msg_id: command.msg_id,
          topic: ear.topic,
          offset: message.offset
        })
        return await this.#answer(dialect, command, origin, await this.options.dispatcher.dispatch(command, origin))
      }
    } catch (error) {
      if (dialect === undefined) return
      // what the dialect could read of the broken command, so that the answer can name it
      const read = error instanceof CodedError ? (error.fields['command'] as Partial<Command> | undefined) : undefined
      const command = { cmd: '', ...read }
      await this.#answer(dialect, command, at(dialect.id), refusal(error))
    }
  }

  async #answer(dialect: Dialect, command: Command, origin: Origin, reply: Reply): Promise<void> {
    if (reply.silent === true) return
    const level = reply.response === 'ACK' ? 'info' : 'warn'
    this.options.log(level, `${reply.response} ${command.cmd}: ${reply.message}`, {
      msg_id: command.msg_id,
      job_id: reply.job_id,
      topic: origin.topic
    })
    const topic = reply.reply_topic ?? origin.replyTopic
    if (topic !== '') this.#send(topic, dialect.reply(command, reply, this.options.serviceId))
    return Promise.resolve()
  }

  #send(topic: string, messages: readonly OutMessage[]): void {
    for (const message of messages) {
      this.options.producer.send({ topic, ...message }, (error) => {
        if (error !== null)
          this.options.log(
            'error',
            `an answer or event could not be sent to ${topic}: ${error.message}`,
            errorFields(error)
          )
      })
    }
  }
}
