// Accounts for every message that was ever in the window of a job: in the file once, or told by the report; and nothing is told that is not so.
import { type WatchedJob } from '../support/watched-job.js'
import { type Message, type TopicModel, isData, isGood } from './model.js'

/** A job and what is known of its window. */
export interface PlacedJob {
  readonly label: string
  readonly job: WatchedJob
  readonly startNs: bigint
  stopNs: bigint
  /** Wall time before which its end was not sought; what came later need not be read. */
  endMs: number
  /** Topics with a transaction that was open at the end. */
  readonly openAtEnd: Set<TopicModel>
}

/** What a file says of one topic. */
export interface Written {
  readonly logs: readonly number[]
  readonly events: readonly number[]
}
export interface Report {
  readonly messages: number
  readonly written: number
  readonly verdict: string
  readonly problems: readonly string[]
  readonly notes: readonly string[]
  readonly topics: readonly {
    readonly topic: string
    readonly bad: Readonly<Record<string, number>>
    readonly other_source: number
  }[]
}

/** Times are up to so much out of order: the first message that is left does not tell exactly since when. */
export const JITTER_MS = 5000

export class Account {
  readonly faults: string[] = []
  readonly #job: PlacedJob
  readonly #report: Report
  /** Handed messages that came after the end had been found. */
  #late = 0

  constructor(job: PlacedJob, report: Report) {
    this.#job = job
    this.#report = report
  }

