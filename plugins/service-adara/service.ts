// The ADARA service: its thread, its commands, its state.
import { readFileSync } from 'node:fs'
import { type Worker } from 'node:worker_threads'
import {
  CodedError,
  endThread,
  type Reply,
  type Service,
  type ServiceContext,
  type Snapshot
} from '../../core/api/plugin.js'
import { type AnnotateCommand, type RunsLive, type StartLiveRunCommand } from './commands/index.js'
import { metricsOf } from './metrics.js'
import { type AdaraOptions } from './options.js'
import { notReady } from './topics-kit.js'
import { type FromLive, type LiveProgress, type ToLive } from './thread/protocol.js'

const STOP_MS = 10_000

const kinds = { pause: 'pause', resume: 'resume', comment: 'comment', scan_start: 'scanStart', scan_stop: 'scanStop' } as const // prettier-ignore

const nothing: LiveProgress = {
  clients: [], run: null, paused: false, messages: 0, pulses: 0, events: 0, values: 0, variables: 0, sentBytes: 0, cutClients: 0, losses: {}, missing: []
} // prettier-ignore

type Asking = Extract<ToLive, { ask: number }>
type WithoutNumber<A> = A extends Asking ? Omit<A, 'ask'> : never

export class AdaraService implements Service, RunsLive {
  #worker: Worker | undefined
  #progress = nothing
  #port = 0
  #failure: string | undefined
  #next = 1
  readonly #asked = new Map<number, { resolve: (run: number | null) => void; reject: (error: Error) => void }>()

  readonly #options: AdaraOptions
  readonly #context: ServiceContext

  constructor(options: AdaraOptions, context: ServiceContext) {
    this.#options = options
    this.#context = context
  }

  /** Rejects with FILE_READ without its geometry, and when it cannot listen. */
  async start(): Promise<void> {
    const geometry = readGeometry(this.#options.geometry)
    const worker = this.#context.thread(new URL('./thread/main.js', import.meta.url))
    this.#worker = worker
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromLive) => {
        if (message.type === 'open') {
          this.#port = message.port
          this.#context.log('info', `live stream (ADARA) at ${this.#options.host}:${message.port}`)
          resolve()
        } else this.#hear(message, reject)
      })
      worker.on('error', (error) => this.#gone(error.message, reject))
      worker.on('exit', () => this.#gone('the thread of the live stream has ended', reject))
      this.#tell({ type: 'open', options: this.#options, geometry })
    })
  }

  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    if (worker !== undefined) await endThread(worker, { type: 'end' } satisfies ToLive, STOP_MS)
  }

  snapshot(): Snapshot {
    const { clients, run, paused, missing, pulses, events, variables } = this.#progress
    return {
      state: this.#failure !== undefined ? 'faulty' : run === null ? 'idle' : paused ? 'paused' : 'running',
      port: this.#port,
      run_number: run,
      clients: clients.length,
      pulses,
      events,
      variables,
      metrics: metricsOf(this.#progress),
      ...notReady(this.#failure, missing)
    }
  }

  async startRun({ run_number: number, title = '', start_time: start }: StartLiveRunCommand): Promise<Reply> {
    const startMs = start === undefined ? Date.now() : typeof start === 'number' ? start : Date.parse(start)
    await this.#ask({ type: 'begin', run: { number, title, startNs: BigInt(startMs) * 1_000_000n } })
    return { response: 'ACK', status: 201, message: `run ${number} begins` }
  }

  async stopRun(): Promise<Reply> {
    const run = await this.#ask({ type: 'finish' })
    if (run === null) throw new CodedError('COMMAND_FAILED', 'no run is under way')
    return { response: 'ACK', status: 200, message: `run ${run} ends` }
  }

  async annotate({ kind, text, scan_index: scan }: AnnotateCommand): Promise<Reply> {
    await this.#ask({ type: 'annotate', kind: kinds[kind], text, scan })
    return { response: 'ACK', status: 200, message: `told ${this.#progress.clients.length} clients` }
  }

  async showLive(): Promise<Reply> {
    await this.#ask({ type: 'look' })
    const { clients, run, paused, messages, pulses, events, values, variables, losses, missing } = this.#progress
    const result = { port: this.#port, run_number: run, paused, clients, messages, pulses, events, values, variables, losses, missing } // prettier-ignore
    return { response: 'ACK', status: 200, message: `${clients.length} clients`, result }
  }

  #ask(message: WithoutNumber<Asking>): Promise<number | null> {
    const ask = this.#next++
    if (this.#worker === undefined) throw new CodedError('COMMAND_FAILED', this.#failure ?? 'the daemon is stopping')
    return new Promise((resolve, reject) => {
      this.#asked.set(ask, { resolve, reject })
      this.#tell({ ...message, ask })
    })
  }

  #tell(message: ToLive): void {
    this.#worker?.postMessage(message)
  }

  #hear(message: Exclude<FromLive, { type: 'open' }>, refuse: (error: Error) => void): void {
    if (message.type === 'log') this.#context.log(message.level, message.message)
    else if (message.type === 'failed') {
      this.#failure = message.message
      this.#context.log('error', message.message)
      refuse(new CodedError('COMMAND_FAILED', message.message))
    } else {
      this.#progress = message.progress
      if (message.type === 'progress') return
      this.#asked.get(message.ask)?.resolve(message.run)
      this.#asked.delete(message.ask)
    }
  }

  #gone(why: string, refuse: (error: Error) => void): void {
    if (this.#worker === undefined) return
    this.#worker = undefined
    this.#failure = why
    this.#context.log('error', why)
    const error = new CodedError('COMMAND_FAILED', why)
    refuse(error)
    for (const { reject } of this.#asked.values()) reject(error)
    this.#asked.clear()
  }
}

function readGeometry(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CodedError('FILE_READ', `the geometry ${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
