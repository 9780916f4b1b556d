// Entry of the thread that counts: all jobs of the service, one read for each topic.
import { CodedError, type Context, errorText, type ThreadContext, topicMissing } from '../../../core/api/plugin.js'
import { OpenConverters } from '../../../schemas/index.js'
import { Decoders } from './decoders.js'
import { Feed, type PartLag } from './feed.js'
import { HistogramJob, type Starts, topicsOf } from './job.js'
import { MessageMaker } from './message.js'
import { type JobPart } from './part.js'
import { type FromThread, type JobSpec, type ToThread } from './protocol.js'

const PROGRESS_MS = 1000

export default function main(context: ThreadContext): void {
  const thread = new CountingThread(context)
  context.port.on('message', (message: ToThread) => thread.hear(message))
}

class CountingThread {
  readonly #jobs = new Map<string, HistogramJob>()
  /** Jobs that begin, and whether `stop` has come meanwhile. */
  readonly #starting = new Map<string, boolean>()
  readonly #feeds = new Map<string, Feed>()
  readonly #owners = new Map<JobPart, HistogramJob>()
  readonly #kafka
  readonly #producer
  readonly #packer
  readonly #decoders: Decoders
  readonly #maker = new MessageMaker()
  readonly #progress: NodeJS.Timeout

  constructor(readonly context: ThreadContext) {
    this.#kafka = context.kafka((level, message) => this.#say({ type: 'log', level, message }))
    this.#producer = this.#kafka.producer({ lingerMs: 0 })
    this.#packer = this.#kafka.producer({ lingerMs: 0, compression: 'lz4' })
    const log: Context['log'] = (level, message) => this.#say({ type: 'log', level, message })
    this.#decoders = new Decoders(new OpenConverters(context.parts, { log }))
    this.#progress = setInterval(() => this.#tell(), PROGRESS_MS)
  }

  hear(message: ToThread): void {
    if (message.type === 'start') void this.#start(message.spec)
    else if (message.type === 'end') void this.#end()
    else if (message.type === 'reset') {
      for (const job of this.#jobs.values()) if (message.jobId === undefined || message.jobId === job.id) job.reset()
    } else if (this.#jobs.has(message.jobId)) void this.#jobs.get(message.jobId)?.stop()
    // It may as well have ended, and its id be that of a later one
    else if (this.#starting.has(message.jobId)) this.#starting.set(message.jobId, true)
  }

  /** Never rejects. */
  async #start(spec: JobSpec): Promise<void> {
    const { jobId } = spec
    this.#starting.set(jobId, false)
    try {
      const starts: Starts = spec.simulate ? new Map() : await this.#startsOf(spec)
      const job = new HistogramJob(spec, {
        kafka: this.#kafka,
        producer: this.#producer,
        packer: this.#packer,
        maker: this.#maker,
        decoders: this.#decoders,
        ended: (ended, error) => this.#ended(ended, error),
        log: (level, message) => this.#say({ type: 'log', level, message })
      })
      this.#jobs.set(jobId, job)
      for (const part of job.parts) {
        this.#owners.set(part, job)
        this.#feedOf(part.topic, spec.fetchBytes).add(part, starts.get(part.topic)!)
      }
      this.#say({ type: 'ready', jobId })
      job.begin()
      if (this.#starting.get(jobId) === true) void job.stop()
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'JOB_FAILED'
      this.#say({ type: 'refused', jobId, code, message: errorText(error) })
    } finally {
      this.#starting.delete(jobId)
    }
  }

  async #startsOf(spec: JobSpec): Promise<Starts> {
    const topics = topicsOf(spec)
    const starts = new Map<string, ReadonlyMap<number, number>>()
    for (const { name, partitions } of await this.#kafka.topics(topics, 'READ')) {
      if (partitions.length === 0) throw topicMissing(`topic ${name}`)
      const { startMs, disorderMs } = spec
      const at = startMs === null ? 'latest' : { timestampMs: Math.max(0, startMs - disorderMs) }
      starts.set(name, await this.#kafka.offsets(name, partitions, at))
    }
    return starts
  }

  #feedOf(topic: string, fetchBytes: number): Feed {
    const before = this.#feeds.get(topic)
    if (before !== undefined) return before
    const moved = (parts: readonly JobPart[]): void => {
      for (const part of parts) {
        if (part.isDone) this.#feeds.get(topic)?.remove(part)
        this.#owners.get(part)?.moved()
      }
    }
    const failed = (parts: readonly JobPart[], message: string): void => {
      for (const part of parts) this.#owners.get(part)?.fail(`topic ${topic} cannot be read: ${message}`)
    }
    const feed = new Feed(this.#kafka, topic, fetchBytes, { decoders: this.#decoders, moved, failed })
    this.#feeds.set(topic, feed)
    return feed
  }

  #ended(job: HistogramJob, error: string | null): void {
    const progress = job.progress([])
    for (const part of job.parts) {
      const feed = this.#feeds.get(part.topic)
      feed?.remove(part)
      this.#owners.delete(part)
      if (feed?.isIdle === true) this.#feeds.delete(part.topic)
    }
    this.#jobs.delete(job.id)
    this.#say({ type: 'done', progress, error })
  }

  #tell(): void {
    if (this.#jobs.size === 0) return
    const lags = (job: HistogramJob): PartLag[] =>
      job.parts.flatMap((part) => this.#feeds.get(part.topic)?.lagOf(part) ?? [])
    this.#say({ type: 'progress', jobs: [...this.#jobs.values()].map((job) => job.progress(lags(job))) })
  }

  #say(message: FromThread): void {
    this.context.port.postMessage(message)
  }

  async #end(): Promise<void> {
    clearInterval(this.#progress)
    for (const job of [...this.#jobs.values()])
      job.fail('the daemon stopped before it knew what was left in Kafka: what was not read is not counted')
    try {
      await Promise.all([this.#producer.close(), this.#packer.close()])
    } catch (error) {
      this.#say({ type: 'log', level: 'error', message: errorText(error) })
    }
    await this.#kafka.close()
    await this.context.close()
  }
}
