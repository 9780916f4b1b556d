// One job in the thread: its histograms, its parts of topics, its window, its end.
import { type Kafka, type Producer } from '../../../core/api/plugin.js'
import { type Decoders } from './decoders.js'
import { type PartLag } from './feed.js'
import { Histogram } from './histogram.js'
import { type MessageMaker } from './message.js'
import { HistogramOutlet } from './outlet.js'
import { JobPart, Tally } from './part.js'
import { PeriodBook } from './periods.js'
import { type CountingProgress, type JobSpec } from './protocol.js'
import { SIMULATED_MS, SimulatedEvents } from './simulated.js'

export interface JobTools {
  readonly kafka: Kafka
  readonly producer: Producer
  /** For large messages. */
  readonly packer: Producer
  readonly maker: MessageMaker
  readonly decoders: Decoders
  /** It has ended: with an error, or in order. */
  readonly ended: (job: HistogramJob, error: string | null) => void
  readonly log: (level: 'warn', message: string) => void
}

export type Starts = ReadonlyMap<string, ReadonlyMap<number, number>>

/** Longest wait of a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1
/** How often ends are asked for again while Kafka does not answer. */
const RETRY_MS = 1000

export class HistogramJob {
  readonly parts: readonly JobPart[]
  readonly tally = new Tally()
  readonly #histograms: readonly Histogram[]
  readonly #outlets: readonly HistogramOutlet[]
  readonly #books = new Map<string, PeriodBook>()
  #beat: NodeJS.Timeout | undefined
  /** Of made-up events. */
  #pulses: NodeJS.Timeout | undefined
  #stopTimer: NodeJS.Timeout | undefined
  #error: string | null = null
  #isEnding = false
  #endTries = 0
  #sendFailures = 0

