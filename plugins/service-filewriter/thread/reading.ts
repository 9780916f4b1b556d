// Reads the topics of a job from their starts to their ends; each partition knows when it is done.
import { type TopicRoute } from '../structure/route.js'
import { countIn } from '../structure/window.js'
import { type Batch, Lag, type ReaderOptions } from '../../../core/api/plugin.js'
import { type Settle } from './settle.js'
import { type JobReader } from './fetch/reader.js'
import { DAY_MS } from './start.js'

interface Partition {
  readonly topic: string
  readonly partition: number
  readonly route: TopicRoute
  /** '' where the broker has no ids. */
  topicId: string
  position: number
  highWatermark: number
  readonly lag: Lag
  /** Read up to here (exclusive); null while the end is open. */
  end: number | null
  /** The topic that `end` belongs to. */
  endId: string
  /** The end was found by time: what follows may still belong to the window. */
  tail: Tail | null
  /** Offsets after the last one read that wait for the end of an open transaction. */
  held: number
  /** Kafka has deleted what was before this offset; the first message from there on will say since when. */
  cut: number | undefined
  /** The times in its messages are later than Kafka's by up to this as far as known when its start was sought. */
  readonly behindMs: number
  /** Looks that found it otherwise. */
  tooLate: number
  /** Its reader does not know of it yet. */
  unmet: boolean
  done: boolean
}

export interface ReadingOptions {
  readonly reader: (options: ReaderOptions) => JobReader
  readonly startMs: number
  readonly fetchBytes: number
  readonly signal: AbortSignal
  /** Called between batches, at least every `pollMs`; the next batch waits for it. */
  readonly between: () => Promise<void>
  /** Calls `take`, and releases the batch, now or later. */
  readonly lend: (batch: Batch, take: () => void) => void
  /** Finds the end of a topic anew (`setEnds`): the one that was found does not fit what has been read. */
  readonly seekEnd: (topic: string) => Promise<void>
  readonly notes: ReadingNotes
  /** Hears of each batch that was written. */
  readonly written?: (batch: Batch, route: TopicRoute) => void
}

/** What is worth a word. */
export interface ReadingNotes {
  /** What was before the first message of a topic is in Kafka no more. */
  cut(topic: string, firstMs: number): void
  /** So many offsets of a partition are in Kafka no more, and no message was behind them. */
  emptied(topic: string, partition: number, before: number): void
  /** The topic was made again; so many messages of the old one were not read. */
  madeAgain(topic: string, unread: number): void
  /** A partition is left with so many messages that were not looked at; `sure`: nothing of the window is among them. */
  left(topic: string, messages: number, sure: boolean): void
}

/** Where reading of a topic begins. */
export interface Start {
  readonly route: TopicRoute
  readonly offsets: ReadonlyMap<number, number>
  readonly topicId?: string | undefined
  /** Partitions that begin with what Kafka has not deleted. */
  readonly cut?: ReadonlySet<number>
  /** See `Found`; without it the start cannot be too late. */
  readonly behindMs?: number
}

/** Where a topic ends. */
export interface End {
  readonly ends: ReadonlyMap<number, number>
  readonly topicId?: string | undefined
  /** Offsets that are written but lie behind an open transaction. */
  readonly held: ReadonlyMap<number, number>
  /** `ends` were found by time: each partition is read on until it has settled, or to its present end. */
  readonly tail?: { readonly last: ReadonlyMap<number, number>; readonly settle: () => Settle }
}

/** How far a partition is read behind an end that was found by time. */
interface Tail {
  readonly settle: Settle
  /** Offset of the present end. */
  readonly last: number
}

interface ReaderGroup {
  readonly byKey: Map<string, Partition>
  /** Topics that are read whole. */
  readonly whole: ReadonlyMap<string, TopicRoute>
}

const POLL_MS = 100
const keyOf = (topic: string, partition: number): string => `${topic}\n${partition}`

/** Streams that want the first value after the stop are given the topic up to its present end to find it in. */
function isOver(at: Partition): boolean {
  const { end, position, tail, route } = at
  if (end === null || isOther(at) || isBeyond(at) || position < end) return false
  if (tail === null || position >= tail.last) return true
  if (route.streams.some((stream) => stream.plan.firstAfterStop && !stream.pastStop)) return false
  return tail.settle.isTooMuch || tail.settle.isSettled(allPast(route))
}

/** Its end is that of the topic as it was, or will be when that has been read. */
const isOther = ({ endId, topicId }: Partition): boolean => endId !== '' && topicId !== '' && endId !== topicId

/** More has been read than the topic had when its end was sought: meanwhile, or from a leader that is lost and had more. */
const isBeyond = (at: Partition): boolean => at.end !== null && !isOther(at) && at.position > (at.tail?.last ?? at.end)

