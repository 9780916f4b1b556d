// Entry of the thread of the live stream: reads Kafka, gathers pulses, serves clients.
import { type Context, errorText, type Kafka, type Reader, type ThreadContext } from '../../../core/api/plugin.js'
import { OpenConverters } from '../../../schemas/index.js'
import { LiveFeed } from '../live/feed.js'
import { PulseGatherer } from '../live/pulses.js'
import { type RunWord } from '../live/runs.js'
import { type AdaraRun, LiveState } from '../live/state.js'
import { type AdaraOptions } from '../options.js'
import { AdaraServer } from '../server/server.js'
import { FollowedTopics, lastMessages } from '../topics-kit.js'
import { type FromLive, type LiveProgress, type ToLive } from './protocol.js'

const PROGRESS_MS = 1000
const TICK_MS = 20
/** How often topics that do not exist are looked for. */
const TOPICS_MS = 2000
/** Messages of run control that are read at the start, of each partition. */
const RUNS_BACK = 10
const MAX_TIMER_MS = 2 ** 31 - 1

export default function main(context: ThreadContext): void {
  let live: LiveStream | undefined
  context.port.on('message', (message: ToLive) => {
    if (message.type === 'open') {
      live = new LiveStream(context, message.options, message.geometry)
      void live.open()
    } else void live?.hear(message)
  })
}

const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n

class LiveStream {
  readonly #kafka: Kafka
  readonly #reader: Reader
  readonly #state: LiveState
  readonly #server: AdaraServer
  readonly #gatherer: PulseGatherer
  readonly #feed: LiveFeed
  readonly #losses = new Map<string, number>()
  readonly #timers: NodeJS.Timeout[] = []
  readonly #topics: FollowedTopics
  /** Job of run control that the run is of. */
  #job = ''
  #stopTimer: NodeJS.Timeout | undefined
  #closed = false

