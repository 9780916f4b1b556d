// Event formation: detectors of the config and of commands, a thread for each, exactly one end per detector.
import {
  CodedError,
  endsWithin,
  type Origin,
  type Reply,
  type Service,
  type ServiceContext,
  type Snapshot,
  topicMissing,
  version
} from '../../core/api/plugin.js'
import { type ConfigureDetectorCommand } from './commands/config.js'
import { type StartDetectorCommand } from './commands/start.js'
import { type ShowDetectorsCommand } from './commands/status.js'
import { type StopDetectorCommand } from './commands/stop.js'
import { Detector } from './detector.js'
import { CommandPort } from './efu/command-port.js'
import { type AskedDetector } from './efu/requests.js'
import { statsOf, statsPath } from './efu/stats.js'
import { filesOf } from './files.js'
import { checkFiles, readoutOf } from './form/check.js'
import { type DetectorFiles } from './form/formation.js'
import { metricsOf } from './metrics.js'
import { type DetectorOptions, type EventFormationOptions, requireRawTopic } from './options.js'
import { type DetectorProgress, type DetectorSpec } from './thread/protocol.js'

/** The thread empties its socket and waits for Kafka, each in its time; more is not waited for. */
const STOP_MS = 20_000

export class EventFormation implements Service {
  readonly #running = new Map<string, Detector>()
  /** Of those that run and of those whose jobs are still known, by name. */
  readonly #progress = new Map<string, DetectorProgress>()
  /** Why, by name; until they are started or stopped. */
  readonly #failed = new Map<string, string>()
  #closing = false

  constructor(
    readonly options: EventFormationOptions,
    readonly context: ServiceContext
  ) {}

  async start(): Promise<void> {
    for (const [name, one] of Object.entries(this.options.detectors as Record<string, DetectorOptions>)) {
      const at = `/services/${this.context.serviceId}/detectors/${name}`
      await this.#start(name, one, this.#files(one, false, at), undefined, at)
    }
  }

  retire(): void {
    this.#closing = true
  }

