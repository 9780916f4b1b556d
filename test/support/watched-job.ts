// A write job in this process on a real Kafka: what it is handed can be seen and awaited, so that a test knows what it must have.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type Batch, type Kafka, type Place, type ReaderOptions } from '../../core/api/kafka.js'
import { FetchingReader, type JobReader } from '../../plugins/service-filewriter/thread/fetch/reader.js'
import { type FetchThreads } from '../../plugins/service-filewriter/thread/fetch/threads.js'
import { type FromWorker, type JobEnd } from '../../plugins/service-filewriter/thread/protocol.js'
import { WriteRun } from '../../plugins/service-filewriter/thread/run.js'
import { nsOfMs } from '../../plugins/service-filewriter/times.js'
import { type WriterParts } from '../../plugins/service-filewriter/structure/structure.js'

/** One batch as the job got it. */
export interface Handed {
  readonly topic: string
  readonly partition: number
  readonly offsets: readonly number[]
  /** As latin1; null for a tombstone. */
  readonly values: readonly (string | null)[]
  readonly nextOffset: number
  readonly skipped: Batch['skipped']
  readonly madeAgain: Batch['madeAgain']
  readonly truncated: Batch['truncated']
}

export interface JobOptions {
  readonly parts: WriterParts
  readonly folder: string
  readonly structure: object
  readonly startMs: number
  /** Null: until `stop`. */
  readonly stopMs: number | null
  readonly fetchBytes?: number
  /** Two of them read for it. */
  readonly fetching?: FetchThreads | undefined
}

export class WatchedJob {
  readonly handed: Handed[] = []
  /** Where its readers began. */
  readonly assigned: Place[] = []
  readonly file: string
  readonly done: Promise<JobEnd>
  /** Resolves when its file is there, or it is over. */
  readonly ready: Promise<unknown>
  /** Resolves when it has begun to read, or is over. */
  readonly reads: Promise<unknown>
  readonly #run: WriteRun
  #changed: () => void = () => undefined
  #begun: () => void = () => undefined

  private constructor(
    kafka: Kafka,
    { parts, folder, structure, startMs, stopMs, fetchBytes = 1 << 20, fetching }: JobOptions
  ) {
    const jobId = randomUUID()
    this.file = join(folder, `${jobId}.nxs`)
    let end: (end: JobEnd) => void = () => undefined
    const over = new Promise<JobEnd>((resolve) => (end = resolve))
    let made: () => void = () => undefined
    const hear = (message: FromWorker): void => {
      if (message.type === 'done') end(message.end)
      else if (message.type === 'ready') made()
    }
    const ready = new Promise<void>((resolve) => (made = resolve))
    const options = {
      ...{ beforeStartMs: 1000, lateDataMs: 0, checkpointMs: 200, progressMs: 200, lookBackMs: null },
      ...{ lookBackBytes: 1 << 30, lookFurtherBytes: 1 << 30, seekByTime: true, onMissingTopic: 'fail' as const },
      ...{ fetchBytes, memoryBytes: 1 << 24, reportInFile: true, readOnly: false, sha256: false, compression: null }
    }
    const run = { runName: '', instrumentName: '', periods: null, detectorSpectrumMap: null }
    const spec = {
      ...{
        jobId,
        structure,
        structureAt: '',
        leniency: 'strict' as const,
        folder,
        fileName: `${jobId}.nxs`,
        run,
        options
      },
      ...{ startNs: nsOfMs(startMs), stopNs: stopMs === null ? null : nsOfMs(stopMs) }
    }
    const begun = new Promise<void>((resolve) => (this.#begun = resolve))
    const reader = (asked: ReaderOptions): JobReader =>
      fetching ? new FetchingReader(fetching.take(2), asked, () => undefined) : kafka.reader(asked)
    this.#run = new WriteRun(spec, parts, { kafka, reader: (asked) => this.#watch(reader(asked), asked) }, hear)
    this.done = Promise.race([this.#run.run().then(() => over), over])
    this.ready = Promise.race([ready, this.done.catch(() => undefined)])
    this.reads = Promise.race([begun, this.done.catch(() => undefined)]) // Whoever awaits the end sees why it failed
  }

  static start(kafka: Kafka, options: JobOptions): WatchedJob {
    return new WatchedJob(kafka, options)
  }

  /** Reads on to the present end of its topics, and ends. */
  stop(stopMs = Date.now()): void {
    this.#run.hear({ type: 'stop_now', stopNs: nsOfMs(stopMs), how: 'now', reason: 'stopped by the test' })
  }

  /** Ends at once; the file keeps the name of an unfinished one. */
  abandon(reason: string): void {
    this.#run.hear({ type: 'abandon', reason })
  }

  /** Resolves when what the job has been handed fulfils a condition; rejects when it ends before. */
  async until(what: string, fulfilled: (handed: readonly Handed[]) => boolean): Promise<void> {
    let over = false
    const ended = this.done.then(() => void (over = true))
    while (!fulfilled(this.handed)) {
      if (over) throw new Error(`the job ended before ${what}`)
      await Promise.race([new Promise<void>((resolve) => (this.#changed = resolve)), ended])
    }
  }

  /** A reader that shows what it gives. */
  #watch(reader: JobReader, { assign }: ReaderOptions): JobReader {
    this.assigned.push(...assign)
    this.#begun()
    const poll = async (timeoutMs: number): Promise<Batch | null | undefined> => {
      const batch = await reader.poll(timeoutMs)
      if (batch) {
        const { topic, partition, nextOffset, skipped, madeAgain, truncated } = batch
        const offsets = Array.from({ length: batch.count }, (_, i) => batch.offset(i))
        const values = offsets.map((_, i) => batch.value(i)?.toString('latin1') ?? null)
        this.handed.push({ topic, partition, offsets, values, nextOffset, skipped, madeAgain, truncated })
        this.#changed()
      }
      return batch
    }
    return {
      poll,
      add: (...place) => reader.add(...place),
      pause: (...place) => reader.pause(...place),
      close: () => reader.close()
    }
  }
}
