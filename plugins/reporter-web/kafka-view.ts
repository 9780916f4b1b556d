// What the page shows out of Kafka, read by a thread that runs while somebody looks and for a minute after.
import { type Worker } from 'node:worker_threads'
import { type DaemonSnapshot, type ServiceContext } from '../../core/api/plugin.js'
import { Refusal } from './guard.js'
import { type Layouts } from './detectors/layouts.js'
import { type WebOptions } from './options.js'
import { type EventFeed, feedOf } from './streams.js'
import {
  type FromReading,
  type MessageQuestion,
  type Question,
  type ReadKind,
  type ToReading
} from './thread/protocol.js'
import { type HistogramRow, type PeerRow, type PvRow } from './wire.js'

const REST_MS = 60_000
const PATIENCE_MS = 20_000

/** Points of all PVs in one event. */
const MOST_TOLD = 50_000
/** Lists of messages that are read at once. */
const MOST_LISTS = 4

export class KafkaView {
  readonly feeds: ReadonlyMap<string, EventFeed>
  #worker: Worker | undefined
  #rest: NodeJS.Timeout | undefined
  #topics = new Map<string, ReadKind>()
  #watched = 0
  readonly #follows = new Set<ReadKind>()
  #histograms: readonly HistogramRow[] = []
  readonly #values = new Map<string, { row: PvRow; version: number }>()
  #version = 0
  #histogramVersion = 0
  #valueVersion = 0
  #peers: readonly PeerRow[] = []
  #peerVersion = 0
  readonly #asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #next = 1
  /** Topics whose messages may be looked at. */
  readonly #readable: Set<string>
  #lists = 0

