// The service `simulator`: start, stop and status of runs of virtual instruments.
import { randomUUID } from 'node:crypto'
import {
  CodedError,
  type ErrorCode,
  type Finding,
  type Job,
  type Origin,
  type Reply,
  type Service,
  type ServiceContext,
  type Snapshot,
  errorText,
  missingText
} from '../../core/api/plugin.js'
import { type SourcePart, converterOf, OpenConverters, sourceOf } from '../../schemas/index.js'
import { type StartRunCommand } from './commands/start.js'
import { type EventEncoder, encoderOf, SimulatorRun, type RunCounts, type RunPlan } from './run.js'

interface ActiveRun {
  readonly run: SimulatorRun
  readonly job: Job
  readonly origin: Origin
  /** Set once the run is being ended; all who end it await the same. */
  ending?: Promise<EndedRun>
}

type EndedRun = RunCounts & { readonly job_id: string; readonly error?: string }

const finding = (code: ErrorCode, path: string, message: string): Finding => ({ code, path, message })

const refused = (errors: readonly Finding[]): Reply => ({
  response: 'ERR',
  status: 400,
  message: errors.map(({ path, message }) => `${path}: ${message}`).join('; '),
  errors
})

export class Simulator implements Service {
  readonly #runs = new Map<string, ActiveRun>()

  constructor(readonly context: ServiceContext) {}