  constructor(
    readonly context: ThreadContext,
    readonly options: AdaraOptions,
    geometry: string
  ) {
    const { instrument, short_name: short = instrument, beamline_id: id, target_station: station } = options
    this.#kafka = context.kafka((level, message) => this.#say({ type: 'log', level, message }))
    this.#state = new LiveState({ station, id, short, long: instrument }, geometry, nowNs, options.max_variables)
    this.#server = new AdaraServer(
      {
        host: options.host,
        port: options.port,
        maxClients: options.max_clients,
        clientBufferBytes: options.client_buffer_bytes,
        helloMs: options.hello_ms
      },
      () => this.#state.greeting(),
      (level, message) => this.#say({ type: 'log', level, message })
    )
    const send = (packets: readonly Buffer[]): void => this.#server.broadcast(packets)
    const count = (reason: string, n = 1): void => void this.#losses.set(reason, (this.#losses.get(reason) ?? 0) + n)
    this.#gatherer = new PulseGatherer({
      gatherMs: options.gather_ms,
      mostPulses: options.max_waiting_pulses,
      energyEv: options.beam_energy_ev,
      pulseLengthNs: options.pulse_length_ns,
      send,
      count
    })
    const log: Context['log'] = (level, message) => this.#say({ type: 'log', level, message })
    const converters = new OpenConverters(context.parts, { log })
    const hooks = { send, count, run: (word: RunWord) => this.#hearRun(word) }
    this.#feed = new LiveFeed(options, { converters, state: this.#state, gatherer: this.#gatherer, hooks })
    this.#reader = this.#kafka.reader({ assign: [], maxWaitMs: 100 })
    this.#topics = new FollowedTopics(this.#kafka, this.#reader, {
      read: [...this.#feed.topics.keys()],
      right: 'READ',
      startsOf: (topic, partitions) => this.#startsOf(topic, partitions)
    })
  }

  async open(): Promise<void> {
    try {
      await this.#topics.look()
      if (this.#topics.missing.length > 0)
        this.#say({ type: 'log', level: 'warn', message: `topics ${this.#topics.missing.join(', ')} do not exist; waiting for them` }) // prettier-ignore
      const port = await this.#server.listen()
      this.#every(TICK_MS, () => this.#gatherer.tick(Date.now()))
      this.#every(this.options.heartbeat_ms, () => this.#server.broadcast(this.#state.heartbeat()))
      this.#every(PROGRESS_MS, () => this.#say({ type: 'progress', progress: this.#progress() }))
      this.#every(TOPICS_MS, () => void this.#topics.look().catch(() => undefined))
      this.#say({ type: 'open', port })
      void this.#read()
    } catch (error) {
      this.#say({ type: 'failed', message: errorText(error) })
    }
  }

  async hear(message: Exclude<ToLive, { type: 'open' }>): Promise<void> {
    if (message.type === 'end') return this.#end()
    const before = this.#state.run?.number ?? null
    if (message.type === 'begin') this.#begin(message.run, '')
    else if (message.type === 'finish') this.#finish()
    else if (message.type === 'annotate')
      this.#server.broadcast(this.#state.annotate(message.kind, message.text, message.scan))
    const run = this.#state.run?.number ?? before
    this.#say({ type: 'answer', ask: message.ask, run, progress: this.#progress() })
  }

  #begin(run: AdaraRun, job: string): void {
    clearTimeout(this.#stopTimer)
    this.#gatherer.flush()
    this.#job = job
    this.#server.broadcast(this.#state.begin(run))
    this.#say({ type: 'log', level: 'info', message: `run ${run.number} begins` })
  }

  #finish(): void {
    clearTimeout(this.#stopTimer)
    this.#gatherer.flush()
    const { run } = this.#state
    this.#server.broadcast(this.#state.end())
    if (run !== undefined) this.#say({ type: 'log', level: 'info', message: `run ${run.number} ends` })
  }

  #hearRun(word: RunWord): void {
    if (word.type === 'begin') {
      // The same start, read again or repeated
      const isSame = this.#state.run?.number === word.run.number && this.#state.run.startNs === word.run.startNs
      if (!isSame) this.#begin(word.run, word.job)
    } else if (this.#state.run !== undefined && (word.job === '' || word.job === this.#job)) this.#finishAt(word.atMs)
  }

  /** With the time that data need to come here. */
  #finishAt(atMs: number): void {
    clearTimeout(this.#stopTimer)
    const leftMs = atMs === 0 ? 0 : atMs + this.options.gather_ms - Date.now()
    if (leftMs <= 0) return this.#finish()
    this.#stopTimer = setTimeout(() => this.#finishAt(atMs), Math.min(leftMs, MAX_TIMER_MS))
  }

  /** Values and runs from before, events from now on. */
  #startsOf(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const use = this.#feed.topics.get(topic)
    if (use?.values !== undefined)
      return this.#kafka.offsets(topic, partitions, { timestampMs: Math.max(0, Date.now() - this.options.values_look_back_ms) }) // prettier-ignore
    return use?.runs === true ? lastMessages(this.#kafka, topic, partitions, RUNS_BACK) : this.#kafka.offsets(topic, partitions, 'latest') // prettier-ignore
  }

  async #read(): Promise<void> {
    try {
      for (let batch = await this.#reader.next(); batch !== null; batch = await this.#reader.next()) {
        const nowMs = Date.now()
        for (let i = 0; i < batch.count; i++) this.#feed.take(batch.topic, batch.value(i), nowMs)
        for (const [reason, n] of Object.entries(batch.skipped ?? {}))
          this.#losses.set(reason, (this.#losses.get(reason) ?? 0) + n)
        batch.release()
      }
    } catch (error) {
      if (!this.#closed) this.#say({ type: 'failed', message: `Kafka cannot be read: ${errorText(error)}` })
    }
  }

  #progress(): LiveProgress {
    const clients = this.#server.clients
    return {
      clients: clients.map(({ name, sentBytes, waitingBytes }) => ({ name, sent_bytes: sentBytes, waiting_bytes: waitingBytes })), // prettier-ignore
      run: this.#state.run?.number ?? null,
      paused: this.#state.paused !== undefined,
      messages: this.#feed.messages,
      pulses: this.#gatherer.pulses,
      events: this.#gatherer.events,
      values: this.#feed.values,
      variables: this.#state.variables,
      sentBytes: this.#server.sentBytes,
      cutClients: this.#server.cutClients,
      losses: Object.fromEntries(this.#losses),
      missing: this.#topics.missing
    }
  }

  #every(ms: number, action: () => void): void {
    this.#timers.push(setInterval(action, ms))
  }

  #say(message: FromLive): void {
    this.context.port.postMessage(message)
  }

  async #end(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#stopTimer)
    this.#gatherer.flush()
    await this.#server.close()
    await this.#reader.close()
    await this.#kafka.close()
    await this.context.close()
  }
}
