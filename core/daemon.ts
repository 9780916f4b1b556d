// The daemon, start to stop in reading order: plugins → Kafka → services → commands → status; and back.
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { type Closing, closeInTurn } from './closing.js'
import { readCommandFile } from './command-file.js'
import { loadCommands, loadDialects, type RunnableCommand } from './commands.js'
import { durationMs } from './api/duration.js'
import { withOrigin, type DaemonConfig, type LoadedConfig } from './config.js'
import { Dispatcher } from './dispatcher.js'
import { Faults, ownerOf } from './faults.js'
import { guardedDialect, type GuardedPart } from './guards.js'
import { type OpenedParts, openParts } from './open-parts.js'
import { CodedError, errorText, topicMissing } from './api/errors.js'
import { listensOf } from './inspect.js'
import { JobRegistry } from './jobs.js'
import { connectKafka, type KafkaClient } from './kafka/client.js'
import { GroupReader } from './kafka/group.js'
import { CommandListener } from './listener.js'
import { notReady } from './health.js'
import { type PartKind } from './host.js'
import { loadConfigured, type Loaded } from './loader.js'
import { errorFields, openLog, type Logger } from './log.js'
import { lookupOf } from './lookup.js'
import {
  type DaemonSnapshot,
  type Dialect,
  type LogLevel,
  type Producer,
  type ServiceContext,
  type Snapshot
} from './api/plugin.js'
import { version } from './root.js'
import { StatusLoop } from './status.js'
import { startThread, threadConfigOf, threadPartKinds } from './thread.js'

/** How often is looked whether Kafka answers. */
const WATCH_MS = 5000
/** What a command that runs when the daemon is told to stop may still take. */
const COMMAND_PATIENCE_MS = 3000
/** Parts of the time to stop. */
const SERVICES_SHARE = 0.7
const REPORTERS_SHARE = 0.15
const ALL_SHARE = 0.95
/** What each step of the stop gets, however late it is. */
const LEAST_MS = 50

export class Daemon {
  readonly serviceId: string
  readonly #config: DaemonConfig
  readonly #logger: Logger
  readonly #abort = new AbortController()
  readonly #startedAt = Date.now()
  readonly #parts: OpenedParts = { services: new Map(), running: new Map(), reporters: new Map() }
  readonly #faults: Faults
  readonly jobs: JobRegistry
  readonly log: Logger['log']
  #commands: readonly RunnableCommand[] = []
  #loaded!: Loaded
  #kafka!: KafkaClient
  #producer!: Producer
  #listener!: CommandListener
  #status: StatusLoop | undefined
  #stopping: Promise<void> | undefined
  /** What is said of it from then on is its last word. */
  #servicesEnded = false
  /** False when a service was cut off while it stopped: what it still had may be lost. */
  stoppedInTime = true
  /** Errors while it stops. */
  readonly #troubles: string[] = []

  constructor(
    readonly loaded: LoadedConfig,
    /** Called when a command asks for shutdown. */
    readonly onShutdown: (reason: string) => void
  ) {
    this.#config = loaded.config
    this.serviceId = this.#config.daemon.service_id ?? `nexstream:${hostname()}:${process.pid}`
    this.#logger = openLog(this.#config.log, this.serviceId)
    this.log = this.#partLog({})
    this.#faults = new Faults(this.log, () => this.#logger.level === 'debug')
    this.jobs = new JobRegistry({
      starting: (job) => this.#loaded.host.hooks.jobStarting.promise(job),
      stopped: (job) =>
        this.#loaded.host.hooks.jobStopped
          .promise(job)
          .catch((error: unknown) => this.log('error', (error as Error).message, errorFields(error)))
    })
  }

