// What one job takes from one topic: which messages are its own, by offset and Kafka time, and when each partition is done.
import { type Batch } from '../../../core/api/plugin.js'
import { element, type EventRecord, type PulseRecord, splitPulses } from '../../../schemas/index.js'
import { type Events, piecesOf } from '../bins/events.js'
import { type DecodedMessage } from './decoders.js'
import { type Histogram } from './histogram.js'
import { type PeriodBook } from './periods.js'
import { Sources } from './sources.js'

/** Counts of a job. */
export class Tally {
  messages = 0
  bytes = 0
  events = 0
  readonly losses = new Map<string, number>()
  readonly sources = new Sources()

  lose(reason: string, n = 1): void {
    this.losses.set(reason, (this.losses.get(reason) ?? 0) + n)
  }
}

export interface PartOptions {
  readonly topic: string
  readonly startMs: number | null
  readonly stopMs: number | null
  readonly disorderMs: number
  /** Of this topic. */
  readonly histograms: readonly Histogram[]
  readonly monitored: readonly Histogram[]
  /** For histograms with periods: pu00 of this topic go there. */
  readonly book: PeriodBook | undefined
  readonly bookOf: (histogram: Histogram) => PeriodBook | undefined
  readonly tally: Tally
  /** `endAt` is wanted anew. */
  readonly seekEnd: () => void
}

interface PartPlace {
  /** Offset of the first message that is the job's. */
  from: number
  /** Read up to here (exclusive). */
  end: number | undefined
  /** Read so far. */
  at: number
  /** A second reader fetches what was before. */
  isCatchingUp: boolean
  done: boolean
}

export class JobPart {
  readonly #places = new Map<number, PartPlace>()
  readonly topic: string

  constructor(readonly options: PartOptions) {
    this.topic = options.topic
  }

  /** @param at - where the common reader is; later than `from` when a second one fetches what is between */
  begin(partition: number, from: number, at: number): void {
    this.#places.set(partition, { from, end: undefined, at, isCatchingUp: from < at, done: false })
  }

  get partitions(): readonly number[] {
    return [...this.#places.keys()]
  }

  get isDone(): boolean {
    return [...this.#places.values()].every(({ done }) => done)
  }

  wants(partition: number): boolean {
    return this.#places.get(partition)?.done !== true
  }

  /** Each partition ends there, but for those that have a nearer end; one without is gone and ends where it was read to. */
  endAt(ends: ReadonlyMap<number, number>): void {
    for (const [partition, place] of this.#places) {
      const end = ends.get(partition)
      if (end === undefined) place.isCatchingUp = false
      place.end = Math.min(place.end ?? Infinity, end ?? place.at)
      this.#settle(place)
    }
  }

  /** A partition that was added meanwhile, or whose topic was made again: from its beginning on. */
  beginAnew(partition: number): void {
    const before = this.#places.get(partition)
    this.#places.set(partition, {
      ...{ from: 0, at: 0, isCatchingUp: false },
      ...{ end: undefined, done: before?.end !== undefined || before?.done === true }
    })
  }

  knows(partition: number): boolean {
    return this.#places.has(partition)
  }

  /** Whether message `i` is the job's; decoding is left to the caller. */
  admits(batch: Batch, i: number, isCatchUp: boolean): boolean {
    const place = this.#places.get(batch.partition)
    if (place === undefined || place.done) return false
    const offset = batch.offset(i)
    if (offset < place.from || (place.end !== undefined && offset >= place.end)) return false
    const { startMs, stopMs, disorderMs, tally } = this.options
    const timeMs = batch.timestampMs(i)
    if (stopMs !== null && timeMs > stopMs) {
      // What a second reader sees is before all that the first will
      if (timeMs > stopMs + disorderMs) {
        if (isCatchUp) place.done = true
        else place.end = Math.min(place.end ?? Infinity, offset)
      }
      tally.lose('after_window')
      return false
    }
    if (startMs !== null && timeMs < startMs) {
      tally.lose('before_window')
      return false
    }
    return true
  }

