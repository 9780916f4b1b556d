// The file writer: commands to jobs, exactly one end per accepted job, the state for heartbeats and status.
import { randomUUID } from 'node:crypto'
import {
  CodedError,
  type Command,
  type Options,
  type Origin,
  type Reply,
  type Service,
  type ServiceContext,
  type ServiceEvent,
  type Snapshot,
  type Subscription,
  errorText
} from '../../core/api/plugin.js'
import { type StartJobCommand } from './commands/start.js'
import { FileJob, neverEvent, ownTopic } from './file-job.js'
import { Journal, type JobRun, placeOf } from './journal.js'
import { type optionSchema } from './options.js'
import { RunningJobs } from './running-jobs.js'
import { warnings } from './short-report.js'
import { snapshotOf, ServiceTotals } from './snapshot.js'
import { OutputFolder } from './space.js'
import { type Again, specOf } from './spec.js'
import { type JobLog } from './thread/protocol.js'
import { WriteThreads } from './thread/threads.js'
import { msOfNs } from './times.js'

/** A job that has not ended so long after the daemon asked for it ends without reading on. */
const STOP_PATIENCE_MS = 15_000
/** The same while Kafka is away. */
const AWAY_PATIENCE_MS = 5000

export class FileWriter implements Service {
  readonly #jobs = new Map<string, FileJob>()
  /** Carries out the commands for jobs that run. */
  readonly running: RunningJobs
  readonly #ended = new ServiceTotals()
  readonly #journal: Journal | undefined
  readonly #threads: WriteThreads
  readonly #folder: OutputFolder
  /** Places kept for jobs that are about to begin. */
  #opening = 0
  /** Of these, for jobs of daemons that are gone. */
  #adopting = 0
  #closing = false
  readonly #beginning = new Set<Promise<void>>()

  readonly #options: Options<typeof optionSchema>
  readonly #context: ServiceContext

  constructor(options: Options<typeof optionSchema>, context: ServiceContext) {
    this.#options = options
    this.#context = context

    this.running = new RunningJobs(this.#jobs, context.jobs, (job, heardMs) => this.#remember(job, heardMs))
    this.#threads = new WriteThreads((entry) => context.thread(entry, ['converter', 'writer']), options.rehearse)
    this.#folder = new OutputFolder(options.folder, options.least_free_bytes, (level, text) => context.log(level, text))
    const { journal_topic: topic, journal_lease_ms: leaseMs } = options
    if (topic === undefined) return
    const { kafka, serviceId } = context
    this.#journal = new Journal(
      kafka,
      { topic, leaseMs, serviceId },
      {
        lost: (run) => this.#lost(run),
        orphaned: () => this.#keepPlaceToAdopt(),
        adopt: (run, former) => void this.#adopt(run, former),
        released: () => this.#releaseAdopted(),
        log: (level, message) => context.log(level, message)
      }
    )
  }

  async start(): Promise<void> {
    await this.#folder.start()
    await this.#journal?.open()
    this.#threads.prepareSoon()
  }

  retire(): void {
    this.#closing = true
  }

