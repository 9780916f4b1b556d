// One detector as the service sees it: its job, its thread, what it told last.
import { type Worker } from 'node:worker_threads'
import { CodedError, type ErrorCode, type Job, type JobInfo, type Origin } from '../../core/api/plugin.js'
import { type CommandPort } from './efu/command-port.js'
import { withoutZeros } from './form/counters.js'
import { type DetectorFiles } from './form/formation.js'
import {
  type DetectorProgress,
  type DetectorSpec,
  type FromDetector,
  noProgress,
  type ToDetector
} from './thread/protocol.js'

const refusal = ({ code, message, path }: Extract<FromDetector, { type: 'refused' }>): CodedError =>
  new CodedError(code as ErrorCode, message, path === undefined ? {} : { path })

/** Losses older than that make nobody unready. */
const LOSS_MEMORY_MS = 30_000

export interface DetectorHooks {
  readonly log: (level: 'error' | 'warn' | 'info' | 'debug', message: string) => void
  readonly fault: (family: string, message: string) => void
  /** Called once: `error` is null after an end as it was asked for. */
  readonly ended: (detector: Detector, error: string | null) => void
}

type Waiter = { resolve: () => void; reject: (error: Error) => void }

export class Detector {
  progress: DetectorProgress = noProgress
  /** The same, a second before. */
  progressBefore: DetectorProgress = noProgress
  port: CommandPort | undefined
  readonly #startedMs = performance.now()
  readonly ended: Promise<void>
  #end: () => void = () => undefined
  #isOver = false
  /** Who waits for `ready` or `configured`. */
  #waiting: Waiter[] = []
  #lostMs = -Infinity

  constructor(
    readonly job: Job,
    /** As it was started, or changed since. */
    public spec: DetectorSpec,
    readonly origin: Origin | undefined,
    readonly worker: Worker,
    readonly hooks: DetectorHooks
  ) {
    this.ended = new Promise((resolve) => (this.#end = resolve))
    worker
      .on('message', (message: FromDetector) => this.#hear(message))
      .on('error', (error) => this.#over(`its thread failed: ${error.message}`))
      .on('exit', (code) => this.#over(`its thread ended with code ${code}`))
  }

  /** Resolves when packets are received; rejects when it cannot. */
  start(): Promise<void> {
    return this.#ask({ type: 'start', spec: this.spec })
  }

  configure(change: { rawOnly?: boolean; files?: DetectorFiles }): Promise<void> {
    return this.#ask({ type: 'configure', ...change })
  }

  stop(): void {
    this.#tell({ type: 'end' })
  }

  info(detail: boolean): JobInfo {
    const { counters, losses, ...rest } = this.progress
    const { family, topic, host, port, mode } = this.spec.options
    const counts = {
      packets: rest.packets,
      bytes: rest.bytes,
      events: rest.events,
      messages: rest.messages,
      delivered_events: rest.deliveredEvents,
      delivered_messages: rest.deliveredMessages,
      late: rest.late,
      losses
    }
    const buffers = {
      received_by: rest.receivedBy,
      receive_buffer_bytes: rest.receiveBufferBytes,
      send_buffered_bytes: rest.sendBufferedBytes
    }
    const all = { ...buffers, counters: withoutZeros(counters) }
    return { family, topic, address: `${host}:${port}`, mode, ...counts, ...(detail && all) }
  }

  get uptimeS(): number {
    return (performance.now() - this.#startedMs) / 1000
  }

  /** What is lost of late, in words; undefined when nothing is. */
  loss(nowMs: number): string | undefined {
    if (nowMs - this.#lostMs > LOSS_MEMORY_MS) return undefined
    const { kernel, queue, missing, buffer, kafka, raw, faults } = this.progress.losses
    return `detector ${this.job.id} loses data: so far ${kernel} packets in the kernel, ${queue} in the ring, ${missing} missing in sequence, ${faults} by faults of the family, ${buffer} events in the send buffer, ${kafka} events in Kafka, ${raw} raw copies`
  }

  #ask(message: ToDetector): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) return reject(new CodedError('JOB_ENDED', `detector ${this.job.id} has ended`))
      this.#waiting.push({ resolve, reject })
      this.#tell(message)
    })
  }

  #tell(message: ToDetector): void {
    this.worker.postMessage(message)
  }

  #hear(message: FromDetector): void {
    if (this.#isOver) return
    switch (message.type) {
      case 'ready':
      case 'configured':
        return this.#waiting.shift()?.resolve()
      case 'refused':
        return this.#waiting.shift()?.reject(refusal(message))
      case 'progress':
        return this.#take(message.progress)
      case 'log':
        return this.hooks.log(message.level, message.message)
      case 'fault':
        return this.hooks.fault(this.spec.options.family, message.message)
      case 'done':
        this.#take(message.progress)
        return this.#over(message.error)
    }
  }

  #take(progress: DetectorProgress): void {
    const sum = ({ losses }: DetectorProgress): number => Object.values(losses).reduce((total, n) => total + n, 0)
    if (sum(progress) > sum(this.progress)) this.#lostMs = performance.now()
    this.progressBefore = this.progress
    this.progress = progress
  }

  #over(error: string | null): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const { reject } of this.#waiting.splice(0)) reject(new CodedError('JOB_FAILED', error ?? 'it was stopped'))
    this.hooks.ended(this, error)
    this.#end()
  }
}