  /** What Kafka had and cannot give, or takes back. */
  lost({ partition, nextOffset, skipped, truncated }: Batch): void {
    const { tally, seekEnd } = this.options
    const place = this.#places.get(partition)
    if (place === undefined) return
    // What takes the place of lost messages is newer than they
    if (truncated !== undefined) place.from = Math.min(place.from, truncated.at)
    if (nextOffset < place.from) return
    for (const [reason, n] of Object.entries(skipped ?? {})) tally.lose(reason, n)
    if (truncated === undefined) return
    if (truncated.read > 0) tally.lose('truncated', truncated.read)
    if (truncated.unread > 0) tally.lose('truncated_unread', truncated.unread)
    // The end may be that of the log as it was before
    if (place.end !== undefined) seekEnd()
  }

  /** A batch has been looked at. */
  passed(partition: number, nextOffset: number, isCatchUp: boolean): void {
    const place = this.#places.get(partition)
    if (place === undefined || isCatchUp) return
    place.at = nextOffset
    this.#settle(place)
  }

  caughtUp(partition: number): void {
    const place = this.#places.get(partition)
    if (place === undefined) return
    place.isCatchingUp = false
    this.#settle(place)
  }

  #settle(place: PartPlace): void {
    if (place.end !== undefined && place.at >= place.end && !place.isCatchingUp) place.done = true
  }

  /** Counts one message. */
  take(decoded: DecodedMessage, events: Events, bytes: number): void {
    const { tally, histograms, monitored, book, bookOf } = this.options
    tally.messages++
    tally.bytes += bytes
    if (decoded.kind === 'bad') return tally.lose(decoded.reason)
    if (decoded.kind === 'pulse')
      return book === undefined ? tally.lose('unknown_schema') : this.#learn(decoded.record, book)
    if (decoded.kind === 'array') return this.#takeArray(decoded)
    const { record, schema } = decoded
    const pulseNs = BigInt(element(record.referenceTime, 0))
    const count = record.timeOfFlight.length
    tally.events += count
    tally.sources.count(this.topic, record, pulseNs)
    const takers: Histogram[] = []
    let isWanted = false
    let pulses: readonly EventRecord[] | undefined
    for (const histogram of histograms) {
      if (!histogram.accepts(schema)) continue
      histogram.heard(pulseNs)
      if (histogram.spec.source !== '' && histogram.spec.source !== record.source) continue
      isWanted = true
      if (histogram.spec.periods === null) takers.push(histogram)
      else if (record.facility?.type === 'isis')
        bookOf(histogram)?.count(histogram, record, record.facility.periodNumber)
      else for (const pulse of (pulses ??= splitPulses(record))) bookOf(histogram)?.take(histogram, pulse)
    }
    for (const histogram of monitored) {
      const { source = '' } = histogram.spec.monitor!
      if (source !== '' && source !== record.source) continue
      isWanted = true
      histogram.hearMonitor(count)
    }
    // Piece by piece: its bins are found once for all that share an axis
    if (takers.length > 0)
      for (const piece of piecesOf(record)) {
        events.set(piece)
        for (const histogram of takers) histogram.take(events, 0)
      }
    if (!isWanted) tally.lose(histograms.some((one) => one.accepts(schema)) ? 'other_source' : 'other_schema')
  }

  #takeArray({ record, schema }: Extract<DecodedMessage, { kind: 'array' }>): void {
    const { tally, histograms } = this.options
    let isWanted = false
    for (const histogram of histograms) {
      if (!histogram.accepts(schema)) continue
      histogram.heard(record.timestampNs)
      if (histogram.spec.source !== '' && histogram.spec.source !== record.source) continue
      isWanted = true
      const reason = histogram.takeArray(record)
      if (reason !== undefined) tally.lose(reason)
    }
    if (!isWanted) tally.lose(histograms.some((one) => one.accepts(schema)) ? 'other_source' : 'other_schema')
  }

  #learn({ timestampNs, period }: PulseRecord, book: PeriodBook): void {
    if (period !== null) book.learn(timestampNs, period)
  }
}