  constructor(
    readonly spec: JobSpec,
    readonly tools: JobTools
  ) {
    this.#histograms = spec.histograms.map((one) => new Histogram(one))
    for (const { periods } of spec.histograms)
      if (periods !== null) this.#books.set(periods.topic, new PeriodBook((reason) => this.tally.lose(reason)))
    this.#outlets = this.#histograms.map((histogram) => this.#outlet(histogram))
    this.parts = spec.simulate ? [] : topicsOf(spec).map((topic) => this.#part(topic))
  }

  get id(): string {
    return this.spec.jobId
  }

  /** The first messages, and the beat of the others. */
  begin(): void {
    const nowMs = Date.now()
    for (const outlet of this.#outlets) outlet.send(nowMs)
    this.#nextBeat()
    if (this.spec.simulate) this.#simulate()
    if (this.spec.stopMs !== null) this.#waitForStop(this.spec.stopMs + this.spec.lateDataMs)
  }

  /** Ends with what is in the topics now. */
  async stop(): Promise<void> {
    clearTimeout(this.#stopTimer)
    if (this.#isEnding) return
    try {
      for (const part of this.parts) part.endAt(await this.#endsOf(part))
      this.moved()
    } catch (error) {
      // Kafka is away: asked again
      if (this.#endTries++ === 0)
        this.tools.log('warn', `job ${this.id}: its end is not known yet: ${(error as Error).message}`)
      this.#stopTimer = setTimeout(() => void this.stop(), RETRY_MS)
    }
  }

  /** Of the partitions that Kafka has: a topic may be deleted, or made again with fewer. */
  async #endsOf({ topic, partitions }: JobPart): Promise<ReadonlyMap<number, number>> {
    const { kafka, log } = this.tools
    const [found] = await kafka.topics([topic])
    const there = partitions.filter((partition) => found?.partitions.includes(partition))
    const gone = partitions.length - there.length
    if (gone > 0)
      log('warn', `job ${this.id}: ${gone} partitions of topic ${topic} are gone: they end with what was read`)
    return there.length === 0 ? new Map<number, number>() : kafka.offsets(topic, there, 'latest')
  }

  reset(): void {
    for (const outlet of this.#outlets) outlet.reset()
    for (const histogram of this.#histograms) histogram.reset()
  }

  /** Ends at once. */
  fail(message: string): void {
    this.#error = message
    for (const histogram of this.#histograms) {
      histogram.state = 'ERROR'
      histogram.error = message
    }
    this.#end()
  }

  /** Something was read. */
  moved(): void {
    if (this.parts.every((part) => part.isDone)) this.#end()
  }

  /** @param lags - of its parts */
  progress(lags: readonly PartLag[]): CountingProgress {
    const { messages, bytes, events, losses, sources } = this.tally
    const behind = lags.reduce((sum, one) => sum + one.messages, 0)
    const behindMs = Math.max(0, ...lags.map(({ ms }) => ms))
    const histograms = this.#histograms.map((one) => one.progress())
    return {
      ...{ jobId: this.id, messages, bytes, events, losses: Object.fromEntries(losses), behind, behindMs },
      ...{ histograms, sources: sources.progress() }
    }
  }

  #outlet(histogram: Histogram): HistogramOutlet {
    const { decoders, producer, packer, maker } = this.tools
    const { format, topic, id } = histogram.spec
    const failed = (error: Error): void => {
      if (this.#sendFailures++ > 0) return
      this.tools.log('warn', `histogram ${id} cannot be sent to ${topic}: ${error.message}`)
    }
    return new HistogramOutlet(histogram, this.spec, {
      // The service has looked
      converter: decoders.converters.of(format)!,
      producer,
      packer,
      maker,
      failed
    })
  }

  #part(topic: string): JobPart {
    const { startMs, stopMs, disorderMs } = this.spec
    const all = this.#histograms
    return new JobPart({
      topic,
      startMs,
      stopMs,
      disorderMs,
      histograms: all.filter(({ spec }) => spec.data_topic === topic),
      monitored: all.filter(({ spec }) => spec.monitor?.topic === topic),
      book: this.#books.get(topic),
      bookOf: ({ spec }) => (spec.periods === null ? undefined : this.#books.get(spec.periods.topic)),
      tally: this.tally,
      seekEnd: () => void this.stop()
    })
  }

  #nextBeat(): void {
    const { updateMs } = this.spec
    this.#beat = setTimeout(
      () => {
        const nowMs = Date.now()
        for (const histogram of this.#histograms) histogram.turn(nowMs)
        for (const outlet of this.#outlets) outlet.beat(nowMs)
        this.#nextBeat()
      },
      updateMs - (Date.now() % updateMs)
    )
  }

  #simulate(): void {
    const { startMs, stopMs } = this.spec
    const made = new SimulatedEvents()
    this.#pulses = setInterval(() => {
      const nowMs = Date.now()
      if (nowMs < (startMs ?? 0) || nowMs > (stopMs ?? Infinity)) return
      this.tally.messages++
      this.tally.events += made.pulse(this.#histograms)
    }, SIMULATED_MS)
  }

  #waitForStop(untilMs: number): void {
    const leftMs = untilMs - Date.now()
    if (leftMs <= 0) return void this.stop()
    this.#stopTimer = setTimeout(() => this.#waitForStop(untilMs), Math.min(leftMs, MAX_TIMER_MS))
  }

  #end(): void {
    if (this.#isEnding) return
    this.#isEnding = true
    clearTimeout(this.#beat)
    clearInterval(this.#pulses)
    clearTimeout(this.#stopTimer)
    for (const book of this.#books.values()) book.end()
    void Promise.all(this.#outlets.map((outlet) => outlet.finish())).then(() => {
      for (const histogram of this.#histograms) histogram.release()
      const unsent = this.#sendFailures > 0 ? `${this.#sendFailures} messages could not be sent` : null
      this.tools.ended(this, this.#error ?? unsent)
    })
  }
}

/** All topics that a job reads. */
export function topicsOf({ histograms }: JobSpec): string[] {
  return [
    ...new Set(
      histograms.flatMap(({ data_topic: data, monitor, periods }) => [
        data,
        ...(monitor === undefined ? [] : [monitor.topic]),
        ...(periods === null ? [] : [periods.topic])
      ])
    )
  ]
}
