// The forwarder service: commands on the list of streams, the list kept and restored, repeats, status.
import {
  CodedError,
  type Command,
  type Finding,
  type Origin,
  type Reply,
  type Service,
  type ServiceContext,
  type Snapshot,
  missingText
} from '../../core/api/plugin.js'
import { Board } from './board.js'
import { noChannelCounts } from './channel.js'
import { type ConfigureStreamsCommand } from './commands/config.js'
import { type StartStreamsCommand } from './commands/start.js'
import { type ShowChannelsCommand } from './commands/status.js'
import { type StopStreamsCommand } from './commands/stop.js'
import { Converters } from './converters.js'
import { matches } from './glob.js'
import { ForwarderGroup } from './group.js'
import { type ForwarderOptions } from './options.js'
import { Outlet } from './outlet.js'
import { Positions } from './positions.js'
import { ListReport } from './report.js'
import { type Selector, selects } from './selector.js'
import { finding, type Spec, SpecParser } from './spec.js'
import { ForwarderStatus } from './status.js'
import { Storage, type StoredList } from './storage.js'
import { Unspoken } from './unspoken.js'

/** Longest wait for the last messages when the service stops. */
const CLOSE_MS = 10_000
/** What a group may need for a new turn beside the session of the one that died. */
const REJOIN_MS = 20_000
/** How often missing topics are looked for. */
const TOPICS_MS = 10_000

export class Forwarder implements Service {
  readonly board: Board
  readonly #outlet: Outlet
  readonly #parser: SpecParser
  readonly #status: ForwarderStatus
  readonly #storage: Storage | undefined
  readonly #group: ForwarderGroup | undefined
  readonly #unspoken: Unspoken | undefined
  readonly #positions = new Positions()
  readonly #ended = new AbortController()
  /** Commands on the list that were carried out. */
  #commands = 0
  #following: Promise<void> | undefined
  /** The storage topic was made again, and nobody has written the list there yet. */
  #isUnkept = false
  #topicsTimer: NodeJS.Timeout | undefined

