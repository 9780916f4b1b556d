// Reads topics in the order of their times across all partitions, with bounded memory; each partition in its own order.
import { type Batch, CodedError, headersOf, type Kafka, type Reader, topicMissing } from '../../core/api/plugin.js'
import { type RecordedMessage } from './recorded.js'

export interface MergeSpan {
  /** Kafka time, ms; `start`: all that there is; undefined: from now on. */
  readonly from?: number | 'start'
  /** Kafka time, ms; undefined: until the signal. */
  readonly toMs?: number
}

export interface MergeOptions extends MergeSpan {
  readonly topics: readonly string[]
  /** Ends it: a span that lies behind at once, else at what is in the topics by then. */
  readonly signal: AbortSignal
  /** All that comes from now on is read. */
  readonly begun?: () => void
  /** Without a word from the brokers for so long it is over, unless it waits for what is to come. */
  readonly timeoutMs: number
  /** Views that are valid until it ends; awaited where it gives a promise. */
  readonly take: (message: RecordedMessage) => Promise<void> | undefined
  /** Now and then, also when nothing comes. */
  readonly idle: () => Promise<void>
}

/** What a partition did not give; each counts messages, but `skipped`, which counts batches by reason. */
export interface LaneReport {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly next: number
  readonly messages: number
  /** Deleted by retention before they were read. */
  readonly expired: number
  /** Offsets without a message: compaction, marks of transactions, aborted ones. */
  readonly empty: number
  /** Lost with a topic that was made again, or with a leader. */
  readonly gone: number
  /** Taken without their headers, which cannot be read. */
  readonly badHeaders: number
  /** Offsets before the end that were not read: it was stopped. */
  readonly left: number
  readonly skipped: Readonly<Record<string, number>>
}

/** Batches of a partition that are held at most. */
const HELD = 2

class ReadLane {
  readonly counts = { messages: 0, expired: 0, empty: 0, gone: 0, badHeaders: 0 }
  readonly skipped: Record<string, number> = {}
  readonly held: Batch[] = []
  /** Record of the first batch that is held. */
  at = 0
  end = Infinity
  /** Offset up to which all was handed on. */
  taken: number
  isPaused = false

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly from: number,
    /** Offset of what comes next from the broker. */
    public next: number,
    public isCaughtUp: boolean
  ) {
    this.taken = from
  }

  get isDone(): boolean {
    return this.held.length === 0 && this.next >= this.end
  }
  /** More is there and has not come yet: what is later in other partitions must wait. */
  get isBehind(): boolean {
    return this.held.length === 0 && !this.isCaughtUp && this.next < this.end
  }
  /** Kafka time of its next message; Infinity without one. */
  get headMs(): number {
    return this.held[0]?.timestampMs(this.at) ?? Infinity
  }

  hold(batch: Batch): void {
    const { count, nextOffset, skipped, madeAgain, truncated } = batch
    if (madeAgain !== undefined) this.counts.gone += madeAgain.unread
    else if (truncated !== undefined) this.counts.gone += truncated.unread
    else if (skipped === undefined) this.counts.empty += Math.max(0, nextOffset - this.next - count)
    for (const [reason, n] of Object.entries(skipped ?? {}))
      if (reason === 'offset_out_of_range') this.counts.expired += n
      else this.skipped[reason] = (this.skipped[reason] ?? 0) + n
    this.next = nextOffset
    this.isCaughtUp = nextOffset >= batch.highWatermark
    if (count > 0) {
      this.held.push(batch)
      return
    }
    if (this.held.length === 0) this.taken = nextOffset
    batch.release()
  }

  report(): LaneReport {
    const { topic, partition, from, taken, end, counts, skipped } = this
    const left = end === Infinity ? 0 : Math.max(0, end - taken)
    return { topic, partition, from, next: Math.min(taken, end), ...counts, left, skipped }
  }
}

/** Ends with the span, or by the signal. Throws TOPIC_MISSING, COMMAND_TIMEOUT and what Kafka refuses. */
export async function readMerged(kafka: Kafka, options: MergeOptions): Promise<LaneReport[]> {
  const lanes = await lanesOf(kafka, options)
  const isLive = options.toMs === undefined || options.toMs > Date.now()
  if (!isLive) await setEnds(kafka, lanes)
  const assign = lanes
    .filter(({ next, end }) => next < end)
    .map(({ topic, partition, next }) => ({ topic, partition, offset: next }))
  if (assign.length === 0 && !isLive) return lanes.map((lane) => lane.report())
  const follow = isLive ? { follow: options.topics } : {}
  const reader = kafka.reader({ assign, ...follow, maxWaitMs: 200 })
  options.begun?.()
  try {
    await new Merge(kafka, reader, lanes, options, isLive).run()
  } finally {
    for (const lane of lanes) for (const batch of lane.held.splice(0)) batch.release()
    await reader.close()
  }
  return lanes.map((lane) => lane.report())
}

