// Reads topics in the order of their times across all partitions, with bounded memory; each partition in its own order.
import { type Batch, CodedError, type Kafka, type Reader, topicMissing } from '../../core/api/plugin.js'
import { type LaneReport, ReadLane } from './lane.js'
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
  /** Awaited where it gives a promise. */
  readonly take: (message: RecordedMessage) => Promise<void> | undefined
  /** Now and then, also when nothing comes. */
  readonly idle: () => Promise<void>
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

/** Bytes that are held of all partitions together, about. */
const HELD_BYTES = 256 << 20

class Merge {
  /** Bytes of a partition that are held before it has to wait. */
  get #most(): number {
    return HELD_BYTES / Math.max(16, this.lanes.length)
  }
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
    const isEnough = lane.heldBytes >= this.#most || lane.next >= lane.end
    if (!isEnough || lane.isPaused) return
    this.reader.pause(topic, partition)
    lane.isPaused = true
  }

  /** The earliest message of all, as long as it is known which that is. */
  async #emit(): Promise<void> {
    while (!this.#isStopped && !this.lanes.some((lane) => lane.isBehind)) {
      let first: ReadLane | undefined
      let [firstMs, secondMs] = [Infinity, Infinity]
      for (const lane of this.lanes) {
        const ms = lane.head?.timestampMs
        if (ms === undefined) continue
        if (first === undefined || ms < firstMs) {
          secondMs = firstMs
          ;[first, firstMs] = [lane, ms]
        } else if (ms < secondMs) secondMs = ms
      }
      if (first === undefined) return
      await this.#emitFrom(first, secondMs)
    }
  }

  /** Up to where another partition comes first, or nothing is held any more. */
  async #emitFrom(lane: ReadLane, untilMs: number): Promise<void> {
    const { from, toMs = Infinity, take } = this.options
    const fromMs = typeof from === 'number' ? from : -Infinity
    for (let message = lane.head; message !== undefined && !this.#isStopped; message = lane.head) {
      const { timestampMs, offset } = message
      if (timestampMs > untilMs) break
      if (offset < lane.end && timestampMs >= fromMs && timestampMs <= toMs) {
        const wait = take(message)
        lane.counts.messages++
        if (wait !== undefined) await wait
      }
      lane.step()
    }
    if (!lane.isPaused || lane.heldBytes > this.#most / 2 || lane.next >= lane.end) return
    lane.isPaused = false
    this.reader.resume(lane.topic, lane.partition)
  }
}

const silent = (timeoutMs: number): CodedError =>
  new CodedError('COMMAND_TIMEOUT', `nothing came for ${timeoutMs} ms; is the broker alive? See --timeout`)
