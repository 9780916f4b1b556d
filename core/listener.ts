// Hears command topics: bytes → dialect → dispatcher → exactly one answer on the reply topic.
import { closeAll } from './closing.js'
import { type ListenConfig } from './config-schema.js'
import { throwFindings } from './config.js'
import { type Dispatcher, refusal } from './dispatcher.js'
import { CodedError, errorText, topicMissing } from './api/errors.js'
import { type Listen, listenFindings } from './inspect.js'
import { type GroupReader, type Take, type Work } from './kafka/group.js'
import { errorFields, type Log } from './log.js'
import { OwnMessages } from './own-messages.js'
import { CommandMarks, placesOf } from './places.js'
import { hearAll, type HeardMessage } from './hear.js'
import { Strangers } from './strangers.js'
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
} from './api/plugin.js'

interface ListenerOptions {
  readonly kafka: Kafka
  readonly producer: Producer
  readonly dialects: ReadonlyMap<string, Dialect>
  readonly dispatcher: Dispatcher
  readonly statusTopic: string | undefined
  readonly serviceId: string
  readonly maxBytes: number
  readonly log: Log
  /** A consumer group, to be joined, that calls back for one message at a time. */
  readonly openGroup: (
    options: { readonly groupId: string; readonly topic: string; readonly from: 'latest' | 'earliest' },
    work: Work
  ) => GroupReader
}
/** One that a pool has given comes with how it is taken. */
type CommandMessage = HeardMessage & { readonly take?: Take }

/** What is heard on one topic. */
interface Ear {
  readonly topic: string
  readonly dialects: readonly Dialect[]
  readonly replyTopic: string
  /** Of a consumer group: exactly one daemon hears a command. */
  readonly pool: boolean
  /** Only commands for this job are heard, and no starts. */
  readonly jobId?: string
}

const known = (dialects: ReadonlyMap<string, Dialect>): string => [...dialects.keys()].toSorted().join(', ')

export class CommandListener {
  readonly #open = new Set<Subscription>()
  readonly #pools: GroupReader[] = []
  /** Dialects in which this daemon gets its starts from a pool. */
  readonly #pooled = new Set<string>()
  #poolTurn: Promise<'done' | 'later'> = Promise.resolve('done')
  #taking = true
  /** Topics that are heard all the time. */
  readonly #heard = new Set<string>()
  readonly #marks: CommandMarks
  /** What this daemon said itself on a topic that it hears. */
  readonly #said = new OwnMessages()
  /** Commands under way, their answers included. */
  readonly #handling = new Set<Promise<void>>()
  /** What was no command in any dialect of its topic. */
  readonly strangers: Strangers
  #closing = false

  constructor(readonly options: ListenerOptions) {
    this.#marks = new CommandMarks(options.kafka)
    this.strangers = new Strangers(options.log)
  }

  /**
   * From here on no command is missed, though nothing is heard before `add`: what services tell each other while they start
   * counts, too.
   */
  async mark({ topic, group }: ListenConfig): Promise<void> {
    if (group !== undefined) return
    await this.#marks.set(topic)
  }

  /** Opens one configured topic. Throws TOPIC_MISSING, or CONFIG_INVALID for an unknown dialect. */
  async add({ at, listen }: Listen): Promise<void> {
    const { statusTopic, dialects } = this.options
    throwFindings(listenFindings({ at, listen }, statusTopic, dialects))
    const { topic, group, from, reply_topic: replyTopic = statusTopic ?? '' } = listen
    const ear = {
      topic,
      dialects: listen.dialects.flatMap((id) => dialects.get(id) ?? []),
      replyTopic,
      pool: group !== undefined
    }
    await this.#requireTopic(topic, 'READ', `${at}/topic`)
    await this.#requireTopic(replyTopic, 'WRITE', `${at}/topic`)
    if (group === undefined) {
      this.#heard.add(topic)
      this.#open.add(await this.#read(ear, from))
      return
    }
    for (const { id } of ear.dialects) this.#pooled.add(id)
    // One after the other, also of several pools: the one before may have taken the last place
    const work: Work = (message, take) =>
      (this.#poolTurn = this.#poolTurn.then(async () => {
        if (!this.#taking || this.#closing) return 'later'
        await this.#handled(ear, { ...message, take })
        return 'done'
      }))
    const pool = this.options.openGroup({ groupId: group, topic, from }, work)
    this.#pools.push(pool) // From now on it is closed with the others, also while it joins
    if (this.#taking) await pool.join()
  }

