// Messages → file: opens the writers of a plan on a file, routes messages to them and ends with a report.
import { type NexusFile } from '../file/file.js'
import { BadMessage, type Context, type LogLevel } from '../../../core/api/plugin.js'
import { type Converter, type ConverterPart, converterOf } from '../../../schemas/index.js'
import { buildFile, type Built } from './build.js'
import { routeKey, type StructurePlan, type PlanLink, type PlanStream } from './plan.js'
import { judge, makeReport, notWritten, verdictOf, type JobReport } from './report.js'
import { type Verdict } from './reasons.js'
import { type PartMethod, promised, stackOf, TopicRoute } from './route.js'
import { type WriterParts } from './structure.js'
import { StreamState, type TimeWindow } from './window.js'
import {
  type Attributes,
  type ColumnOptions,
  type Group,
  type RunInfo,
  type WriterContext,
  type Writer
} from '../writer-part.js'

export interface RecorderOptions {
  readonly jobId: string
  /** Default 1. */
  readonly attempt?: number
  readonly window: TimeWindow
  readonly run: RunInfo
  readonly signal: AbortSignal
  /** Attributes of the root beside those of the structure. */
  readonly rootAttributes: Attributes
  readonly compression?: ColumnOptions['compression']
  /** The report becomes `nexstream_report` in the first NXentry (or the root). */
  readonly reportInFile: boolean
  readonly log: (level: LogLevel, message: string, fields?: Record<string, unknown>, fault?: PartMethod) => void
}

export interface JobTotals {
  readonly messages: number
  readonly bytes: number
  readonly bad: number
  /** Messages that are not in the file, by reason. */
  readonly not_written: readonly (readonly [reason: string, messages: number])[]
  /** As it would be if the job ended now. */
  readonly verdict: Verdict
  readonly written: number
  readonly file_bytes: number
  readonly streams_with_data: number
  /** Group and messages written, of the first hundred streams. */
  readonly streams: readonly (readonly [path: string, written: number])[]
  /** Messages and bad ones, of the first hundred topics. */
  readonly topics: readonly (readonly [topic: string, messages: number, bad: number])[]
}

export class Recorder {
  /** By topic name, or topic and partitions (routeKey). */
  readonly topics = new Map<string, TopicRoute>()
  readonly streams: StreamState[] = []
  /** Trouble of the job as a whole, in words; not empty means that the job is no success. */
  readonly problems: string[] = []
  /** What else is worth knowing. */
  readonly notes: string[] = []
  readonly #built: Built
  readonly #writers: Writer[] = []

  readonly #plan: StructurePlan
  readonly #parts: WriterParts
  readonly #file: NexusFile
  readonly #options: RecorderOptions