  /** Compares one topic of the job. */
  check(topic: TopicModel, { logs, events }: Written): void {
    const { handed, orphans, twice } = this.#handed(topic)
    for (const text of orphans) this.faults.push(`${topic.label}: was handed ${text}`)
    for (const { id } of twice) this.faults.push(`${topic.label}: was handed ${id} twice`)
    // A reader may give some more when the end has been found
    const late = new Set([...handed].filter(({ ackedMs }) => ackedMs >= this.#job.endMs).map(({ id }) => id))
    this.#late += late.size
    const wanted = [...handed].filter((message) => isData(message) && this.#isInWindow(message))
    for (const [kind, list] of [
      ['log', logs],
      ['events', events]
    ] as const) {
      const inFile = this.#without(kind, topic, list)
      const mine = wanted.filter((message) => message.kind === kind).map(({ id }) => id)
      const missing = mine.filter((id) => !inFile.includes(id) && !late.has(id))
      if (missing.length > 0) this.faults.push(`${topic.label}: read and not in the file: ${kind} ${String(missing)}`)
      const more = inFile.filter((id, i) => !mine.includes(id) || inFile.indexOf(id) !== i)
      if (more.length > 0)
        this.faults.push(`${topic.label}: in the file and not read, or twice: ${kind} ${String(more)}`)
    }
    this.#missing(topic, handed)
    this.#counted(topic, handed)
  }

  /** The whole report. */
  checkReport(written: number): void {
    const { messages, verdict, problems, topics } = this.#report
    const all = this.#job.job.handed.reduce((sum, { offsets }) => sum + offsets.length, 0)
    if (messages > all || messages < all - this.#late)
      this.faults.push(`the report says ${messages} messages, handed were ${all}`)
    if (this.#report.written !== written)
      this.faults.push(`the report says ${this.#report.written} written, the file has ${written}`)
    const reasons = new Set(topics.flatMap(({ bad }) => Object.keys(bad)))
    const lost = problems.length > 0 || [...reasons].some((reason) => reason !== 'no_value')
    const wanted = lost ? 'lost' : reasons.has('no_value') ? 'warnings' : 'complete'
    if (verdict !== wanted) this.faults.push(`the verdict is ${verdict} where ${wanted} is told`)
    for (const problem of problems)
      if (!known.some((one) => one.test(problem))) this.faults.push(`a problem nobody expects: ${problem}`)
    for (const reason of reasons)
      if (!['no_value', 'offset_out_of_range', 'open_transaction'].includes(reason))
        this.faults.push(`a reason nobody expects: ${reason}`)
  }

  #isInWindow({ timeNs }: Message): boolean {
    return timeNs >= this.#job.startNs && timeNs <= this.#job.stopNs
  }

  /** But for the last value before the start, which must be one that was there. */
  #without(kind: string, topic: TopicModel, list: readonly number[]): number[] {
    if (kind !== 'log') return [...list]
    const before = new Map(
      topic.messages.filter(({ timeNs }) => timeNs < this.#job.startNs).map((message) => [message.id, message])
    )
    const kept = list.filter((id) => before.has(id))
    if (kept.length > 1)
      this.faults.push(`${topic.label}: ${kept.length} values from before the start: ${String(kept)}`)
    for (const id of kept)
      if (!isGood(before.get(id)!))
        this.faults.push(`${topic.label}: the value before the start, ${id}, was not committed`)
    return list.filter((id) => !before.has(id))
  }

  #handed(topic: TopicModel): { handed: Set<Message>; orphans: string[]; twice: Message[] } {
    const byValue = new Map(topic.messages.map((message) => [message.value, message]))
    const handed = new Set<Message>()
    const orphans: string[] = []
    const twice: Message[] = []
    for (const { topic: name, partition, offsets, values } of this.#job.job.handed) {
      if (name !== topic.name) continue
      for (const [i, value] of values.entries()) {
        if (value === null) continue
        const message = byValue.get(value)
        const place = `${partition}/${offsets[i]}`
        if (message === undefined) orphans.push(`something at ${place} that nobody sent`)
        else if (!isGood(message))
          orphans.push(`${message.id} at ${place}, of a transaction that is ${message.transaction?.state}`)
        else if (message.partition.number !== partition || message.offset !== offsets[i])
          orphans.push(`${message.id} at ${place} instead of ${message.partition.number}/${message.offset}`)
        else if (handed.has(message)) twice.push(message)
        else handed.add(message)
      }
    }
    return { handed, orphans, twice }
  }

  #bad(topic: TopicModel): Readonly<Record<string, number>> {
    return this.#report.topics.find(({ topic: name }) => name === topic.name)?.bad ?? {}
  }

  #says(text: RegExp, topic: TopicModel): boolean {
    return [...this.#report.problems, ...this.#report.notes].some(
      (said) => text.test(said) && said.includes(topic.name)
    )
  }

  /** What was in the window and was not read has a reason that the report gives. */
  #missing(topic: TopicModel, handed: ReadonlySet<Message>): void {
    const bad = this.#bad(topic)
    const deleted: Message[] = []
    for (const message of topic.messages) {
      if (!isData(message) || handed.has(message) || !isGood(message) || !this.#isInWindow(message)) continue
      if (message.ackedMs >= this.#job.endMs) continue // It came when the end had been found
      const { partition, offset } = message
      const { incarnation } = partition
      const first = this.#firstOffset(topic, partition.number, incarnation.id)
      if (topic.isCompacted && partition.isSuperseded(message)) continue
      if (incarnation.isGone && this.#readsOnly(topic, incarnation.id)) {
        // The new one alone: what was in the old one before the job nobody knows
        continue
      }
      if (topic.incarnations.length > 1 && this.#says(/was deleted during the job/, topic)) continue
      if (incarnation.isGone && this.#says(/was deleted and made again|were deleted with it/, topic)) continue
      if (offset < partition.logStart && first !== undefined && offset < first) {
        const isEdge = message.timeNs < this.#job.startNs + BigInt(2 * JITTER_MS) * 1_000_000n
        if (isEdge || this.#says(/have been deleted by Kafka|has nothing from before/, topic)) continue
      } else if (offset < partition.logStart) {
        deleted.push(message)
        continue
      }
      if ((bad['open_transaction'] ?? 0) > 0) continue
      this.faults.push(`${topic.label}: ${this.#where(message)} was in the window and nobody says where it is`)
    }
    // What an open transaction held back when the job ended may have been deleted since
    const told = (bad['offset_out_of_range'] ?? 0) + (bad['open_transaction'] ?? 0)
    if (deleted.length > told)
      this.faults.push(
        `${topic.label}: ${deleted.length} messages of the window were deleted unread (${deleted.map((m) => this.#where(m)).join(', ')}), counted ${told}`
      )
  }

  #where({ id, partition, offset }: Message): string {
    return `${id} (${partition.incarnation.topic.incarnations.indexOf(partition.incarnation)}:${partition.number}/${offset})`
  }

  /** The job never read another one of this name than later ones. */
  #readsOnly(topic: TopicModel, gone: string): boolean {
    const { job } = this.#job
    const order = topic.incarnations.map(({ id }) => id)
    const first = job.assigned.find(({ topic: name }) => name === topic.name)?.topicId ?? ''
    return order.indexOf(gone) < order.indexOf(first)
  }

  /** Where the job began to read a partition; undefined where it was added later. */
  #firstOffset(topic: TopicModel, partition: number, id: string): number | undefined {
    const place = this.#job.job.assigned.find((one) => one.topic === topic.name && one.partition === partition)
    return place?.topicId === id ? place.offset : undefined
  }

  /** No count says more than what happened. */
  #counted(topic: TopicModel, handed: ReadonlySet<Message>): void {
    const bad = this.#bad(topic)
    const batches = this.#job.job.handed.filter(({ topic: name }) => name === topic.name)
    const tombstones = batches.reduce((sum, { values }) => sum + values.filter((value) => value === null).length, 0)
    if (tombstones !== (bad['no_value'] ?? 0))
      this.faults.push(`${topic.label}: ${tombstones} tombstones, counted ${bad['no_value'] ?? 0}`)
    const other = [...handed].filter(({ kind }) => kind === 'other').length
    const told = this.#report.topics.find(({ topic: name }) => name === topic.name)?.other_source ?? 0
    if (other !== told) this.faults.push(`${topic.label}: ${other} of other sources, counted ${told}`)
    let deleted = 0
    for (const { partitions } of topic.incarnations)
      for (const { logStart, messages } of partitions)
        deleted += logStart - messages.filter((message) => message.offset < logStart && handed.has(message)).length
    if ((bad['offset_out_of_range'] ?? 0) > deleted)
      this.faults.push(`${topic.label}: counted ${bad['offset_out_of_range']} deleted ones, there were ${deleted}`)
    if ((bad['open_transaction'] ?? 0) > 0 && !this.#job.openAtEnd.has(topic))
      this.faults.push(`${topic.label}: counted ${bad['open_transaction']} behind an open transaction, none was open`)
    const again = batches.filter(({ madeAgain }) => madeAgain !== undefined)
    if (again.length === 0 && this.#says(/was deleted and made again/, topic))
      this.faults.push(`${topic.label}: the notes say that it was made again, and the job read one`)
    if (topic.incarnations.length === 1 && this.#says(/was deleted during the job/, topic))
      this.faults.push(`${topic.label}: the report speaks of a deletion, there was none`)
    if (deleted === 0 && this.#says(/have been deleted by Kafka|has nothing from before/, topic))
      this.faults.push(`${topic.label}: the report speaks of deleted messages, nothing was deleted`)
  }
}

const known = [
  /^.* was deleted during the job$/,
  /^all \d+ messages of .* have been deleted by Kafka/,
  /^of .* Kafka has nothing from before .* any more/,
  /^\d+ messages of .* were deleted with it before they were read$/
]