  /** Whether this daemon takes commands from its pools. */
  takeJobs(yes: boolean): void {
    if (yes === this.#taking) return
    this.#taking = yes
    for (const pool of this.#pools)
      (yes ? pool.join() : pool.leave()).catch((error: unknown) =>
        this.options.log('error', `${yes ? 'joining' : 'leaving'} a pool: ${errorText(error)}`, errorFields(error))
      )
  }

  /**
   * Hears the commands for one job on a further topic (its control topic) from a time on. What is heard all the time
   * anyway is only read up to its present end: what came before the job was known here.
   */
  async listen(
    topic: string,
    { dialect, jobId, fromMs }: { dialect: string; jobId: string; fromMs: number }
  ): Promise<Subscription> {
    await this.#requireTopic(topic, 'READ', '/control_topic')
    const ear = { topic, dialects: [this.#dialect(dialect, '/control_topic')], replyTopic: topic, pool: false, jobId }
    const open = await this.#read(ear, { timestampMs: fromMs }, this.#heard.has(topic))
    this.#open.add(open)
    const close = async (): Promise<void> => {
      this.#open.delete(open)
      await open.close()
    }
    return { close }
  }

  /** Reads a command again from where it came. Throws COMMAND_FAILED when it is gone. */
  async recall({ dialect: id, topic, topicId, partition, offset }: Origin): Promise<Command> {
    const gone = (why: string): CodedError =>
      new CodedError('COMMAND_FAILED', `the command at offset ${offset} of ${topic} ${why}`)
    if (partition === undefined || offset === undefined) throw gone('did not come from Kafka')
    const { kafka } = this.options
    const first = (await kafka.offsets(topic, [partition], 'earliest')).get(partition) ?? 0
    const end = (await kafka.offsets(topic, [partition], 'latest')).get(partition) ?? 0
    if (offset < first || offset >= end) throw gone('is in Kafka no more')
    const reader = kafka.reader({ assign: [{ topic, partition, offset, ...(topicId !== undefined && { topicId }) }] })
    try {
      for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
        if (batch.madeAgain !== undefined) throw gone('was in a topic that is gone, another one has its name')
        const i = Array.from({ length: batch.count }, (_, i) => batch.offset(i)).indexOf(offset)
        const value = i < 0 ? null : Buffer.from(batch.value(i) ?? [])
        const passed = batch.nextOffset > offset
        batch.release()
        const command = value === null ? undefined : this.#dialect(id, '/dialect').decode(value)
        if (command !== undefined) return command
        if (passed) break
      }
    } finally {
      await reader.close()
    }
    throw gone('cannot be read')
  }

  /** Sends an answer that no dispatch gave. */
  answer(command: Command, origin: Origin, reply: Reply): void {
    this.#answer(this.#dialect(origin.dialect, '/dialect'), command, origin, reply)
  }

  /** Carries out commands of the start-up file; answers go to the log and the status topic. */
  async runFile(commands: readonly Command[]): Promise<void> {
    for (const command of commands) await this.carryOut(command)
  }

  /** One that came on no topic; the answer goes to the status topic, too. */
  async carryOut(command: Command): Promise<Reply> {
    const origin = { dialect: 'json', topic: '', replyTopic: this.options.statusTopic ?? '', timestampMs: Date.now() }
    const reply = await this.options.dispatcher.dispatch(command, origin)
    this.#answer(this.#dialect('json', '/commands/file'), command, origin, reply)
    return reply
  }

  /** Sends an event in the words of the origin's dialect. */
  emit(event: ServiceEvent, origin?: Origin, sent?: () => void): void {
    const dialect = this.options.dialects.get(origin?.dialect ?? 'json')
    const topic = origin?.replyTopic ?? this.options.statusTopic ?? ''
    this.#send(topic, dialect?.event(event, this.options.serviceId) ?? [], origin, sent)
  }

  /** Hears nothing more; resolves when what was heard is answered, the commands that run by `patienceMs` at the latest. */
  async close(patienceMs: number): Promise<void> {
    this.#closing = true
    const failed = (name: string, error: unknown): void =>
      this.options.log('warn', `closing ${name}: ${errorText(error)}`, errorFields(error))
    const open = [...this.#open].map((open) => ['a command topic', () => open.close()] as const)
    const pools = this.#pools.map((pool) => ['a pool', () => pool.close()] as const)
    await Promise.all([closeAll([...open, ...pools], failed, patienceMs), this.options.dispatcher.retire(patienceMs)])
    this.#open.clear()
    await Promise.all(this.#handling)
  }

  #dialect(id: string, path: string): Dialect {
    const dialect = this.options.dialects.get(id)
    if (dialect !== undefined) return dialect
    throw new CodedError('CONFIG_INVALID', `unknown dialect '${id}'; known are ${known(this.options.dialects)}`, {
      path
    })
  }

  async #requireTopic(name: string, right: 'READ' | 'WRITE', path: string): Promise<void> {
    const [info] = await this.options.kafka.topics([name], right)
    if (info?.partitions.length === 0) throw topicMissing(`topic ${name}`, path)
  }

  /** `toEnd`: only what is there now. */
  async #read(ear: Ear, from: 'latest' | 'earliest' | { timestampMs: number }, toEnd = false): Promise<Subscription> {
    const { kafka } = this.options
    const { topic } = ear
    let assign = (from === 'latest' ? this.#marks.of(topic) : undefined) ?? (await placesOf(kafka, topic, from))
    const partitions = assign.map(({ partition }) => partition)
    const ends = toEnd ? await kafka.offsets(topic, partitions, 'latest') : undefined
    if (ends !== undefined) assign = assign.filter(({ partition, offset }) => offset < (ends.get(partition) ?? 0))
    if (ends !== undefined && assign.length === 0) return { close: () => undefined }
    const reader = kafka.reader({ assign, maxWaitMs: 2000, ...(!toEnd && { follow: [topic] }) })
    const hear = (message: CommandMessage): void => void this.#handled(ear, message)
    const done = hearAll(reader, { places: assign, ends, hear, log: this.options.log }).catch((error: unknown) => {
      this.options.log('error', `commands on ${topic} are no longer heard: ${errorText(error)}`, errorFields(error))
    })
    return { close: () => reader.close().then(() => done) }
  }

  async #handled(ear: Ear, message: CommandMessage): Promise<void> {
    const handling = this.#handle(ear, message)
    this.#handling.add(handling)
    await handling
    this.#handling.delete(handling)
  }

  /** Never rejects. */
  async #handle(ear: Ear, message: CommandMessage): Promise<void> {
    const { log, maxBytes } = this.options
    let dialect = ear.dialects[0]
    const at = (id: string): Origin => ({
      dialect: id,
      topic: ear.topic,
      replyTopic: ear.replyTopic,
      timestampMs: message.timestampMs,
      partition: message.partition,
      offset: message.offset,
      ...(message.topicId !== undefined && { topicId: message.topicId }),
      ...(message.traceparent !== undefined && { traceparent: message.traceparent }),
      ...(message.take !== undefined && { take: message.take })
    })
    if (!ear.pool && ear.jobId === undefined && this.#said.isOwn(ear.topic, message.value)) return
    try {
      if (message.value.length > maxBytes)
        throw new CodedError(
          'COMMAND_TOO_LARGE',
          `the command has ${message.value.length} bytes; the limit commands.max_bytes is ${maxBytes}`
        )
      let isKnown = false
      for (dialect of ear.dialects) {
        const said = dialect.decode(message.value)
        isKnown ||= said !== undefined
        const command = this.#forUs(ear, dialect, said)
        if (command === undefined) continue
        const origin = at(dialect.id)
        log('info', `command ${command.cmd}${command.service === undefined ? '' : ` ${command.service}`}`, {
          msg_id: command.msg_id,
          topic: ear.topic,
          offset: message.offset
        })
        const isOld = !ear.pool && ear.jobId === undefined && this.#marks.isBefore(ear.topic, message)
        const reply =
          (isOld ? this.#marks.tooLate(command) : undefined) ??
          (await this.options.dispatcher.dispatch(command, origin))
        return this.#answer(dialect, command, origin, this.#othersMay(ear, reply) ? { ...reply, silent: true } : reply)
      }
      // The control topic of a job carries its answers, too
      const { topic, dialects, jobId } = ear
      if (isKnown || jobId !== undefined) return
      this.strangers.note({ ...message, topic }, dialects.map(({ id }) => id)) // prettier-ignore
    } catch (error) {
      if (dialect === undefined || ear.jobId !== undefined) return
      // What the dialect could read of the broken command, so that the answer can name it
      const read = error instanceof CodedError ? (error.fields['command'] as Partial<Command> | undefined) : undefined
      const command = { cmd: '', ...read }
      this.#answer(dialect, command, at(dialect.id), refusal(error))
    }
  }

  /** Undefined for what is not to be carried out here. */
  #forUs(ear: Ear, { id }: Dialect, command: Command | undefined): Command | undefined {
    if (command === undefined) return undefined
    if (ear.jobId !== undefined) return command['job_id'] === ear.jobId && command.cmd !== 'start' ? command : undefined
    // The group has chosen this daemon, whoever the command names
    if (ear.pool) Reflect.deleteProperty(command, 'service_id')
    if (ear.pool) return command
    // An accepted start is repeated on a control topic that others hear: starts come from the pool
    const start = command.cmd === 'start' && command.service !== undefined && command['service_id'] === undefined
    return start && this.#pooled.has(id) ? undefined : command
  }

  /** In a pool the job that nobody here knows is another daemon's, which answers. */
  #othersMay(ear: Ear, { errors }: Reply): boolean {
    return !ear.pool && this.#pools.length > 0 && errors?.some(({ code }) => code === 'JOB_UNKNOWN') === true
  }

  #answer(dialect: Dialect, command: Command, origin: Origin, reply: Reply): void {
    if (reply.silent === true) return reply.sent?.()
    const level = reply.response === 'ACK' ? 'info' : 'warn'
    this.options.log(level, `${reply.response} ${command.cmd}: ${reply.message}`, {
      msg_id: command.msg_id,
      job_id: reply.job_id,
      topic: origin.topic
    })
    const topic = reply.reply_topic ?? origin.replyTopic
    this.#send(topic, dialect.reply(command, reply, this.options.serviceId), origin, reply.sent)
  }

  /** `delivered` is called once, after the last of them. */
  #send(topic: string, messages: readonly OutMessage[], origin?: Origin, delivered?: () => void): void {
    if (topic === '' || messages.length === 0) return delivered?.()
    const trace = origin?.traceparent
    const headers = trace === undefined ? {} : { headers: [['traceparent', Buffer.from(trace)] as const] }
    messages.forEach((message, i) => {
      if (this.#heard.has(topic)) this.#said.note(topic, message.value)
      this.options.producer.send({ topic, ...message, ...headers }, (error) => {
        if (error !== null)
          this.options.log(
            'error',
            `an answer or event could not be sent to ${topic}: ${error.message}`,
            errorFields(error)
          )
        if (i === messages.length - 1) delivered?.()
      })
    })
  }
}