  async stop(reason: string): Promise<void> {
    this.#closing = true
    // What has begun to begin is a job soon
    await Promise.all(this.#beginning)
    const running = [...this.#jobs.values()]
    for (const job of running) {
      if (this.#options.on_shutdown === 'hand_over' && job.run !== undefined) this.#handOver(job, job.run, reason)
      else job.write.stopNow(`the daemon stops: ${reason}`, 'early')
    }
    const { kafka } = this.#context
    const late = setTimeout(
      () => {
        const why = kafka.connected ? '' : '; Kafka is away: what was not read is missing'
        for (const job of running) {
          job.write.stopNow(`the daemon stops: ${reason}${why}`, 'abort')
          // Its end waits for the answer to its start, which Kafka may not have acknowledged and never will
          job.answered()
        }
      },
      kafka.connected ? STOP_PATIENCE_MS : AWAY_PATIENCE_MS
    )
    await Promise.all(running.map((job) => job.ended))
    clearTimeout(late)
    await this.#threads.close()
    this.#folder.stop()
    await this.#journal?.close()
  }

  snapshot(): Snapshot {
    return snapshotOf([...this.#jobs.values()], this.#ended, this.#options.max_jobs, this.#folder, this.#threads)
  }

  async startJob(command: StartJobCommand, origin: Origin): Promise<Reply> {
    const id = command.job_id ?? randomUUID()
    if (this.#closing) throw new CodedError('JOB_LIMIT', 'the daemon is stopping')
    // Before the places are counted: a client must not take the refusal for the end of the first
    if (this.#jobs.has(id))
      throw new CodedError('JOB_EXISTS', `job ${id} is running already; stop it or use another job_id`)
    if (!this.#keepPlace())
      throw new CodedError('JOB_LIMIT', `${this.#jobs.size} jobs run already (max_jobs)`, { fields: { job_id: id } })
    try {
      const place = placeOf(origin)
      const run = place === undefined ? undefined : await this.#journal?.claim(id, place)
      const others = place !== undefined && this.#journal !== undefined && run === undefined
      if (!others) await this.#take(origin, run)
      if (others || (this.#closing && run !== undefined)) return silent('another daemon runs it')
      return await this.#begin(id, command, origin, run)
    } finally {
      this.#freePlace()
    }
  }

  /** Takes the command from its pool for good. What the journal has is safe whatever the pool says. */
  async #take(origin: Origin, run: JobRun | undefined): Promise<void> {
    try {
      await origin.take?.()
    } catch (error) {
      if (run === undefined) throw error
      this.#context.log('warn', `a job is taken but its pool does not know: ${(error as Error).message}`)
    }
  }

  /** Begins a job, for the first time or again; a refusal ends it in the journal. */
  #begin(id: string, command: StartJobCommand, origin: Origin, run: JobRun | undefined, again?: Again): Promise<Reply> {
    const begun = this.#open(id, command, origin, run, again)
    const over: Promise<void> = begun.then(
      () => void this.#beginning.delete(over),
      () => void this.#beginning.delete(over) // The caller tells why
    )
    this.#beginning.add(over)
    return begun
  }

  async #open(
    id: string,
    command: StartJobCommand,
    origin: Origin,
    run: JobRun | undefined,
    again?: Again
  ): Promise<Reply> {
    const box: { job?: FileJob } = {}
    let control: Subscription | undefined
    try {
      const spec = {
        ...specOf(id, command, this.#options, origin, again),
        ...(run !== undefined && { start: run.key })
      }
      const job = await this.#context.jobs.open(id, 'filewriter', (detail) => box.job?.info(detail) ?? {})
      try {
        job.to('starting')
        const log: JobLog = (level, message, fields, fault) => {
          if (fault === undefined) this.#context.log(level, message, fields)
          else this.#context.fault(fault.kind, fault.id, fault.method, Object.assign(new Error(message), fields))
        }
        const topic = await this.#controlTopic(command, origin)
        const mine = new FileJob(job, this.#threads.start(spec, log), topic, command.metadata)
        mine.run = run
        box.job = mine
        this.#jobs.set(id, mine)
        // After the job is known here: what was said before is heard now, what comes later anyway
        control = await this.#control(mine, origin, again?.heardMs)
        const ready = await mine.write.ready
        job.to('running', `writing ${ready.file}`)
        mine.ready = ready
        return this.#accepted(mine, origin, control)
      } catch (error) {
        box.job?.write.abandon('its start failed')
        if (this.#jobs.get(id) === box.job) this.#jobs.delete(id)
        await control?.close()
        job.to('failed', errorText(error))
        throw error
      }
    } catch (error) {
      if (run !== undefined) await this.#journal?.end(run)
      throw error
    }
  }

  #accepted(mine: FileJob, origin: Origin, control: Subscription | undefined): Reply {
    const { job, write, ready } = mine
    const { spec } = write
    const answered = new Promise<void>((resolve) => (mine.answered = resolve))
    this.#follow(mine, mine.origin(origin), control, answered)
    const again = spec.attempt === 1 ? '' : `, attempt ${spec.attempt}`
    const findings = ready?.findings ?? []
    return {
      response: 'ACK',
      status: 201,
      message: `writing ${ready?.file}${again}${warnings(findings)}`,
      job_id: job.id,
      result: {
        ...mine.files,
        streams: ready?.streams,
        start_time_ms: msOfNs(spec.startNs),
        stop_time_ms: msOfNs(spec.stopNs),
        ...(spec.attempt !== 1 && { attempt: spec.attempt })
      },
      ...(findings.length > 0 && { errors: findings }),
      ...mine.replyTopic,
      sent: () => mine.answered()
    }
  }

  /** Throws TOPIC_MISSING before anything is made. */
  async #controlTopic(command: StartJobCommand, origin: Origin): Promise<string | undefined> {
    const topic = ownTopic(command['control_topic'], origin)
    if (topic === undefined) return undefined
    const [info] = await this.#context.kafka.topics([topic], 'READ')
    if (info !== undefined && info.partitions.length > 0) return topic
    throw new CodedError('TOPIC_MISSING', `control topic '${topic}' does not exist`, { path: '/control_topic' })
  }

  #control(mine: FileJob, origin: Origin, heardMs: number | undefined): Promise<Subscription> | undefined {
    const { controlTopic: topic, job, write } = mine
    if (topic === undefined) return undefined
    const startMs = msOfNs(write.spec.startNs) ?? 0
    // A lost daemon may have lived on for long without coming to hear what was said
    const fromMs = heardMs === undefined ? Math.min(origin.timestampMs, startMs) : heardMs + 1
    return this.#context.listen(topic, { dialect: origin.dialect, jobId: job.id, fromMs })
  }

  /** Says, after the answer, that the job runs, and once how it ended. */
  #follow(mine: FileJob, origin: Origin, control: Subscription | undefined, answered: Promise<void>): void {
    const { job, write } = mine
    const started = answered.then(() => {
      mine.announced = true
      this.#context.emit({ event: 'writing_started', job_id: job.id, file_name: mine.ready?.file ?? '' }, origin)
    })
    mine.ended = write.done.then(async (end) => {
      await started
      this.#jobs.delete(job.id)
      mine.end = end
      this.#ended.add(mine.write, end)
      if (end.report !== null) job.to('stopping')
      job.to(end.error ? 'failed' : 'done', end.message)
      const level = end.error ? 'error' : end.report?.verdict === 'warnings' ? 'warn' : 'info'
      this.#context.log(level, `job ${job.id}: ${end.file}: ${end.message}`)
      if (!mine.handedOver) await this.#tellEnd(mine, origin, end)
      await control?.close()
      this.#offer()
    })
  }

  async #tellEnd(mine: FileJob, origin: Origin, end: NonNullable<FileJob['end']>): Promise<void> {
    const told = this.#told(mine.endEvent(end), origin)
    if (mine.run === undefined) return
    await told
    await this.#journal?.end(mine.run)
  }

  // ------------------------------------------------------------ places and the pool

  #keepPlace(): boolean {
    if (this.#closing || this.#runningJobs() + this.#opening >= this.#options.max_jobs) return false
    this.#opening++
    return true
  }

  #runningJobs(): number {
    return [...this.#jobs.values()].filter((job) => job.ready !== null).length
  }

  #freePlace(): void {
    this.#opening--
    this.#offer()
  }

  /** Takes starts from pools only while there is a place for one. Pools give one at a time, so one that begins is no reason to leave. */
  #offer(): void {
    if (!this.#closing) this.#context.takeJobs(this.#runningJobs() + this.#adopting < this.#options.max_jobs)
  }

  /** A job of a daemon that is gone is ours now; a place is kept for it. */
  async #adopt(run: JobRun, former: JobRun): Promise<void> {
    const { jobId: id, place, attempt, stopNs } = run
    const origin: Origin = { ...place }
    const note = `run again from history: attempt ${attempt}, as ${former.serviceId} was lost`
    this.#context.log('warn', `job ${id}: ${note}`)
    let command: Command = { cmd: 'start', job_id: id }
    try {
      // What was accepted once fits its schema
      const recalled = (await this.#context.recall(place)) as Command & StartJobCommand
      command = recalled
      await this.#former(run)
      if (this.#closing) return this.#journal?.forget(run)
      if (!this.#journal?.has(run)) return
      const again = { attempt, note, stopNs, heardMs: former.heardMs }
      this.#context.answer(command, origin, await this.#begin(id, recalled, origin, run, again))
    } catch (error) {
      // Who has it now tells its end
      if (!this.#journal?.has(run)) return
      await this.#notAgain(id, command, origin, note, error)
      await this.#journal?.end(run)
    } finally {
      this.#releaseAdopted()
    }
  }

  /** An attempt of ours that another daemon had taken over may still be about to end. */
  async #former({ jobId, key }: JobRun): Promise<void> {
    await Promise.all(this.#beginning)
    const job = this.#jobs.get(jobId)
    if (job?.run?.key === key) await job.ended
  }

  #releaseAdopted(): void {
    this.#adopting--
    this.#freePlace()
  }

  #keepPlaceToAdopt(): boolean {
    if (!this.#keepPlace()) return false
    this.#adopting++
    this.#offer()
    return true
  }

  /** The job was accepted once, so its end is told although it could not begin again. */
  async #notAgain(id: string, command: Command, start: Origin, note: string, error: unknown): Promise<void> {
    const message = `${note}; that failed: ${(error as Error).message}`
    this.#ended.failed++
    this.#context.log('error', `job ${id}: ${message}`)
    const { control_topic: named, file_name: name = '', metadata } = command
    const topic = ownTopic(named, start)
    const origin = topic === undefined ? start : { ...start, topic, replyTopic: topic }
    return this.#told(neverEvent(id, name, message, metadata), origin)
  }

  /** Resolves when Kafka has it. Only then may the journal call the job ended: if we die before, another tells its end. */
  #told(event: ServiceEvent, origin: Origin): Promise<void> {
    return new Promise((resolve) => this.#context.emit(event, origin, resolve))
  }

  /** The journal gave a job that runs here to another daemon, which thought this one dead. */
  #lost(run: JobRun): void {
    const job = [...this.#jobs.values()].find((job) => job.run?.key === run.key)
    if (job === undefined) return
    this.#context.log('error', `job ${job.job.id}: another daemon has taken it over; ending here`)
    this.#handOver(job, run, 'another daemon has taken it over')
  }

  /** Whoever runs the job after this daemon shall know its stop time. */
  async #remember(job: FileJob, heardMs: number): Promise<void> {
    if (job.run !== undefined) await this.#journal?.stopAt(job.run, job.write.stopNs, heardMs)
  }

  #handOver(job: FileJob, run: JobRun, reason: string): void {
    job.handedOver = true
    this.#journal?.forget(run)
    job.write.abandon(reason)
  }
}

const silent = (message: string): Reply => ({ response: 'ACK', status: 200, message, silent: true })