  /** Makes the structure and opens every writer. Throws CodedError; the file is left for the caller to close. */
  constructor(plan: StructurePlan, parts: WriterParts, file: NexusFile, options: RecorderOptions) {
    this.#plan = plan
    this.#parts = parts
    this.#file = file
    this.#options = options

    const open = (stream: PlanStream, group: Group): void => this.#open(stream, group)
    const { compression } = options
    this.#built = buildFile(
      plan,
      file.root,
      options.rootAttributes,
      open,
      compression === undefined ? {} : { compression }
    )
  }

  /** Where messages of this topic go. */
  routes(topic: string): TopicRoute[] {
    return [...this.topics.values()].filter((route) => route.topic === topic)
  }

  /** The structure is complete; from here `topics` take messages. */
  begin(): void {
    this.#file.begin()
  }

  /** As NexusFile.lend: takes messages whose memory is given back when it is in the file. */
  lend(memory: ArrayBufferLike, take: () => void, release: () => void): void {
    this.#file.lend(memory, take, release)
  }

  /** As NexusFile.drained. */
  drained(): Promise<void> | undefined {
    return this.#file.drained()
  }

  checkpoint(): void {
    this.#file.checkpoint()
    this.#mark()
  }

  #mark(): void {
    for (const stream of this.streams) stream.mark()
  }

  /** Running totals; cheap enough for every second. */
  totals(): JobTotals {
    const topics = [...this.topics.values()]
    const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, n) => total + n, 0)
    const data = this.streams.filter((stream) => stream.plan.topic !== '')
    const badOf = ({ bad, streams }: TopicRoute): number =>
      streams.reduce(
        (total, stream) => (stream.bad.size > 0 ? total + sum(stream.bad.values()) : total),
        sum(bad.values())
      )
    return {
      messages: sum(topics.map((topic) => topic.messages)),
      bytes: sum(topics.map((topic) => topic.bytes)),
      bad: sum(topics.map(badOf)),
      not_written: notWritten(this.streams, topics),
      verdict: verdictOf(judge(this.streams, topics), this.problems),
      written: sum(data.map((stream) => stream.written)),
      file_bytes: this.#file.bytes,
      streams_with_data: data.filter((stream) => stream.written > 0).length,
      streams: data.slice(0, 100).map((stream) => [stream.plan.group.path, stream.written] as const),
      topics: [...this.topics].slice(0, 100).map(([name, topic]) => [name, topic.messages, badOf(topic)] as const)
    }
  }

  /** How it stands: the same as the final report. */
  report(): JobReport {
    return this.#reportNow([])
  }

  /** Writes what was kept, closes the writers, makes the last links and the report, closes the file. Throws when the file fails: then salvage. */
  finish(): JobReport {
    // Of a write that was behind nobody has heard yet
    if (this.#file.failure) throw this.#file.failure
    for (const route of this.topics.values()) for (const stream of route.streams) if (!stream.begun) route.begin(stream)
    for (const [i, writer] of this.#writers.entries()) this.#last('flush', writer, this.streams[i]?.plan)
    this.#file.finish()
    this.#mark()
    for (const [i, writer] of this.#writers.entries()) this.#last('close', writer, this.streams[i]?.plan)
    return this.#seal()
  }

  /** After a failure of the file: it is closed with what it held at its last checkpoint, and counts and report say so. */
  salvage(): JobReport {
    for (const stream of this.streams) stream.revert()
    this.#file.finish()
    return this.#seal()
  }

  #seal(): JobReport {
    const report = this.#reportNow(this.#built.finish())
    if (this.#options.reportInFile) this.#writeReport(report)
    this.#file.close()
    return report
  }

  #reportNow(links: readonly PlanLink[]): JobReport {
    const { window, attempt = 1 } = this.#options
    const { problems, notes } = this
    return makeReport(window, this.streams, [...this.topics.values()], { attempt, problems, notes }, links)
  }

  /** Ends without the niceties, after a failure of the file: what is good stays readable. */
  abandon(): void {
    this.#file.close()
  }

  #open(plan: PlanStream, group: Group): void {
    const stream = new StreamState(plan, this.#options.window)
    const { jobId, signal, run, log } = this.#options
    const context: WriterContext = {
      jobId,
      signal,
      run,
      late: (change) =>
        this.#file.lateStructure(() => {
          this.#mark()
          change()
        }),
      log: (level, message, fields) => log(level, `${plan.module} in ${plan.group.path}: ${message}`, fields),
      count: (reason, n, weight, first) => stream.say(reason, n, weight, first)
    }
    stream.writer = plan.part.open(group, plan.config, context)
    this.#writers.push(stream.writer)
    this.streams.push(stream)
    if (plan.topic === '') return
    const key = routeKey(plan.topic, plan.partitions)
    let route = this.topics.get(key)
    if (route === undefined) {
      route = new TopicRoute(plan.topic, log, plan.partitions)
      this.topics.set(key, route)
    }
    route.add(stream, this.#converters(plan, context))
  }

  readonly #opened = new Map<string, Converter>()

  #converters(plan: PlanStream, context: Context): Map<string, Converter> {
    const converters = new Map<string, Converter>()
    for (const id of plan.part.accepts) {
      const part = converterOf(this.#parts, id)
      if (part === undefined) continue
      let converter = this.#opened.get(id)
      if (converter === undefined) this.#opened.set(id, (converter = openConverter(part, context, this.#parts)))
      converters.set(id, converter)
    }
    return converters
  }

  #last(method: 'flush' | 'close', writer: Writer, plan: PlanStream | undefined): void {
    try {
      promised(writer[method]?.())
    } catch (error) {
      if (error instanceof BadMessage) return
      if (this.#file.failure) throw error
      const text = `${plan?.module ?? ''} in ${plan?.group.path ?? ''}: ${String(error)}`
      this.problems.push(text)
      this.#options.log('error', text, stackOf(error), { kind: 'writer', id: plan?.part.id ?? '', method })
    }
  }

  #writeReport(report: JobReport): void {
    const entry = [...this.#plan.root.groups.values()].find((group) => nxClass(group.attributes) === 'NXentry')
    const parent = this.#built.groups.get(entry ?? this.#plan.root)
    if (parent === undefined || parent.has(reportName)) return
    const note = parent.group(reportName, { NX_class: 'NXnote' })
    note.dataset('type', 'application/json', { dtype: 'string' })
    note.dataset('description', 'What was written, what was not, and why', { dtype: 'string' })
    note.dataset('data', JSON.stringify(report), { dtype: 'string' })
  }
}

export const reportName = 'nexstream_report'

function nxClass(attributes: ReadonlyMap<string, Attributes[string]>): unknown {
  const value = attributes.get('NX_class')
  return typeof value === 'object' && !Array.isArray(value) && 'value' in value ? value.value : value
}

/** Opens a converter with the defaults of its config. */
export function openConverter(part: ConverterPart, context: Context, parts: WriterParts): Converter {
  const config = {}
  parts.check(part.config, config)
  return part.open(config, context)
}