  constructor(
    readonly options: WebOptions,
    readonly context: ServiceContext,
    readonly layouts: Layouts,
    readonly changed: () => void
  ) {
    const { message_topics: named } = options
    this.#readable = new Set([...named, ...(context.statusTopic === undefined ? [] : [context.statusTopic])])
    const counts = new Map<string, number>()
    const watched = (kind: ReadKind) => (count: number) => {
      counts.set(kind, count)
      this.#watch(
        [...counts.values()].reduce((a, b) => a + b, 0),
        count > 0 ? [kind] : []
      )
    }
    // Who looks at the overview alone makes nobody read, unless there are others to hear of
    const hasPeers = options.peer_topics.length > 0
    this.feeds = new Map([
      [
        'histograms',
        feedOf(
          () => this.#histogramVersion,
          () => this.#rows(),
          watched('histogram')
        )
      ],
      [
        'pvs',
        feedOf(
          () => this.#valueVersion,
          (since) => this.#since(since),
          watched('value')
        )
      ],
      [
        'peers',
        feedOf(
          () => this.#peerVersion,
          () => this.#peers,
          hasPeers ? watched('peer') : undefined
        )
      ]
    ])
  }

  get histograms(): readonly HistogramRow[] {
    this.#needed(['histogram'])
    return this.#rows()
  }

  #rows(): HistogramRow[] {
    return this.#histograms.map((row) => this.layouts.known(row))
  }

  /** `layout`: `GRID:VIEW`, or empty for the numbers as they came. Rejects with Refusal. */
  askHistogram(key: string, bin: number, layout: string): Promise<unknown> {
    const row = this.#histograms.find((one) => one.key === key)
    const laid = row === undefined || layout === '' ? undefined : this.layouts.layoutOf(row, layout)
    if (row !== undefined && layout !== '' && laid === undefined)
      throw new Refusal(404, 'no detector of this number belongs to the histogram')
    return this.#ask({ type: 'histogram', key, bin, layout: laid }, ['histogram'])
  }

  /** Those that the config names or this daemon works with. */
  get messageTopics(): string[] {
    return [...new Set([...this.#readable, ...this.#topics.keys()])].toSorted()
  }

  get values(): PvRow[] {
    this.#needed(['value'])
    return [...this.#values.values()].map(({ row }) => row)
  }

  /** Where there is something to read, as services and options say. */
  learn({ jobs, services }: DaemonSnapshot): void {
    if (this.layouts.learn(jobs)) this.#histogramVersion = ++this.#version
    const { histogram_topics: histograms, pv_topics: values, peer_topics: peers } = this.options
    const streams = (services['forwarder']?.heartbeat?.['streams'] ?? []) as readonly { output_topic?: unknown }[]
    const add = (topic: unknown, kind: ReadKind): void => {
      if (typeof topic !== 'string' || this.#topics.has(topic)) return
      this.#topics.set(topic, kind)
      if (this.#follows.has(kind)) this.#tell({ type: 'follow', topics: [{ topic, kind }] })
    }
    for (const topic of histograms) add(topic, 'histogram')
    for (const topic of values) add(topic, 'value')
    for (const topic of peers) add(topic, 'peer')
    for (const { output_topic: topic } of streams) add(topic, 'value')
    for (const job of jobs) {
      if (job['service'] === 'simulator')
        for (const topic of Object.keys(job['topics'] ?? {})) this.#readable.add(topic)
      if (job['service'] === 'histogram')
        for (const { topic } of (job['histograms'] ?? []) as readonly { topic?: unknown }[]) add(topic, 'histogram')
    }
  }

  /** What is asked of the messages of a topic. Rejects with Refusal. */
  async askMessages(question: MessageQuestion): Promise<unknown> {
    if (!this.messageTopics.includes(question.topic))
      throw new Refusal(404, 'no topic that may be looked at here; see reporters.web.message_topics')
    if (this.#lists >= MOST_LISTS) throw new Refusal(429, 'too many lists of messages are read at once; try again')
    this.#lists++
    try {
      return await this.#ask(question, [])
    } finally {
      this.#lists--
    }
  }

  /** `kinds` are read meanwhile. Rejects with Refusal. */
  #ask(question: Question, kinds: readonly ReadKind[]): Promise<unknown> {
    this.#needed(kinds)
    const ask = this.#next++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Refusal(504, 'Kafka did not answer in time')), PATIENCE_MS)
      const settle = <T>(how: (value: T) => void) => (value: T): void => {
        clearTimeout(timer)
        this.#asked.delete(ask)
        how(value)
      } // prettier-ignore
      this.#asked.set(ask, { resolve: settle(resolve), reject: settle(reject) })
      this.#tell({ type: 'ask', ask, question })
    })
  }

  async close(): Promise<void> {
    clearTimeout(this.#rest)
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    this.#end()
    await ended
  }

  #since(since: number): { readonly all: boolean; readonly rows: readonly PvRow[] } {
    const changed = [...this.#values.values()].filter(({ version }) => version > since)
    // Of many PVs fewer points each: one event must not fill what may wait for a reader
    const points = Math.max(2, Math.floor(MOST_TOLD / Math.max(1, changed.length)))
    const rows = changed.map(({ row }) => ({ ...row, history: row.history.slice(-points) }))
    return { all: since === 0, rows }
  }

  #watch(count: number, kinds: readonly ReadKind[]): void {
    this.#watched = count
    if (count > 0) this.#needed(kinds)
    else this.#putOff()
  }

  /** Starts the thread, and puts its end off. Only what somebody looks at is read. */
  #needed(kinds: readonly ReadKind[]): void {
    this.#putOff()
    if (this.#worker === undefined) this.#begin()
    const wanted = kinds.filter((kind) => !this.#follows.has(kind))
    if (wanted.length === 0) return
    for (const kind of wanted) this.#follows.add(kind)
    const topics = [...this.#topics].map(([topic, kind]) => ({ topic, kind }))
    this.#tell({ type: 'follow', topics: topics.filter(({ kind }) => wanted.includes(kind)) })
  }

  #putOff(): void {
    clearTimeout(this.#rest)
    if (this.#watched === 0) this.#rest = setTimeout(() => this.#end(), REST_MS).unref()
  }

  #begin(): void {
    this.#follows.clear()
    const worker = this.context.thread(new URL('./thread/main.js', import.meta.url), ['converter'])
    this.#worker = worker
    worker.on('message', (message: FromReading) => this.#hear(message))
    const gone = (why: string): void => {
      if (this.#worker === worker) this.#worker = undefined
      for (const { reject } of [...this.#asked.values()]) reject(new Refusal(503, why))
    }
    worker.on('error', (error) => {
      this.context.log('error', `the thread of the page: ${error.message}`)
      gone('reading Kafka failed here; see the log')
    })
    worker.on('exit', () => gone('the thread of the page has ended'))
  }

  #end(): void {
    this.#tell({ type: 'end' })
    this.#worker = undefined
  }

  #tell(message: ToReading): void {
    this.#worker?.postMessage(message)
  }

  #hear(message: FromReading): void {
    if (message.type === 'answer') this.#asked.get(message.ask)?.resolve(message.value)
    else if (message.type === 'refusal')
      this.#asked.get(message.ask)?.reject(new Refusal(message.status, message.message))
    else if (message.type === 'log') this.context.log(message.level, message.message)
    else if (message.type === 'histograms') {
      this.#histograms = message.rows
      this.#histogramVersion = ++this.#version
      this.changed()
    } else if (message.type === 'peers') {
      // Its own services have cards of their own
      this.#peers = message.rows.filter(({ service_id: id }) => id !== this.context.serviceId)
      this.#peerVersion = ++this.#version
      this.changed()
    } else {
      this.#valueVersion = ++this.#version
      for (const row of message.rows) this.#values.set(row.name, { row, version: this.#version })
      this.changed()
    }
  }
}
