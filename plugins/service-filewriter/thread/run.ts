// One write job inside its thread: check, make the file, read Kafka, end. Everything it says goes through `say`.
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNexusFile, type NexusFile } from '../file/file.js'
import { isRefused } from '../structure/leniency.js'
import { runInfo, structureError } from '../structure/make-file.js'
import { Recorder } from '../structure/recorder.js'
import { isoNs, sayLeftOut } from '../structure/report.js'
import { rootAttributes } from '../structure/root-attributes.js'
import { checkStructure, type Checked, type WriterParts } from '../structure/structure.js'
import { readTemplate, templateFile } from '../structure/template.js'
import { OPEN_END_NS, TimeWindow } from '../structure/window.js'
import { CodedError, type Kafka, type ReaderOptions, errorText } from '../../../core/api/plugin.js'
import { Details } from './details.js'
import { endFile } from './end.js'
import { type JobReader } from './fetch/reader.js'
import { discard, leftByEarlier, outputPath, requireFree, requireSpace, type OutputPath } from './output.js'
import { type FromWorker, type JobProgress, type ToWorker, type WriteSpec } from './protocol.js'
import { Reading, type Start } from './reading.js'
import { JobSpan } from './span.js'
import { cameLate, checkTopics, unread, type TopicPlan } from './topics.js'

/** Longest time between two looks for a topic that is waited for. */
const TOPIC_WAIT_MS = 2000
/** Findings of a lenient job in its report. */
const MOST_LISTED = 100
const MAX_TIMER_MS = 2 ** 31 - 1

/** Who is asked, and who reads the topics of the job proper. */
export interface RunKafka {
  readonly kafka: Kafka
  readonly reader: (options: ReaderOptions) => JobReader
}

export class WriteRun {
  readonly #window: TimeWindow
  readonly #abort = new AbortController()
  /** Aborted and made anew when the stop time moves. */
  #stopMoved = new AbortController()
  /** Reading has ended, one way or another. */
  readonly #over = new AbortController()
  readonly #path: OutputPath
  #recorder!: Recorder
  #reading!: Reading
  #details: Details | undefined
  #span!: JobSpan
  #phase: JobProgress['phase'] = 'waiting'
  /** No grace for late data: the user said now. */
  #now = false
  /** The file keeps the name of an unfinished one. */
  #abandoned = false
  #ended = false
  /** Of the file, between two batches. */
  #failure: Error | undefined
  #nextCheckpoint = 0
  #nextProgress = 0

  readonly #spec: WriteSpec
  readonly #parts: WriterParts
  readonly #kafka: Kafka
  readonly #reader: RunKafka['reader']
  readonly #say: (message: FromWorker) => void

  constructor(spec: WriteSpec, parts: WriterParts, { kafka, reader }: RunKafka, say: (message: FromWorker) => void) {
    this.#spec = spec
    this.#parts = parts
    this.#kafka = kafka
    this.#reader = reader
    this.#say = say

    this.#window = new TimeWindow(spec.startNs, spec.stopNs ?? OPEN_END_NS)
    const { lookBackMs, beforeStartMs } = spec.options
    if (lookBackMs !== null)
      this.#window.keepFromNs = spec.startNs - BigInt(Math.max(lookBackMs, beforeStartMs)) * 1_000_000n
    this.#path = outputPath(spec.folder, spec.fileName, spec.attempt)
    requireFree(this.#path)
  }

  /** A command from the main thread. */
  hear(message: Exclude<ToWorker, { type: 'start' | 'rehearse' | 'end' }>): void {
    if (message.type === 'abandon') {
      this.#abandoned = true
      return this.#cut(message.reason)
    }
    this.#noteOvershoot(message.stopNs)
    this.#window.stopNs = message.stopNs
    this.#stopMoved.abort()
    this.#stopMoved = new AbortController()
    if (message.type === 'set_stop') return this.#reading?.openEnds()
    this.#now = true
    if (message.how === 'abort') this.#cut(message.reason)
    else if (message.how === 'early') this.#recorder?.problems.push(`ended early: ${message.reason}`)
    else this.#recorder?.notes.push(message.reason)
  }

  /** What is in the file stays there. */
  #noteOvershoot(stopNs: bigint): void {
    const last = this.#recorder?.streams.reduce((last, { lastNs }) => (lastNs > last ? lastNs : last), 0n) ?? 0n
    if (last <= stopNs) return
    this.#recorder.notes.push(`the stop time became ${isoNs(stopNs)} when data up to ${isoNs(last)} had been written`)
  }

