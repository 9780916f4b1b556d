// The thread that counts, without its daemon: what it is told and what it says, on a real Kafka.
import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { connectKafka } from '../../core/kafka/client.js'
import { type PartLookup } from '../../core/api/plugin.js'
import { MemoryLeft } from '../../plugins/service-histogram/memory.js'
import { specOf } from '../../plugins/service-histogram/spec.js'
import main from '../../plugins/service-histogram/thread/main.js'
import {
  type CountingProgress,
  type FromThread,
  type JobSpec,
  type ToThread
} from '../../plugins/service-histogram/thread/protocol.js'
import { converterParts } from '../support/converters.js'
import { histogramCommand } from '../support/histograms.js'
import { PATIENCE_MS } from '../support/patience.js'

type Said<T extends FromThread['type']> = Extract<FromThread, { type: T }>

export class Counting {
  readonly said: FromThread[] = []
  readonly #closed: Promise<void>

  private constructor(
    readonly port: MessagePort,
    closed: Promise<void>
  ) {
    this.#closed = closed
    port.on('message', (message: FromThread) => this.said.push(message))
  }

  static async open(brokers: readonly string[]): Promise<Counting> {
    const { port1, port2 } = new MessageChannel()
    const converters = await converterParts()
    const parts = { converter: (id) => converters.get(id) } as PartLookup
    let close = (): void => undefined
    const closed = new Promise<void>((resolve) => (close = resolve))
    const kafka = () => connectKafka({ brokers: [...brokers], request_timeout_ms: 1500 })
    const thread = (): never => {
      throw new Error('counting needs no thread of its own')
    }
    main({ port: port2, parts, kafka, thread, close: () => Promise.resolve(close()) })
    return new Counting(port1, closed)
  }

  tell(message: ToThread): void {
    this.port.postMessage(message)
  }

  /** Starts a job of one histogram and waits until its place is known. */
  async start(jobId: string, data: string, out: string, more: Partial<JobSpec> = {}): Promise<void> {
    const tof = { id: jobId, kind: 'tof', data_topic: data, topic: out, tof_range: [0, 100], num_bins: 5 }
    const place = { path: '/histograms/0', index: 0, sender: 'test' }
    const spec: JobSpec = {
      ...{ jobId, startMs: null, stopMs: null, updateMs: 20, keepAliveMs: 0, keepAliveBytes: 0 },
      ...{ lateDataMs: 300, disorderMs: 200, fetchBytes: 1 << 20, simulate: false },
      histograms: [specOf(histogramCommand(tof), place, new MemoryLeft(1e9, 0))],
      ...more
    }
    this.tell({ type: 'start', spec })
    await this.wait('ready', (said) => said.jobId === jobId)
  }

  /** The first of what it says, heard already or to come, that fits. */
  async wait<T extends FromThread['type']>(type: T, fits: (said: Said<T>) => boolean): Promise<Said<T>> {
    for (;;) {
      const found = this.said.find((one): one is Said<T> => one.type === type && fits(one as Said<T>))
      if (found !== undefined) return found
      await once(this.port, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
    }
  }

  /** That a job is known to have read so many messages. */
  async read(jobId: string, messages: number): Promise<void> {
    await this.wait('progress', ({ jobs }) => jobs.some((job) => job.jobId === jobId && job.messages >= messages))
  }

  done(jobId: string): Promise<Said<'done'>> {
    return this.wait('done', ({ progress }) => progress.jobId === jobId)
  }

  /** Ends a job; gives what it has counted. */
  async stop(jobId: string): Promise<CountingProgress> {
    this.tell({ type: 'stop', jobId })
    return (await this.done(jobId)).progress
  }

  async close(): Promise<void> {
    this.tell({ type: 'end' })
    await this.#closed
    this.port.close()
  }
}