  start(): Promise<void> {
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    await Promise.allSettled([...this.#runs.values()].flatMap((active) => [this.#end(active), active.run.cut()]))
  }

  snapshot(): Snapshot {
    const runs = [...this.#runs.values()].map(({ run, job }) => ({ job_id: run.id, state: job.state, ...run.counts() }))
    return { state: runs.length > 0 ? 'running' : 'idle', runs }
  }

  showRuns(): Reply {
    const { runs } = this.snapshot() as unknown as { runs: readonly unknown[] }
    return { response: 'ACK', status: 200, message: `${runs.length} runs`, result: { runs } }
  }

  async startRun(command: StartRunCommand, origin: Origin): Promise<Reply> {
    const id = command.job_id ?? randomUUID()
    const plan = await this.#plan(command)
    if (Array.isArray(plan)) return refused(plan)
    // The run is made in `describe`'s closure, hence after the job was let in
    const box: { run?: SimulatorRun } = {}
    const job = await this.context.jobs.open(id, 'simulator', () => ({ ...box.run?.counts() }))
    const run = new SimulatorRun(id, plan, this.context.kafka, this.context)
    box.run = run
    const active: ActiveRun = { run, job, origin }
    this.#runs.set(id, active)
    job.to('starting')
    try {
      run.start()
    } catch (error) {
      await this.#abandon(active, error)
      throw error
    }
    job.to('running')
    void run.ended.then(() => this.#finish(active))
    return { response: 'ACK', status: 201, message: `run ${id} started`, job_id: id, result: { job_id: id } }
  }

  async #abandon(active: ActiveRun, error: unknown): Promise<void> {
    this.#runs.delete(active.run.id)
    active.job.to('failed', errorText(error))
    await active.run.close().catch(() => undefined) // The first error is the one to report
  }

  /** What to run, or what is wrong with the command. */
  async #plan(command: StartRunCommand): Promise<RunPlan | Finding[]> {
    const { context } = this
    const errors: Finding[] = []
    const instrument = command.instrument ?? 'amor'
    const source = sourceOf(context, instrument)
    if (source === undefined)
      errors.push(
        finding('SOURCE_UNKNOWN', '/instrument', `no source '${instrument}'; loaded: ${list(context, 'source')}`)
      )
    const schemas = typeof command.schema === 'string' ? [command.schema] : (command.schema ?? ['ev44'])
    const encoders = schemas.flatMap((schema) => this.#encoder(schema, errors) ?? [])
    const channels = source === undefined ? [] : this.#channels(source, command, errors)
    const names = [...new Set(channels.map(({ topic }) => topic))]
    for (const { name, partitions } of await context.kafka.topics(names, 'WRITE')) {
      if (partitions.length > 0) continue
      const path = name === command.topic ? '/topic' : '/monitor_topic'
      errors.push(finding('TOPIC_MISSING', path, missingText(`topic ${name}`)))
    }
    return errors.length > 0 || source === undefined ? errors : { source, channels, encoders, encode: this.#encodes() }
  }

  #encodes(): RunPlan['encode'] {
    const { serviceId: jobId, signal } = this.context
    const converters = new OpenConverters(this.context, { jobId, signal, log: this.context.log.bind(this.context) })
    return (schema, record) => {
      const value = converters.of(schema)?.encode?.(record)
      if (value === undefined) throw new CodedError('CONVERTER_UNKNOWN', `no converter '${schema}' that encodes`)
      return value
    }
  }

  #encoder(schema: string, errors: Finding[]): EventEncoder | undefined {
    const part = converterOf(this.context, schema)
    const { serviceId, signal } = this.context
    const log = this.context.log.bind(this.context)
    const count = (): void => undefined
    const encoder = part && encoderOf(schema, part.open({}, { jobId: serviceId, signal, log, count }))
    if (encoder === undefined) {
      const text = `no converter '${schema}' that encodes; loaded: ${list(this.context, 'converter')}`
      errors.push(finding('CONVERTER_UNKNOWN', '/schema', text))
    }
    return encoder
  }

  /** The channels that the instrument's schema lists; those named `…monitor` go to `monitor_topic`. */
  #channels(source: SourcePart, command: StartRunCommand, errors: Finding[]): RunPlan['channels'] {
    const startTime = { start_time: new Date().toISOString() }
    return channelNames(source).map((channel, index) => {
      const options = { ...startTime, ...structuredClone(command.options ?? {}), channel }
      const found = this.context.check(source.config, options, '/options')
      if (index === 0) errors.push(...found)
      const topic = channel.endsWith('monitor') ? (command.monitor_topic ?? command.topic) : command.topic
      return { channel, topic, options }
    })
  }

  async stopRuns(id: string | undefined): Promise<Reply> {
    const active = [...this.#runs.values()].filter(({ run }) => id === undefined || run.id === id)
    if (active.length === 0) {
      const message = id === undefined ? 'no run is active' : `no run '${id}' is active`
      return { response: 'ERR', status: 404, message, errors: [finding('JOB_UNKNOWN', '/job_id', message)] }
    }
    const runs = await Promise.all(active.map((one) => this.#end(one)))
    const lost = runs.some(({ failed }) => failed > 0)
    const message = runs.map((run) => `run ${run.job_id}: ${run.pulses} pulses, ${run.events} events`).join('; ')
    return { response: lost ? 'ERR' : 'ACK', status: lost ? 500 : 200, message, result: { runs } }
  }

  /** A run has come to its last pulse. */
  async #finish(active: ActiveRun): Promise<void> {
    if (active.ending !== undefined) return
    const counts = await this.#end(active)
    this.context.emit({ event: 'simulation_done', ...counts }, active.origin)
  }

  #end(active: ActiveRun): Promise<EndedRun> {
    return (active.ending ??= this.#close(active))
  }

  async #close(active: ActiveRun): Promise<EndedRun> {
    const { run, job } = active
    if (job.state === 'running') job.to('stopping')
    let failure = ''
    await run.close().catch((error: Error) => (failure = error.message))
    this.#runs.delete(run.id)
    const counts = { job_id: run.id, ...run.counts(), ...(failure === '' ? {} : { error: failure }) }
    if (counts.failed > 0)
      this.context.log('error', `run ${run.id}: ${counts.failed} of ${counts.messages} messages are lost`)
    if (job.state === 'stopping') job.to(failure === '' ? 'done' : 'failed', failure)
    return counts
  }
}

function channelNames(source: SourcePart): string[] {
  const { config } = source
  const channel = typeof config === 'object' ? config.properties?.['channel'] : undefined
  const names = typeof channel === 'object' ? channel.enum : undefined
  if (!Array.isArray(names) || names.length === 0)
    throw new CodedError(
      'COMMAND_INVALID',
      `source '${source.id}' does not list its channels: it is not an instrument`,
      {
        path: '/instrument'
      }
    )
  return names.map(String)
}

function list(context: ServiceContext, kind: 'source' | 'converter'): string {
  return context.ids(kind).join(', ')
}