const allPast = ({ streams }: TopicRoute): boolean =>
  streams.every(({ received, pastStop }) => received === 0 || pastStop)

export class Reading {
  readonly #partitions: Partition[] = []
  readonly #readers: Promise<void>[] = []
  readonly #groups: ReaderGroup[] = []
  /** Topics whose ends are to be sought again. */
  readonly #unsure = new Set<string>()
  #failure: Error | undefined

  readonly #options: ReadingOptions

  constructor(options: ReadingOptions) {
    this.#options = options
  }

  /** Begins to read topics, each partition from its offset; those that are added later to whole topics, too. */
  add(starts: readonly Start[]): void {
    const group: ReaderGroup = {
      byKey: new Map(),
      whole: new Map(starts.flatMap(({ route }) => (route.partitions === undefined ? [[route.topic, route]] : [])))
    }
    for (const { route, offsets, topicId = '', cut, behindMs = Infinity } of starts)
      for (const [partition, position] of offsets)
        this.#open(group, {
          route,
          partition,
          position,
          topicId,
          cut: cut?.has(partition) ? position : undefined,
          behindMs
        })
    if (group.byKey.size === 0) return
    this.#groups.push(group)
    const run = this.#run(group).catch((error: unknown) => {
      this.#failure ??= error instanceof Error ? error : new Error(String(error))
    })
    this.#readers.push(run)
  }

  #open(
    group: ReaderGroup,
    { route, ...more }: Pick<Partition, 'route' | 'partition' | 'position' | 'topicId' | 'cut' | 'behindMs'>
  ): Partition {
    const { topic } = route
    const partition = {
      ...{ topic, route, ...more, highWatermark: more.position, lag: new Lag() },
      ...{ end: null, endId: '', tail: null },
      ...{ held: 0, tooLate: 0, unmet: false, done: false }
    }
    this.#partitions.push(partition)
    group.byKey.set(keyOf(topic, more.partition), partition)
    return partition
  }

  /** Topics that are read, with their partitions. */
  topics(): Map<string, number[]> {
    const topics = new Map<string, number[]>()
    for (const { topic, partition } of this.#partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
    return topics
  }

  /** From now on the topic ends there. A partition that Kafka does not have any more ends where it is. */
  setEnds(topic: string, { ends, topicId = '', held, tail }: End): void {
    for (const { byKey, whole } of this.#groups) {
      const route = whole.get(topic)
      if (route === undefined) continue
      // Those that were added and that the reader has not found yet
      for (const partition of ends.keys())
        if (!byKey.has(keyOf(topic, partition)))
          this.#open(
            { byKey, whole },
            { route, partition, position: 0, topicId, cut: undefined, behindMs: Infinity }
          ).unmet = true
    }
    for (const partition of this.#partitions) {
      if (partition.topic !== topic) continue
      const end = ends.get(partition.partition)
      partition.end = end ?? partition.position
      partition.endId = end === undefined ? partition.topicId : topicId
      partition.held = held.get(partition.partition) ?? 0
      partition.tail =
        tail === undefined || end === undefined
          ? null
          : { settle: tail.settle(), last: tail.last.get(partition.partition) ?? 0 }
    }
  }

  /** The stop time moved: nothing has an end any more but what is done. */
  openEnds(): void {
    for (const partition of this.#partitions) {
      partition.end = null
      partition.tail = null
    }
  }

  /** Stops where it is. */
  endHere(): void {
    for (const partition of this.#partitions) this.#endOf(partition)
  }

  /** Messages in Kafka that are not read yet, and how long ago what is read now was the newest. */
  get lag(): { readonly behind: number; readonly behind_s: number } {
    const open = this.#partitions.filter(({ done }) => !done)
    const now = Date.now()
    return {
      behind: open.reduce((sum, p) => sum + Math.max(0, p.highWatermark - p.position), 0),
      behind_s: Math.round(Math.max(0, ...open.map(({ lag }) => lag.at(now))) / 100) / 10
    }
  }

  get isDone(): boolean {
    return this.#partitions.every((partition) => partition.done)
  }

  /** Topics of which the first messages of the window may lie before where reading began. */
  startedLate(): Set<string> {
    const late = this.#partitions.filter(({ tooLate }) => tooLate > FEW)
    return new Set(late.map(({ topic }) => topic))
  }

  /** Resolves when every reader has ended; throws what a reader died of. */
  async finished(): Promise<void> {
    // A reader may be added while others end
    for (let i = 0; i < this.#readers.length; i++) await this.#readers[i]
    if (this.#failure !== undefined) throw this.#failure
  }

  #endOf(partition: Partition): void {
    partition.end = partition.position
    partition.endId = partition.topicId
    partition.tail = null
  }

  async #run(group: ReaderGroup): Promise<void> {
    const assign = [...group.byKey.values()].map(({ topic, topicId, partition, position }) => ({
      ...{ topic, partition, offset: position },
      ...(topicId !== '' && { topicId })
    }))
    const { fetchBytes, signal, between, lend, reader: open } = this.#options
    const reader = open({ assign, follow: [...group.whole.keys()], maxBytes: fetchBytes, signal })
    try {
      while (!this.#allDone(group, reader) && this.#failure === undefined) {
        const batch = await reader.poll(POLL_MS)
        if (batch === null) return
        if (batch !== undefined) lend(batch, () => this.#take(batch, this.#partitionOf(group, batch)))
        await between()
        for (const topic of this.#unsure) {
          this.#unsure.delete(topic)
          await this.#options.seekEnd(topic).catch((error: unknown) => {
            if (!signal.aborted) throw error
          })
        }
      }
    } finally {
      await reader.close()
    }
  }

  /** One that was added since is read from its beginning. */
  #partitionOf(group: ReaderGroup, { topic, partition }: Batch): Partition | undefined {
    const known = group.byKey.get(keyOf(topic, partition))
    const route = known === undefined ? group.whole.get(topic) : undefined
    if (route === undefined) return known
    const [{ topicId, end } = { topicId: '', end: null }] = this.#partitions.filter((other) => other.topic === topic)
    const added = this.#open(group, { route, partition, position: 0, topicId, cut: undefined, behindMs: Infinity })
    // It came when the window was over
    if (end !== null) this.#endOf(added)
    return added
  }

  #take(batch: Batch, partition: Partition | undefined): void {
    if (partition === undefined || partition.done) return
    const { route } = partition
    route.pushAll(batch)
    for (const [reason, n] of Object.entries(batch.skipped ?? {})) countIn(route.bad, reason, n)
    this.#options.written?.(batch, route)
    const from = partition.position
    partition.position = batch.nextOffset
    partition.highWatermark = batch.highWatermark
    partition.lag.note(batch.nextOffset, batch.highWatermark, Date.now())
    if (batch.madeAgain !== undefined) this.#beginAgain(partition, batch.madeAgain)
    if (batch.truncated !== undefined) this.#cutBack(partition, batch.truncated)
    if (batch.count === 0) return
    if (partition.cut !== undefined) this.#options.notes.cut(partition.topic, batch.timestampMs(0))
    partition.cut = undefined
    if (partition.tail !== null && batch.nextOffset > (partition.end ?? from)) partition.tail.settle.hear(batch, route)
    else this.#look(batch, partition)
  }

  #beginAgain(partition: Partition, { id, unread }: NonNullable<Batch['madeAgain']>): void {
    partition.topicId = id
    this.#options.notes.madeAgain(partition.topic, unread)
    // Made again since the end was sought
    if (partition.end !== null && partition.endId !== id) this.#endOf(partition)
  }

  /** The end may be that of the log as it was before. */
  #cutBack(partition: Partition, { read, unread }: NonNullable<Batch['truncated']>): void {
    const { route, topic, end } = partition
    if (read > 0) countIn(route.bad, 'truncated', read)
    if (unread > 0) countIn(route.bad, 'truncated_unread', unread)
    if (end === null) return
    partition.end = null
    this.#unsure.add(topic)
  }

  /** One message of a batch: are Kafka's times as they were thought to be? */
  #look(batch: Batch, partition: Partition): void {
    if (partition.behindMs === Infinity) return
    const glance = partition.route.glance(batch, 0)
    if (glance === undefined) return
    const timeMs = Number(glance.timeNs / 1_000_000n)
    const behindMs = timeMs - batch.timestampMs(0)
    const isNear = behindMs < DAY_MS && timeMs < this.#options.startMs + 2 * behindMs
    if (isNear && behindMs > partition.behindMs) partition.tooLate++
  }

  #allDone({ byKey }: ReaderGroup, reader: JobReader): boolean {
    let all = true
    for (const partition of byKey.values()) {
      if (partition.unmet) reader.add(partition.topic, partition.partition, partition.position, partition.topicId)
      partition.unmet = false
      if (!partition.done && isOver(partition)) this.#close(partition, reader)
      else if (!partition.done && isBeyond(partition)) this.#unsure.add(partition.topic)
      all &&= partition.done
    }
    return all
  }

  #close(partition: Partition, reader: JobReader): void {
    const { topic, route, position, tail, held, cut } = partition
    partition.done = true
    // Only markers of transactions, or what they took back, was left
    if (cut !== undefined && position > cut) this.#options.notes.emptied(topic, partition.partition, cut)
    const left = tail === null ? 0 : tail.last - position
    if (left > 0) this.#options.notes.left(topic, left, tail?.settle.isTooMuch !== true)
    else if (held > 0) countIn(route.bad, 'open_transaction', held)
    reader.pause(topic, partition.partition)
  }
}

/** Single messages with wrong times prove nothing. */
const FEW = 10