  /** Starts everything or throws a CodedError, having closed what was open. */
  async start(): Promise<void> {
    try {
      this.#loaded = await loadConfigured(this.loaded)
      const { host } = this.#loaded
      this.#logger.hear = (line) => host.hooks.logged.call(line)
      host.onFault = (plugin, hook, error) => this.#faults.caught(plugin, 'hook', hook, error)
      this.#commands = await loadCommands(host)
      const dialects = await loadDialects(host, (dialect) =>
        guardedDialect(dialect, this.#place('dialect', dialect.id))
      )
      this.#goOn()
      for (const warning of this.loaded.warnings) this.log('warn', warning)
      this.log('info', `nexstream ${version} connects to Kafka`, { brokers: brokersOf(this.#config) })
      this.#kafka = this.#connect()
      this.#producer = this.#kafka.producer({ lingerMs: 5 })
      await this.#requireStatusTopic()
      this.#goOn()
      this.#listener = this.#makeListener(dialects)
      const place = (kind: PartKind, id: string): GuardedPart => this.#place(kind, id)
      openParts({ loaded: this.loaded, host, place, context: this.#context(), log: this.log }, this.#parts)
      for (const { listen } of listensOf(this.#config)) await this.#listener.mark(listen)
      for (const [id, service] of this.#parts.services) {
        const runs = await service.start(durationMs(this.#config.daemon.start_timeout))
        this.#goOn()
        if (runs) this.log('info', `service ${id} started`)
        else this.#parts.running.delete(id)
      }
      if (this.#parts.services.size === 0)
        this.log('warn', 'no service is configured: nothing to do; see [services] in the docs')
      await this.#listen()
      this.#goOn()
      this.#startStatus()
      this.log('info', `nexstream ${version} is up as ${this.serviceId}`, {
        services: [...this.#parts.services.keys()],
        commands: listensOf(this.#config).map(({ listen }) => listen.topic)
      })
    } catch (error) {
      await this.stop('start failed')
      throw error
    }
  }

  /** Nothing is opened any more once the end has been asked for. */
  #goOn(): void {
    if (this.#stopping !== undefined) throw new CodedError('COMMAND_FAILED', 'stopped while it started')
  }

  /** Ends in the opposite order: files are finished, messages delivered. Safe to call twice. */
  stop(reason: string): Promise<void> {
    return (this.#stopping ??= this.#stop(reason))
  }

  snapshot(): DaemonSnapshot {
    const services: Record<string, Snapshot> = {}
    for (const [id, service] of this.#parts.services) services[id] = service.snapshot()
    const faults = this.#faults.list()
    const strangers = this.#listener.strangers.counts()
    const snapshot: DaemonSnapshot = {
      type: 'nexstream_status',
      service_id: this.serviceId,
      version,
      host: hostname(),
      pid: process.pid,
      time: new Date().toISOString(),
      state: this.#state(),
      kafka: { connected: this.#kafka.connected },
      uptime_s: Math.round((Date.now() - this.#startedAt) / 1000),
      update_interval_ms: durationMs(this.#config.status.interval),
      services,
      jobs: this.jobs.list(),
      ...(faults.length > 0 && { plugin_errors: faults }),
      ...(strangers !== undefined && { not_understood: strangers })
    }
    const all = this.#loaded.host.hooks.snapshot.call(snapshot)
    const reasons = notReady(all, durationMs(this.#config.status.max_behind))
    return reasons.length > 0 ? { ...all, not_ready: reasons } : all
  }

  #state(): DaemonSnapshot['state'] {
    if (this.#stopping === undefined) return this.#kafka.connected ? 'running' : 'waiting for Kafka'
    return this.#servicesEnded ? 'stopped' : 'stopping'
  }

  /** Counts what was thrown where nobody called, e.g. in a timer, as a fault of the plugin whose code threw it; false: it was none's. */
  blame(error: unknown): boolean {
    const plugin = ownerOf(error, this.#loaded?.plugins ?? [])
    if (plugin !== undefined) this.#faults.caught(plugin.name, 'plugin', 'later', error)
    return plugin !== undefined
  }

  /** How much is logged; the config's level at start. */
  get logLevel(): LogLevel {
    return this.#logger.level
  }
  set logLevel(level) {
    this.#logger.level = level
    this.log('info', `logs ${level} and what is more severe from now on`)
  }

  #makeListener(dialects: ReadonlyMap<string, Dialect>): CommandListener {
    const dispatcher = new Dispatcher({
      commands: this.#commands,
      services: this.#parts.running,
      serviceId: this.serviceId,
      fault: (service, cmd, error) => this.#fault('service', service)(`command ${cmd}`, error),
      timeoutMs: durationMs(this.#config.commands.timeout),
      daemon: {
        snapshot: () => this.snapshot(),
        jobs: this.jobs,
        plugins: () =>
          this.#loaded.plugins.map(({ name, version, summary, builtin }) => ({ name, version, summary, builtin })),
        commands: () => this.#commands,
        shutdown: (reason) => setImmediate(() => this.onShutdown(reason)),
        logLevel: (level) => (this.logLevel = level)
      }
    })
    return new CommandListener({
      kafka: this.#kafka,
      producer: this.#producer,
      dialects,
      dispatcher,
      statusTopic: this.#config.status.topic,
      serviceId: this.serviceId,
      maxBytes: this.#config.commands.max_bytes,
      log: this.log,
      openGroup: (group, work) => new GroupReader(this.#kafka, group, work, this.log)
    })
  }

  #place(kind: PartKind, id: string): GuardedPart {
    return { plugin: this.#loaded.host.owner(kind, id) ?? '', part: `${kind} ${id}`, caught: this.#faults.caught }
  }

  #fault(kind: PartKind, id: string): (method: string, error: unknown) => void {
    const { plugin, part, caught } = this.#place(kind, id)
    return (method, error) => caught(plugin, part, method, error)
  }

  #context(): (name: string) => ServiceContext {
    const { host } = this.#loaded
    return (name) => ({
      serviceId: this.serviceId,
      signal: this.#abort.signal,
      kafka: this.#kafka,
      jobs: this.jobs,
      brokers: brokersOf(this.#config),
      statusTopic: this.#config.status.topic,
      thread: (entry, kinds = threadPartKinds) => startThread(threadConfigOf(this.loaded, this.#loaded, kinds), entry),
      log: this.#partLog({ part: name }),
      fault: (kind, id, method, error) => this.#fault(kind, id)(method, error),
      ...lookupOf(host, this.#faults.caught),
      emit: (event, origin, sent) => this.#listener.emit(event, origin, sent),
      listen: (topic, options) => this.#listener.listen(topic, options),
      takeJobs: (yes) => this.#listener.takeJobs(yes),
      recall: (origin) => this.#listener.recall(origin),
      answer: (command, origin, reply) => this.#listener.answer(command, origin, reply),
      commands: () => this.#commands,
      carryOut: (command) => this.#listener.carryOut(command)
    })
  }

  async #listen(): Promise<void> {
    for (const listen of listensOf(this.#config)) await this.#listener.add(listen)
    const { file } = this.#config.commands
    if (file !== undefined)
      await this.#listener.runFile(
        readCommandFile(resolve(this.loaded.baseFolder, file), [...this.#listener.options.dialects.values()])
      )
  }

  async #requireStatusTopic(): Promise<void> {
    const { topic } = this.#config.status
    if (topic === undefined) return
    const [info] = await this.#kafka.topics([topic], 'WRITE')
    if (info?.partitions.length === 0) throw topicMissing(`status topic ${topic}`, '/status/topic')
  }

  #startStatus(): void {
    this.#status = new StatusLoop(
      this.#parts.reporters,
      () => this.snapshot(),
      durationMs(this.#config.status.interval),
      this.log,
      (id, method, error) => this.#fault('reporter', id)(method, error)
    )
    this.#status.start()
  }

  #connect(): KafkaClient {
    try {
      const client = connectKafka(this.#config.kafka, this.#logger.with({ part: 'kafka' }))
      client.watch(WATCH_MS)
      return client
    } catch (error) {
      throw withOrigin(error, this.loaded)
    }
  }

  /** What goes wrong while the daemon stops is also in its last line. */
  #partLog(fields: Record<string, unknown>): Logger['log'] {
    const log = this.#logger.with(fields)
    return (level, message, more) => {
      if (level === 'error' && this.#stopping !== undefined) this.#troubles.push(message)
      log(level, message, more)
    }
  }

  /** Whatever fails on the way is told and the rest is closed all the same. */
  async #stop(reason: string): Promise<void> {
    this.log('info', `stopping: ${reason}`)
    const failed = (what: string, error: unknown): void =>
      this.log('error', `${what}: ${errorText(error)}`, errorFields(error))
    const services = [...this.#parts.services].reverse()
    const timeoutMs = durationMs(this.#config.daemon.shutdown_timeout)
    // So that one that hangs leaves time to close the rest
    const patienceMs = timeoutMs * SERVICES_SHARE
    for (const [, service] of services) service.retire()
    const stop = async ([, service]: (typeof services)[number]): Promise<void> => {
      if (!(await service.stop(reason, patienceMs))) this.stoppedInTime = false
    }
    const steps: Closing[] = [
      ['stop hearing commands', () => this.#listener?.close(COMMAND_PATIENCE_MS)],
      ['stop services', () => Promise.all(services.map(stop))],
      ['say the last word', () => (this.#servicesEnded = true)],
      ['stop status', () => this.#status?.stop(timeoutMs * REPORTERS_SHARE)],
      ['end the signal of the parts', () => this.#abort.abort(new Error(reason))],
      ['deliver last messages', () => this.#producer?.close()],
      ['close Kafka', () => this.#kafka?.close()],
      ['close plugins', () => this.#loaded?.close()]
    ]
    const endMs = Date.now() + timeoutMs * ALL_SHARE
    await closeInTurn(steps, failed, () => Math.max(LEAST_MS, endMs - Date.now()))
    if (this.#troubles.length === 0) this.log('info', 'stopped')
    else this.log('warn', `stopped; on the way: ${this.#troubles.join('; ').slice(0, 2000)}`)
    await this.#logger.close()
  }
}

function brokersOf(config: DaemonConfig): readonly string[] {
  const kafka = config.kafka as Readonly<Record<string, unknown>>
  const brokers = kafka['brokers'] ?? kafka['bootstrap.servers'] ?? []
  return typeof brokers === 'string' ? brokers.split(',') : (brokers as readonly string[])
}