  constructor(
    readonly context: ServiceContext,
    readonly options: ForwarderOptions
  ) {
    const { kafka } = context
    const producer = kafka.producer({
      lingerMs: options.linger_ms,
      maxBufferedBytes: options.buffer_bytes,
      compression: options.compression
    })
    this.#outlet = new Outlet(producer, context, {
      bufferBytes: options.buffer_bytes,
      losslessBytes: options.lossless_bytes
    })
    const { group, group_session_ms: sessionMs, handover_ms: handoverMs } = options
    if (group !== undefined) {
      needsStorage(options)
      this.#unspoken = new Unspoken(context, 2 * sessionMs + REJOIN_MS)
      this.#group = new ForwarderGroup(context, { group, sessionMs, handoverMs }, (isNewLeader) => {
        void this.#reconcile()
        if (!isNewLeader) return
        void this.#unspoken?.speak()
        if (this.#isUnkept) void this.#keepAnew()
      })
    }
    const shared = {
      context,
      converters: new Converters(context),
      outlet: this.#outlet,
      maxAheadNs: BigInt(Math.round(options.max_ahead_s * 1e9)),
      older: options.older,
      dropNeverProcessed: options.never_processed === 'drop',
      totals: noChannelCounts()
    }
    this.board = new Board(shared, repeatTickMs(options.periodic_ms), this.#group?.share)
    this.#parser = new SpecParser(context, options)
    this.#status = new ForwarderStatus(this.board, this.#outlet, options.status_channels, this.#group)
    if (options.storage_topic !== undefined)
      this.#storage = new Storage(context, options.storage_topic, options.storage_format)
  }

  /** Opens the streams of the config file and those that were kept. What is wrong with them is logged, the rest is done. */
  async start(): Promise<void> {
    const found = await this.#storage?.restore()
    if (this.#ended.signal.aborted) return
    const kept = this.options.skip_restore ? undefined : found
    const errors: Finding[] = []
    for (const [i, stream] of this.options.streams.entries()) this.#put(stream, `/forwarder/streams/${i}`, errors)
    this.#take(kept, errors)
    this.#positions.restore(kept?.commands ?? {})
    for (const { path, message } of errors) this.context.log('warn', `stream not forwarded: ${path}: ${message}`)
    await this.#lookForTopics()
    if (this.#ended.signal.aborted) return
    await this.#group?.join()
    await this.#reconcile()
    if (this.#ended.signal.aborted) return
    if (this.board.specs.size > 0) this.context.log('info', `forwarding ${this.board.specs.size} streams`)
    this.#following = this.#storage?.follow(this.#ended.signal, {
      list: (list) => this.#adopt(list),
      madeAgain: () => this.#keepAnew()
    })
  }

  async stop(): Promise<void> {
    this.#ended.abort()
    await this.#group?.leave()
    clearTimeout(this.#topicsTimer)
    await this.#following
    await this.board.close()
    const lost = (text: string): void => this.context.log('error', text, { code: 'KAFKA_LOST' })
    try {
      const left = await this.#outlet.close(CLOSE_MS)
      if (left > 0) lost(`${left} messages were given up: Kafka is away or too slow`)
    } catch (error) {
      lost((error as Error).message)
    }
    await this.#storage?.close()
  }

  snapshot(): Snapshot {
    return { ...this.#status.snapshot(), news: this.#commands }
  }

  // ---------------------------------------------------------------- commands

  startStreams(command: StartStreamsCommand, origin: Origin): Promise<Reply> {
    return this.#change(command, origin, () => this.#start(command))
  }

  stopStreams(command: StopStreamsCommand, origin: Origin): Promise<Reply> {
    return this.#change(command, origin, () => this.#stop(command))
  }

  replaceStreams(command: ConfigureStreamsCommand, origin: Origin): Promise<Reply> {
    return this.#change(command, origin, () => this.#config(command))
  }

  showChannels(command: ShowChannelsCommand, origin: Origin): Reply {
    return this.#oneVoice(command, origin, this.#show(command))
  }

  /** A command on the list; one that a list taken over from another daemon holds already is not carried out again. */
  async #change(command: Command, origin: Origin, carryOut: () => Promise<Reply>): Promise<Reply> {
    if (this.#positions.take(origin)) return this.#oneVoice(command, origin, await carryOut())
    return this.#oneVoice(command, origin, { response: 'ACK', status: 200, message: 'done already by another member' })
  }

  /** In a group all carry out a command on the list and one answers, but for the daemon that is asked by its name. */
  #oneVoice(command: Command, origin: Origin, reply: Reply): Reply {
    if (this.#group === undefined || command['service_id'] !== undefined) return reply
    const { isLeader } = this.#group.share
    if (isLeader && !this.#group.isDoubtful()) return reply
    this.#unspoken?.keep(command, origin, reply)
    if (isLeader) void this.#unspoken?.speak() // Unless another leader has answered meanwhile
    return { ...reply, silent: true }
  }

  async #start(command: StartStreamsCommand): Promise<Reply> {
    const report = new ListReport()
    const specs = await this.#parse(command.streams, report)
    return this.#apply(specs, report)
  }

  async #config(command: ConfigureStreamsCommand): Promise<Reply> {
    const report = new ListReport()
    const { streams } = command
    const specs = await this.#parse(streams, report)
    if (specs.length === 0 && streams.length > 0) return report.reply() // Nothing good in it: no reason to stop everything
    const wanted = new Set(specs.map(({ id }) => id))
    for (const spec of [...this.board.specs.values()]) {
      if (wanted.has(spec.id)) continue
      this.board.specs.delete(spec.id)
      report.add('removed', spec)
    }
    return this.#apply(specs, report)
  }

  async #stop(command: StopStreamsCommand): Promise<Reply> {
    const report = new ListReport()
    const { channels = [], streams = [] } = command
    const selectors: [string, Selector][] = [
      ...channels.map((channel, i): [string, Selector] => [`/channels/${i}`, { channel }]),
      ...streams.map((selector, i): [string, Selector] => [`/streams/${i}`, selector])
    ]
    if (command.all === true) for (const spec of [...this.board.specs.values()]) this.#drop(spec, report)
    for (const [path, selector] of selectors) {
      if (Object.keys(selector).length === 0) {
        report.errors.push(finding('COMMAND_INVALID', path, 'names nothing; all streams are removed with all: true'))
        continue
      }
      const found = [...this.board.specs.values()].filter((spec) => selects(selector, spec))
      if (found.length === 0) report.errors.push(finding('COMMAND_INVALID', path, 'no stream matches'))
      for (const spec of found) this.#drop(spec, report)
    }
    return this.#apply([], report)
  }

  #drop(spec: Spec, report: ListReport): void {
    this.board.specs.delete(spec.id)
    report.add('removed', spec)
  }

  #show(command: ShowChannelsCommand): Reply {
    const { channels: pattern = '*', page = 0, page_size: size = 500 } = command
    const channels = [...this.board.channels.values()].filter(({ name }) => matches(pattern, name))
    const result = { ...this.#status.summary(), ...this.#status.page(channels, page, size) }
    return { response: 'ACK', status: 200, message: `${channels.length} channels`, result }
  }

  /** Puts specs on the list, brings the channels in line, keeps the list and answers. */
  async #apply(specs: readonly Spec[], report: ListReport): Promise<Reply> {
    if (this.#ended.signal.aborted) throw new CodedError('COMMAND_FAILED', 'the daemon is stopping: not carried out')
    for (const spec of specs) {
      const present = this.board.specs.get(spec.id)
      this.board.specs.set(spec.id, spec)
      report.add(present === undefined ? 'added' : present.settings === spec.settings ? 'unchanged' : 'changed', spec)
    }
    this.#commands++
    const failures = await this.board.reconcile()
    for (const spec of specs) {
      const failure = failures.get(spec.id)
      if (failure !== undefined) report.refuse(spec, failure)
    }
    if (report.changed && this.#storage !== undefined) report.kept = await this.#save(this.#storage)
    if (report.changed) this.context.log('info', `streams: ${report.summary()}`)
    return report.reply()
  }

  // ---------------------------------------------------------------- streams

  /** Brings the channels in line with the list outside of commands. Never rejects. */
  async #reconcile(): Promise<void> {
    try {
      const failures = await this.board.reconcile()
      for (const { message } of failures.values()) this.context.log('warn', `stream not forwarded: ${message}`)
    } catch (error) {
      this.context.log('error', `channels could not be closed: ${(error as Error).message}`)
    }
  }

  #save(storage: Storage): Promise<boolean> {
    return storage.save([...this.board.specs.values()], this.#positions.offsets())
  }

  /** The storage topic is another one: who speaks for the list writes it there, now or when it comes to speak. Never rejects. */
  async #keepAnew(): Promise<void> {
    this.#isUnkept = true
    if (this.#storage === undefined || this.#group?.share.isLeader === false) return
    this.#isUnkept = false
    const text = `storage topic '${this.#storage.topic}' was made again: the list of ${this.board.specs.size} streams is written there anew`
    this.context.log('warn', text, { topic: this.#storage.topic })
    await this.#save(this.#storage)
  }

  /** Another member kept a list: taken over when it has followed the commands further than ours. */
  async #adopt(list: StoredList): Promise<void> {
    this.#isUnkept = false
    if (this.#group === undefined || !this.#positions.follow(list.commands)) return
    const before = this.board.specs.size
    this.board.specs.clear()
    const errors: Finding[] = []
    this.#take(list, errors)
    for (const { path, message } of errors) this.context.log('warn', `stream not forwarded: ${path}: ${message}`)
    await this.#lookAgain()
    await this.#reconcile()
    const { size } = this.board.specs
    this.context.log('info', `list taken over from ${list.writer}: ${size} streams instead of ${before}`)
  }

  /** Streams whose topic does not exist wait for it; it is looked for again and again. */
  async #lookForTopics(): Promise<void> {
    clearTimeout(this.#topicsTimer)
    const topics = new Set([...this.board.specs.values()].map(({ topic }) => topic))
    const missing = await this.#missing([...topics])
    const before = this.board.missingTopics
    this.board.missingTopics = missing
    for (const topic of missing) {
      if (before.has(topic)) continue
      const count = [...this.board.specs.values()].filter((spec) => spec.topic === topic).length
      const text = `${missingText(`topic ${topic}`)}: ${count} streams wait for it`
      this.context.log('warn', text, { code: 'TOPIC_MISSING', topic })
    }
    if (missing.size === 0 || this.#ended.signal.aborted) return
    this.#topicsTimer = setTimeout(() => void this.#retryTopics(), TOPICS_MS)
  }

  async #retryTopics(): Promise<void> {
    const before = this.board.missingTopics.size
    await this.#lookAgain()
    if (this.board.missingTopics.size < before) await this.#reconcile()
  }

  async #lookAgain(): Promise<void> {
    try {
      await this.#lookForTopics()
    } catch {
      // Kafka is away, which its client tells
      if (this.#ended.signal.aborted) return
      this.#topicsTimer = setTimeout(() => void this.#retryTopics(), TOPICS_MS)
    }
  }

  /** The good specs of a command; topics of new ones must exist. */
  async #parse(streams: readonly unknown[], report: ListReport): Promise<Spec[]> {
    const found: { spec: Spec; path: string }[] = []
    for (const [i, stream] of streams.entries()) {
      const path = `/streams/${i}`
      const before = report.errors.length
      for (const spec of this.#parser.parse(structuredClone(stream), path, report.errors)) found.push({ spec, path })
      if (report.errors.length > before) report.refused++
    }
    const topics = new Set(found.filter(({ spec }) => !this.board.specs.has(spec.id)).map(({ spec }) => spec.topic))
    const missing = await this.#missing([...topics], 'WRITE')
    this.board.missingTopics = new Set(
      [...this.board.missingTopics].filter((topic) => missing.has(topic) || !topics.has(topic))
    )
    const good = new Map<string, Spec>()
    for (const { spec, path } of found) {
      if (missing.has(spec.topic)) {
        const text = missingText(`topic ${spec.topic}`)
        report.errors.push(finding('TOPIC_MISSING', `${path}/topic`, text))
        report.refused++
      } else good.set(spec.id, spec)
    }
    return [...good.values()]
  }

  async #missing(topics: readonly string[], right?: 'WRITE'): Promise<Set<string>> {
    if (topics.length === 0) return new Set()
    const infos = await this.context.kafka.topics(topics, right)
    const present = new Set(infos.filter(({ partitions }) => partitions.length > 0).map(({ name }) => name))
    return new Set(topics.filter((topic) => !present.has(topic)))
  }

  #put(stream: unknown, path: string, errors: Finding[]): void {
    for (const spec of this.#parser.parse(structuredClone(stream), path, errors)) this.board.specs.set(spec.id, spec)
  }

  #take(list: StoredList | undefined, errors: Finding[]): void {
    for (const [i, stream] of (list?.streams ?? []).entries()) this.#put(stream, `/streams/${i}`, errors)
  }
}

/** Often enough that a repeat is late by a tenth of the shortest period at most; a look costs some ns per channel. */
function repeatTickMs(periodicMs: number): number {
  const shortest = periodicMs > 0 ? periodicMs : 1000
  return Math.min(200, Math.max(10, shortest / 10))
}

/** Members that start later get the list from there. */
function needsStorage({ storage_topic: topic, storage_format: format }: ForwarderOptions): void {
  if (topic !== undefined && format === 'json') return
  const text = 'a group needs storage_topic with storage_format json: members that start later get the list from there'
  throw new CodedError('CONFIG_INVALID', text, { path: '/services/forwarder/storage_topic' })
}