  #cut(reason: string): void {
    this.#recorder?.problems.push(`ended early: ${reason}`)
    this.#abort.abort()
    this.#reading?.endHere()
  }

  /** Runs the job to its end. Rejects (nothing made, nothing left) when it cannot begin. */
  async run(): Promise<void> {
    const spec = this.#spec
    const checked = await this.#check(spec.structure)
    const { plan, findings, leftOut } = checked
    let whole = plan
    if (spec.checkAlso !== undefined) {
      const also = await this.#check(spec.checkAlso)
      if (isRefused(spec.leniency, also, also.findings)) throw structureError(also.findings)
      whole = also.plan
    }
    const { onMissingTopic, onEmptyTopic } = spec.options
    const topics = await checkTopics(this.#kafka, plan, onMissingTopic, onEmptyTopic ?? 'wait')
    const all = [...findings, ...topics.findings]
    if (topics.fatal || isRefused(spec.leniency, checked, all)) throw structureError(all)
    const { memoryBytes } = spec.options
    requireSpace(dirname(this.#path.part), spec.options.leastFreeBytes ?? 0)
    const file = await createNexusFile(this.#path.part, { fsync: spec.options.fsync ?? 'close', memoryBytes })
    try {
      this.#recorder = this.#open(plan, file, topics)
      this.#recorder.problems.push(...sayLeftOut(leftOut))
      this.#recorder.notes.push(...all.slice(0, MOST_LISTED).map(({ path, message }) => `warning: ${path} ${message}`))
      if (spec.part !== true) this.#recorder.notes.push(...(await unread(this.#kafka, whole)))
      this.#recorder.begin()
      this.#recorder.checkpoint()
    } catch (error) {
      discard(file, this.#path.part)
      throw error
    }
    this.#say({ type: 'ready', file: this.#path.file, findings: all, streams: plan.streams.length })
    await this.#record(topics)
  }

  async #check(structure: unknown): Promise<Checked> {
    const { structureAt: at, templates, run, flavour } = this.#spec
    const file = templateFile(templates ?? null, run.instrumentName)
    const template = file === undefined ? {} : { template: await readTemplate(file) }
    return checkStructure(structure, this.#parts, { at, flavour, ...template })
  }

  #open(plan: ConstructorParameters<typeof Recorder>[0], file: NexusFile, topics: TopicPlan): Recorder {
    const spec = this.#spec
    const { reportInFile, compression } = spec.options
    const recorder = new Recorder(plan, this.#parts, file, {
      jobId: spec.jobId,
      ...(spec.attempt !== undefined && { attempt: spec.attempt }),
      window: this.#window,
      run: runInfo(this.#window, spec.fileName, spec.run),
      signal: this.#abort.signal,
      rootAttributes: rootAttributes(this.#path.file, spec.start),
      reportInFile,
      log: (level, message, fields, fault) =>
        this.#say({ type: 'log', level, message, ...(fields && { fields }), ...(fault && { fault }) }),
      ...(compression === null ? {} : { compression })
    })
    recorder.notes.push(...(spec.notes ?? []), ...leftByEarlier(this.#path, spec.attempt ?? 1))
    for (const stream of recorder.streams) stream.missing = topics.skipped.has(stream.plan.topic)
    return recorder
  }

  async #record(topics: TopicPlan): Promise<void> {
    const recorder = this.#recorder
    let failure: unknown
    try {
      await this.#read(topics)
      const plans = recorder.streams.map(({ plan }) => plan)
      const { problems, notes } = await this.#patiently(() => cameLate(this.#kafka, plans, topics.empty))
      recorder.problems.push(...problems)
      recorder.notes.push(...notes)
    } catch (error) {
      failure = error
      recorder.problems.push(`the job failed: ${errorText(error)}`)
    }
    this.#ended = true
    this.#phase = 'closing'
    this.#progress()
    const path = this.#path,
      abandoned = this.#abandoned,
      spec = this.#spec
    const end = await endFile({ recorder, path, spec, abandoned, failure, closed: () => this.#progress() })
    this.#say({ type: 'done', end })
  }

  async #read(topics: TopicPlan): Promise<void> {
    const spec = this.#spec
    this.#span = new JobSpan(this.#kafka, spec, this.#window, this.#recorder, this.#abort.signal)
    const details = (this.#details = spec.detailed === true ? new Details() : undefined)
    this.#reading = new Reading({
      reader: this.#reader,
      fetchBytes: spec.options.fetchBytes,
      signal: this.#abort.signal,
      between: () => this.#between(),
      lend: (batch, take) => this.#recorder.lend(batch.bytes.buffer, take, () => batch.release()),
      seekEnd: (topic) => this.#seekEnd(topic),
      startMs: this.#span.startMs,
      notes: this.#span,
      ...(details && { written: (batch, route) => details.note(batch, route) })
    })
    const beat = setInterval(() => this.#beat(), Math.min(spec.options.progressMs, spec.options.checkpointMs))
    try {
      const isEarly = (): boolean => Number(spec.startNs / 1_000_000n) > Date.now()
      while (!this.#now && !this.#abort.signal.aborted && isEarly()) await this.#until(spec.startNs)
      this.#phase = 'searching'
      const awaited = [...topics.waiting, ...(await this.#begin(topics))]
      this.#phase = 'writing'
      const waiting = Promise.all(awaited.map((topic) => this.#waitFor(topic)))
      const read = this.#reading.finished().finally(() => {
        if (awaited.length === 0 && this.#reading.topics().size > 0) this.#over.abort()
      })
      await Promise.all([waiting, read, this.#findEnds(waiting)])
      await this.#reading.finished()
      if (this.#failure !== undefined) throw this.#failure
      this.#span.startedLate(this.#reading.startedLate())
    } finally {
      this.#over.abort()
      clearInterval(beat)
    }
  }

  /** Finds the last values before the start and begins to read. Gives the topics that are gone since they were checked. */
  async #begin(topics: TopicPlan): Promise<string[]> {
    const starts: Start[] = []
    const gone: string[] = []
    for (const topic of topics.present.keys()) {
      if (this.#abort.signal.aborted) break
      const routes = this.#recorder.routes(topic)
      const found = await this.#patiently(() => this.#span.startsOf(topic, routes))
      if (found === undefined) gone.push(topic)
      else starts.push(...found)
    }
    this.#reading.add(starts)
    return gone
  }

  /** A topic that does not exist yet is read from its beginning once it does. */
  async #waitFor(topic: string): Promise<void> {
    while (!this.#pastEnd() && !this.#over.signal.aborted && !this.#abort.signal.aborted) {
      const routes = this.#recorder.routes(topic)
      const starts = await this.#patiently(() => this.#span.beginningsOf(topic, routes))
      if (starts !== undefined) return this.#reading.add(starts)
      await this.#pause(TOPIC_WAIT_MS)
    }
    for (const { streams } of this.#recorder.routes(topic)) for (const stream of streams) stream.missing = true
  }

  /** Waits for the stop time and the grace after it, then gives every partition the offset where it ends. */
  async #findEnds(waiting: Promise<unknown>): Promise<void> {
    for (;;) {
      const moved = this.#stopMoved.signal
      await this.#until(this.#window.stopNs, this.#now ? 0 : this.#spec.options.lateDataMs)
      if (this.#abort.signal.aborted || this.#over.signal.aborted) return this.#reading.endHere()
      if (moved.aborted) continue
      // Those that wait for a topic give up by themselves at the stop time
      await waiting
      for (const topic of this.#reading.topics().keys()) await this.#seekEnd(topic)
      if (!moved.aborted) return
    }
  }

  async #seekEnd(topic: string): Promise<void> {
    const moved = this.#stopMoved.signal
    const end = await this.#patiently(() => this.#span.endOf(topic, this.#now))
    if (!moved.aborted) this.#reading.setEnds(topic, end)
  }

  /** While no broker answers a job waits; only the user gives up. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.#unlessCut(ask())
      } catch (error) {
        const away = error instanceof CodedError && error.code === 'KAFKA_UNREACHABLE'
        // Pauses are over, too, once the job is: it would ask without end
        if (!away || this.#abort.signal.aborted || this.#over.signal.aborted) throw error
        this.#say({ type: 'log', level: 'warn', message: `${error.message}; trying again` })
        await this.#pause(TOPIC_WAIT_MS)
      }
    }
  }

  /** An answer that may take as long as Kafka is away is not waited for once the job is cut. */
  async #unlessCut<T>(answer: Promise<T>): Promise<T> {
    const { signal } = this.#abort
    let stop = (): void => undefined
    const cut = new Promise<never>((_, reject) => {
      stop = () => reject(new CodedError('KAFKA_UNREACHABLE', 'Kafka did not answer in time'))
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop)
    })
    try {
      return await Promise.race([answer, cut])
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  #pastEnd(): boolean {
    return Date.now() > this.#span.lastKafkaMs || (this.#now && Date.now() * 1e6 >= Number(this.#window.stopNs))
  }

  /** Sleeps until a time (and some more); returns early when the stop time moves or the job is aborted. */
  async #until(timeNs: bigint, moreMs = 0): Promise<void> {
    const moved = this.#stopMoved.signal
    for (;;) {
      const left = timeNs === OPEN_END_NS ? MAX_TIMER_MS : Number(timeNs / 1_000_000n) + moreMs - Date.now()
      if (left <= 0 || moved.aborted || this.#abort.signal.aborted || this.#over.signal.aborted) return
      await this.#pause(Math.min(left, MAX_TIMER_MS))
    }
  }

  async #pause(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.#stopMoved.signal, this.#abort.signal, this.#over.signal])
    await sleep(ms, undefined, { signal }).catch((error: Error) => {
      if (error.name !== 'AbortError') throw error
    })
  }

  /** In a timer nobody would hear that the file failed. */
  #beat(): void {
    this.#between().catch((error: unknown) => {
      this.#failure ??= error instanceof Error ? error : new Error(String(error))
      this.#abort.abort()
      this.#reading.endHere()
    })
  }

  /** What is due between two batches. */
  async #between(): Promise<void> {
    if (Date.now() >= this.#nextCheckpoint) await this.#recorder.drained()
    if (this.#ended) return
    const now = Date.now()
    if (now >= this.#nextCheckpoint) {
      this.#recorder.checkpoint()
      this.#nextCheckpoint = Date.now() + this.#spec.options.checkpointMs
    }
    if (now >= this.#nextProgress) {
      this.#progress()
      this.#nextProgress = now + this.#spec.options.progressMs
    }
  }

  #progress(): void {
    const recorder = this.#recorder,
      phase = this.#phase
    const lag = this.#reading?.lag ?? { behind: 0, behind_s: 0 }
    const details = this.#details?.rows()
    this.#say({ type: 'progress', progress: { phase, ...lag, ...recorder.totals(), ...(details && { details }) } })
  }
}