  async stop(): Promise<void> {
    this.#closing = true
    const detectors = [...this.#running.values()]
    await Promise.all(detectors.map((detector) => this.#stop(detector)))
  }

  snapshot(): Snapshot {
    const nowMs = performance.now()
    const detectors = [...this.#running.values()]
    for (const { job, progress } of detectors) this.#progress.set(job.id, progress)
    for (const name of this.#progress.keys())
      if (!this.#running.has(name) && this.context.jobs.show(name) === undefined) this.#progress.delete(name)
    const losing = detectors.flatMap((detector) => detector.loss(nowMs) ?? [])
    const failed = [...this.#failed].map(([name, why]) => `detector ${name} has failed: ${why}`)
    return {
      state: detectors.length === 0 ? 'idle' : 'receiving',
      detectors: Object.fromEntries(detectors.map((detector) => [detector.job.id, detector.info(false)])),
      not_ready: [...losing, ...failed],
      details: () => detectors.map((one) => ({ of: { path: statsPath(one.spec.options) }, counts: Object.fromEntries(statsOf(one.progress, one.uptimeS)) })), // prettier-ignore
      metrics: metricsOf(this.#progress, detectors.length)
    }
  }

  // ---------------------------------------------------------------- commands

  async startDetector(command: StartDetectorCommand, origin: Origin): Promise<Reply> {
    const name = command.job_id ?? command.family
    const detector = await this.#start(name, command, this.#files(command, true, ''), origin, '')
    const { host, port, topic } = detector.spec.options
    const message = `receiving at ${host}:${port}, events to ${topic}`
    return { response: 'ACK', status: 201, message, job_id: name }
  }

  async stopDetectors({ job_id: id, all }: StopDetectorCommand): Promise<Reply> {
    const failed = all === true ? [...this.#failed.keys()] : id !== undefined && this.#failed.has(id) ? [id] : []
    for (const name of failed) this.#failed.delete(name)
    const isOver = id !== undefined && failed.length > 0 && !this.#running.has(id)
    if (isOver)
      return { response: 'ACK', status: 200, message: `${id} has failed before; that is forgotten`, job_id: id }
    const detectors = all === true ? [...this.#running.values()] : [this.#find(id)]
    await Promise.all(detectors.map((detector) => this.#stop(detector)))
    const result = { detectors: detectors.map((detector) => ({ job_id: detector.job.id, ...detector.info(true) })) }
    const message = `stopped ${detectors.map(({ job }) => job.id).join(', ')}`
    const lost = detectors.filter(({ job }) => job.state === 'failed')
    if (lost.length > 0) return { response: 'ERR', status: 500, message: `${message}; not all went well`, result }
    return { response: 'ACK', status: 200, message, result }
  }

  async configureDetector(command: ConfigureDetectorCommand): Promise<Reply> {
    const { raw_only: rawOnly, reload } = command
    const detector = this.#find(command.job_id)
    const names = ['config', 'config_file', 'calibration', 'calibration_file'] as const
    const isNew = reload || names.some((name) => command[name] !== undefined)
    if (!isNew && rawOnly === undefined)
      throw new CodedError('COMMAND_INVALID', `nothing to change; give raw_only, reload, ${names.join(', ')}`, { path: '/' }) // prettier-ignore
    if (rawOnly === true) requireRawTopic(detector.spec.options, '')
    const { options, ...rest } = isNew ? this.#changed(detector.spec, command) : detector.spec
    await detector.configure({ ...(rawOnly !== undefined && { rawOnly }), ...(isNew && { files: rest.files }) })
    // What comes next changes this, not what it was started with
    detector.spec = { ...rest, options: { ...options, raw_only: rawOnly ?? options.raw_only } }
    const message = isNew ? 'from the next pulse on' : 'from the next packet on'
    return { response: 'ACK', status: 200, message, job_id: detector.job.id }
  }

  showDetectors({ job_id: id }: ShowDetectorsCommand): Reply {
    if (id === undefined) {
      const detectors = [...this.#running.values()].map(({ job }) => job.info())
      return { response: 'ACK', status: 200, message: `${detectors.length} detectors run`, result: { detectors } }
    }
    const info = this.context.jobs.show(id)
    if (info === undefined) throw unknownDetector(id)
    return { response: 'ACK', status: 200, message: String(info['state']), job_id: id, result: info }
  }

  // ---------------------------------------------------------------- detectors

  /** Files of the command in place of those it has; with `reload` those that it keeps are read again. */
  #changed({ name, options: old, files }: DetectorSpec, command: ConfigureDetectorCommand): DetectorSpec {
    const { folder } = this.options
    const given = filesOf(command as unknown as DetectorOptions, folder, true, '')
    const { config, config_file, calibration, calibration_file } = command
    const hasConfig = config !== undefined || config_file !== undefined
    const hasCalibration = calibration !== undefined || calibration_file !== undefined
    const options: DetectorOptions = {
      ...old,
      ...(hasConfig && { config, config_file }),
      ...(hasCalibration && { calibration, calibration_file })
    }
    const kept = command.reload ? filesOf(options, folder, false, '') : files
    return {
      name,
      options,
      files: {
        config: hasConfig ? given.config : kept.config,
        calibration: hasCalibration ? given.calibration : kept.calibration
      }
    }
  }

  #files(options: DetectorOptions, isCommand: boolean, at: string): DetectorFiles {
    const part = readoutOf(this.context, options.family, `${at}/family`)
    const files = filesOf(options, this.options.folder, isCommand, at)
    checkFiles(this.context, part, files, `${at}/config`)
    return files
  }

  async #start(
    name: string,
    options: DetectorOptions,
    files: DetectorFiles,
    origin: Origin | undefined,
    at: string
  ): Promise<Detector> {
    if (this.#closing) throw new CodedError('JOB_LIMIT', 'the daemon is stopping')
    await this.#requireTopics(options, at)
    const box: { detector?: Detector } = {}
    const job = await this.context.jobs.open(name, 'event_formation', (detail) => box.detector?.info(detail) ?? {})
    const worker = this.context.thread(new URL('./thread/main.js', import.meta.url), ['readout'])
    const detector = new Detector(job, { name, options, files }, origin, worker, {
      log: (level, message) => this.context.log(level, message, { job_id: name }),
      fault: (family, message) => this.context.fault('readout', family, 'process', new Error(message)),
      ended: (one, error) => this.#ended(one, error)
    })
    box.detector = detector
    this.#running.set(name, detector)
    job.to('starting')
    try {
      await detector.start()
      const { command_port: port, command_host: host } = options
      if (port !== undefined) detector.port = await CommandPort.open(host, port, this.#asked(detector))
    } catch (error) {
      this.#running.delete(name)
      job.to('failed', (error as Error).message)
      detector.stop()
      throw error
    }
    this.#failed.delete(name)
    job.to('running', `receiving at ${options.host}:${options.port}`)
    this.context.log('info', `detector ${name}: receives at ${options.host}:${options.port}`, { job_id: name })
    this.context.emit({ event: 'event_formation_started', job_id: name }, origin)
    return detector
  }

  /** For its command port. */
  #asked(detector: Detector): AskedDetector {
    const { family, command_exit: ends } = detector.spec.options
    return {
      version,
      family,
      path: statsPath(detector.spec.options),
      uptimeS: () => detector.uptimeS,
      progress: () => detector.progress,
      progressBefore: () => detector.progressBefore,
      isRawOnly: () => detector.spec.options.raw_only,
      onlyRaw: async (yes) => {
        await this.configureDetector({ cmd: 'config', job_id: detector.job.id, raw_only: yes, reload: false })
      },
      exit: () => {
        this.context.log('info', `detector ${detector.job.id}: told to end at its command port`)
        if (ends === 'detector') void this.#stop(detector)
        else void this.context.carryOut({ cmd: 'exit', service_id: this.context.serviceId })
      }
    }
  }

  async #requireTopics(options: DetectorOptions, at: string): Promise<void> {
    const { topic, raw_topic: raw, raw_only: rawOnly } = options
    if (rawOnly) requireRawTopic(options, at)
    const names = raw === undefined ? [topic] : [topic, raw]
    for (const { name, partitions } of await this.context.kafka.topics([...new Set(names)], 'WRITE'))
      if (partitions.length === 0)
        throw topicMissing(`topic ${name}`, `${at}/${name === topic ? 'topic' : 'raw_topic'}`)
  }

  #find(id: string | undefined): Detector {
    if (id !== undefined) {
      const found = this.#running.get(id)
      if (found === undefined) throw unknownDetector(id)
      return found
    }
    const [only, ...others] = this.#running.values()
    if (only !== undefined && others.length === 0) return only
    const text = only === undefined ? 'no detector runs' : `${others.length + 1} detectors run; say which by job_id`
    throw new CodedError('JOB_UNKNOWN', text, { path: '/job_id' })
  }

  async #stop(detector: Detector): Promise<void> {
    if (detector.job.state === 'running') detector.job.to('stopping')
    detector.stop()
    await endsWithin(detector.ended, STOP_MS)
    if (this.#running.has(detector.job.id)) await detector.worker.terminate()
  }

  #ended(detector: Detector, error: string | null): void {
    const { job, origin, progress } = detector
    // One that did not come up has its answer, and no end
    if (this.#running.get(job.id) !== detector || job.state === 'starting') return
    this.#running.delete(job.id)
    void detector.port?.close()
    this.#progress.set(job.id, progress)
    if (job.state === 'running') job.to('stopping')
    const { packets, events } = progress
    const message = error ?? `${events} events of ${packets} packets`
    job.to(error === null ? 'done' : 'failed', message)
    if (error !== null) this.#failed.set(job.id, error)
    this.context.log(error === null ? 'info' : 'error', `detector ${job.id}: ${message}`, { job_id: job.id })
    const report = detector.info(true)
    this.context.emit({ event: 'event_formation_done', job_id: job.id, error_encountered: error !== null, message, report }, origin) // prettier-ignore
  }
}

const unknownDetector = (id: string): CodedError =>
  new CodedError('JOB_UNKNOWN', `no detector ${id} runs here`, { path: '/job_id', fields: { job_id: id } })