async function lanesOf(kafka: Kafka, { topics, from }: MergeOptions): Promise<ReadLane[]> {
  const found = await kafka.topics(topics, 'READ')
  const all: ReadLane[] = []
  for (const name of topics) {
    const { partitions = [] } = found.find((topic) => topic.name === name) ?? {}
    if (partitions.length === 0) throw topicMissing(`topic ${name}`)
    const at = from === undefined ? 'latest' : from === 'start' ? 'earliest' : { timestampMs: from }
    const [starts, ends] = await Promise.all([
      kafka.offsets(name, partitions, at),
      kafka.offsets(name, partitions, 'latest')
    ])
    for (const partition of partitions) {
      const [start, end] = [starts.get(partition) ?? 0, ends.get(partition) ?? 0]
      all.push(new ReadLane(name, partition, start, start, start >= end))
    }
  }
  return all
}

/** What is in the topics now is all that is read. */
async function setEnds(kafka: Kafka, lanes: readonly ReadLane[]): Promise<void> {
  for (const topic of new Set(lanes.map((lane) => lane.topic))) {
    const own = lanes.filter((lane) => lane.topic === topic)
    const ends = await kafka.offsets(topic, own.map(({ partition }) => partition), 'latest') // prettier-ignore
    for (const lane of own) lane.end = ends.get(lane.partition) ?? 0
  }
}

class Merge {
  /** When a recording that was stopped ends wherever it is. */
  #stopMs = Infinity

  constructor(
    readonly kafka: Kafka,
    readonly reader: Reader,
    readonly lanes: ReadLane[],
    readonly options: MergeOptions,
    public isLive: boolean
  ) {}

  async run(): Promise<void> {
    const { timeoutMs } = this.options
    let heard = Date.now()
    while (!this.#isStopped) {
      await this.#emit()
      await this.options.idle()
      if (this.isLive) await this.#endWhenAsked()
      if (!this.isLive && this.lanes.every((lane) => lane.isDone)) return
      const batch = await this.reader.poll(200)
      if (batch === null) return
      if (batch !== undefined) {
        heard = Date.now()
        this.#hold(batch)
      } else if (Date.now() - heard > timeoutMs) {
        if (!this.isLive) throw silent(timeoutMs)
        // A leader is away: the others go on without it
        for (const lane of this.lanes) lane.isCaughtUp = true
      }
    }
  }

  get #isStopped(): boolean {
    if (!this.options.signal.aborted || this.isLive) return false
    return this.#stopMs === Infinity || Date.now() > this.#stopMs
  }

  /** What is in the topics when the span is over, or when it is stopped, is read to its end. */
  async #endWhenAsked(): Promise<void> {
    const { signal, timeoutMs, toMs = Infinity } = this.options
    if (!signal.aborted && Date.now() <= toMs) return
    this.#stopMs = Date.now() + timeoutMs
    this.isLive = false
    await setEnds(this.kafka, this.lanes)
  }

  #hold(batch: Batch): void {
    const { topic, partition } = batch
    let lane = this.lanes.find((one) => one.topic === topic && one.partition === partition)
    // A partition that was added
    if (lane === undefined) this.lanes.push((lane = new ReadLane(topic, partition, 0, 0, true)))
    lane.hold(batch)
    if (lane.held.length < HELD || lane.isPaused) return
    this.reader.pause(topic, partition)
    lane.isPaused = true
  }

  /** The earliest message of all, as long as it is known which that is. */
  async #emit(): Promise<void> {
    while (!this.#isStopped && !this.lanes.some((lane) => lane.isBehind)) {
      let first: ReadLane | undefined
      let [firstMs, secondMs] = [Infinity, Infinity]
      for (const lane of this.lanes) {
        const ms = lane.headMs
        if (lane.held.length > 0 && (first === undefined || ms < firstMs)) {
          secondMs = firstMs
          ;[first, firstMs] = [lane, ms]
        } else if (ms < secondMs) secondMs = ms
      }
      if (first === undefined) return
      await this.#emitFrom(first, secondMs)
    }
  }

  /** Up to the end of its batch, or to where another partition comes first. */
  async #emitFrom(lane: ReadLane, untilMs: number): Promise<void> {
    const { from, toMs = Infinity, take } = this.options
    const fromMs = typeof from === 'number' ? from : -Infinity
    const batch = lane.held[0]!
    for (; lane.at < batch.count && !this.#isStopped; lane.at++) {
      const timestampMs = batch.timestampMs(lane.at)
      if (timestampMs > untilMs) return
      if (batch.offset(lane.at) >= lane.end || timestampMs < fromMs || timestampMs > toMs) continue
      const message = messageOf(batch, lane, timestampMs)
      const wait = take(message)
      lane.counts.messages++
      lane.taken = message.offset + 1
      if (wait !== undefined) await wait
    }
    if (lane.at < batch.count) return
    lane.held.shift()
    lane.at = 0
    lane.taken = batch.nextOffset
    batch.release()
    if (!lane.isPaused || lane.held.length > 0) return
    lane.isPaused = false
    this.reader.resume(lane.topic, lane.partition)
  }
}

const silent = (timeoutMs: number): CodedError =>
  new CodedError('COMMAND_TIMEOUT', `nothing came for ${timeoutMs} ms; is the broker alive? See --timeout`)

function messageOf(batch: Batch, lane: ReadLane, timestampMs: number): RecordedMessage {
  const { at, topic, partition } = lane
  const headers = headersOf(batch, at)
  if (headers === undefined) lane.counts.badHeaders++
  return {
    topic,
    partition,
    offset: batch.offset(at),
    timestampMs,
    isAppendTime: batch.isAppendTime === true,
    key: batch.key(at),
    headers: headers ?? [],
    value: batch.value(at)
  }
}
