// From joining a consumer group to leaving it: reads the partitions that are its share and gives out their messages one by one.
import { traceOf } from '../traceparent.js'
import { once } from 'node:events'
import { type Batch, type Place } from '../api/kafka.js'
import { CodedError } from '../api/errors.js'
import { type Subscriber, assign, assignedOf, subscriberOf, subscription } from './assigners.js'
import { ILLEGAL_GENERATION, UNKNOWN_MEMBER } from './broker-errors.js'
import { type KafkaClient } from './client.js'
import { type BrokerError, backoffMs, isPassing, pause } from './cluster.js'
import { type Log } from '../log.js'
import { type Committed, type GroupStarts, type TopicState, commit, committed, topicState } from './coordinator.js'
import { GroupMember, type GroupProtocol, type Seat } from './group-member.js'
import { type Assignment, type JoinedMember, type OfferedProtocol } from './group-protocol.js'
import { type GroupMessage, type GroupOptions, type Take, type Work } from './group-work.js'

/** A topic that was made again, or has more partitions, is seen within this time. */
const LOOK_MS = 3000
/** The others wait so long for one that begins a job; librdkafka members let them wait for five minutes. */
const REBALANCE_MS = 60_000

/** From one sharing out to the next. */
interface Term {
  readonly seat: Seat
  /** The topic as the leader was told of it. */
  readonly topic: TopicState
  readonly partitions: readonly number[]
  /** Aborted when the share is to be given up. */
  readonly over: AbortController
}

export interface Worker {
  readonly work: Work
  /** The work is for others: this member is to leave. */
  aside(): void
}

export class GroupConsumer implements GroupProtocol {
  readonly type = 'consumer'
  readonly rebalanceMs = REBALANCE_MS
  readonly sessionMs: number
  readonly #member: GroupMember
  readonly #look: NodeJS.Timeout
  /** The topic as the leader was told of it. */
  #told: TopicState
  #term: Term | undefined
  /** All terms so far: one begins to read when those before it have ended. */
  #terms: Promise<void> = Promise.resolve()
  /** Settles when the message that is worked on is taken or finished. */
  #held: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(
    readonly client: KafkaClient,
    readonly options: GroupOptions,
    readonly starts: GroupStarts,
    readonly log: Log,
    readonly worker: Worker
  ) {
    this.sessionMs = options.sessionTimeoutMs ?? 10_000
    this.#told = starts
    this.#member = new GroupMember(client.cluster, this, log)
    this.#look = setInterval(() => void this.#lookAtTopic(), LOOK_MS)
  }

  /** See `GroupMember.joined`. */
  get joined(): Promise<void> {
    return this.#member.joined
  }

  get isOpen(): boolean {
    return this.#closing === undefined
  }

  /** Begins no message more; leaves when the one that is worked on is taken, resolves when it is finished. Never rejects. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    clearInterval(this.#look)
    await this.unseated()
    await this.#member.close()
    await this.#terms
  }

  // ---------------------------------------------------------------- sharing out

  get group(): string {
    return this.options.groupId
  }

  async offers(): Promise<OfferedProtocol[]> {
    const { topic } = this.options
    this.#told = await topicState(this.client.cluster, topic)
    // What changes here makes the broker share out anew, whoever leads
    const { id, partitions } = this.#told
    return subscription([topic], JSON.stringify([id ?? '', partitions.length, this.starts.id ?? '']))
  }

  async assign(protocol: string, members: readonly JoinedMember[]): Promise<Assignment[]> {
    const subscribers = members.map(subscriberOf)
    const names = [...new Set(subscribers.flatMap(({ topics }) => topics))]
    const { topics } = await this.client.cluster.metadata(names)
    const sizes = new Map(topics.map(({ name, partitions }) => [name, partitions.map(({ partition }) => partition)]))
    return assign(protocol, subscribers, sizes, JSON.stringify({ made_again: madeAgain(subscribers) }))
  }

  seated(seat: Seat): void {
    const { topics, note } = assignedOf(seat.assignment)
    const partitions = topics.get(this.options.topic) ?? []
    const { made_again: again } = noteOf(note)
    // One who is new does not know it: what it took for the end of an old topic is in the midst of a new one
    if (Array.isArray(again) && again.includes(this.options.topic)) this.starts.offsets.clear()
    const term: Term = { seat, topic: this.#told, partitions, over: new AbortController() }
    this.#term = term
    if (!this.isOpen) term.over.abort()
    this.log('debug', `group ${this.group}: ${partitions.length} partitions of ${this.options.topic} are ours`, {
      partitions,
      generation: seat.generation
    })
    this.#terms = this.#terms.then(() => this.#serve(term))
  }

  async unseated(): Promise<void> {
    this.#term?.over.abort()
    await this.#held
  }

  /** Never rejects. */
  async #lookAtTopic(): Promise<void> {
    const { topic } = this.options
    try {
      const told = this.#told
      const { id, partitions } = await topicState(this.client.cluster, topic)
      if (told !== this.#told || (id === told.id && partitions.length === told.partitions.length)) return
      this.#told = { id, partitions } // Said once
      const what = partitions.length === 0 ? 'is gone' : id === told.id ? `has ${partitions.length} partitions now` : 'was made again' // prettier-ignore
      this.log('warn', `group ${this.group}: its topic ${topic} ${what}; it is shared out anew`)
      this.#member.rejoin()
    } catch (error) {
      if (!isPassing(error)) this.log('warn', `group ${this.group}: ${(error as Error).message}`)
    }
  }

  // ---------------------------------------------------------------- reading

  /** Never rejects: what goes wrong is tried again for as long as the share is ours. */
  async #serve(term: Term): Promise<void> {
    const { signal } = term.over
    for (let n = 0; !signal.aborted && term.partitions.length > 0; n++) {
      try {
        await this.#read(term)
      } catch (error) {
        if (signal.aborted) return
        this.log('error', `group ${this.group}: ${(error as Error).message}; trying again`)
        await pause(backoffMs(n), signal)
      }
    }
  }

  async #read(term: Term): Promise<void> {
    const { signal } = term.over
    const assign = await this.#places(term)
    if (signal.aborted) return
    const reader = this.client.reader({ assign, maxWaitMs: 2000, signal })
    try {
      for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
        const messages = messagesOf(batch, term.topic.id)
        const { madeAgain } = batch
        batch.release()
        if (madeAgain !== undefined) {
          void this.#lookAtTopic()
          if (!signal.aborted) await once(signal, 'abort') // What follows counts anew, and is to be shared out first
          return
        }
        for (const message of messages) {
          if (signal.aborted) return
          await this.#give(term, message)
        }
      }
    } finally {
      await reader.close()
    }
  }

  /** Where the group is in the partitions of the share; written down where it was not, so that whoever gets them next goes on there. */
  async #places({ seat, topic: { id }, partitions, over }: Term): Promise<Place[]> {
    const { client, group, starts } = this
    const { cluster } = client
    const { topic } = this.options
    return cluster.patiently(`offsets of group ${group}`, async () => {
      const known = await committed(cluster, group, topic, partitions)
      const first = await client.offsets(topic, partitions, 'earliest')
      const end = await client.offsets(topic, partitions, 'latest')
      const fresh = new Map<number, number>()
      const places = partitions.map((partition) => {
        const asked = id === starts.id ? starts.offsets.get(partition) : undefined
        const ends = { first: first.get(partition)!, end: end.get(partition)! }
        const { offset, note } = placeOf(known.get(partition), id, asked, ends)
        if (note !== undefined) this.log('warn', `group ${group}: ${topic}/${partition}: ${note}`)
        if (offset !== known.get(partition)?.offset || note !== undefined) fresh.set(partition, offset)
        return { topic, partition, offset, ...(id !== undefined && { topicId: id }) }
      })
      if (over.signal.aborted) return []
      if (fresh.size > 0) await commit(cluster, group, seat, { topic, topicId: id, offsets: fresh })
      for (const partition of partitions) starts.offsets.delete(partition)
      return places
    })
  }

  // ---------------------------------------------------------------- giving out

  async #give(term: Term, message: Message): Promise<void> {
    const { signal } = term.over
    let taken: Promise<void> | undefined
    let free: () => void = () => undefined
    this.#held = new Promise<void>((resolve) => (free = resolve))
    const take: Take = () => {
      taken ??= this.#take(term, message)
      taken.then(free, () => (taken = undefined))
      return taken
    }
    try {
      const { value } = message
      if (value === null) return await take()
      for (let n = 0; ; n++) {
        try {
          const done = (await this.worker.work({ ...message, value }, take)) === 'done'
          if (done) return await take()
          term.over.abort()
          return this.worker.aside()
        } catch (error) {
          this.log('error', `group ${this.group}: offset ${message.offset}: ${(error as Error).message}`)
          if (taken !== undefined || signal.aborted) return
          await pause(backoffMs(n), signal)
          if (signal.aborted) return
        }
      }
    } finally {
      free()
    }
  }

  /** Rejects with COMMAND_FAILED when the message went to another member, or KAFKA_UNREACHABLE. */
  async #take({ seat, over }: Term, { topic, topicId, partition, offset }: Message): Promise<void> {
    const { cluster } = this.client
    const next = offset + 1
    let tries = 0
    await cluster.patiently(`offset ${offset} of ${topic}`, async () => {
      try {
        tries++
        await commit(cluster, this.group, seat, { topic, topicId, offsets: new Map([[partition, next]]) })
      } catch (error) {
        const { code } = error as Partial<BrokerError>
        if (code !== ILLEGAL_GENERATION && code !== UNKNOWN_MEMBER) throw error
        // The answer to an earlier try may have been lost
        const at = tries > 1 ? (await committed(cluster, this.group, topic, [partition])).get(partition) : undefined
        if (at?.offset === next && at.memberId === seat.memberId && at.topicId === topicId) return
        over.abort()
        throw new CodedError('COMMAND_FAILED', 'went to another member of the group')
      }
    })
  }
}

/** Where to begin in a partition, and what is worth a word. */
export function placeOf(
  known: Committed | undefined,
  topicId: string | undefined,
  asked: number | undefined,
  { first, end }: { readonly first: number; readonly end: number }
): { readonly offset: number; readonly note?: string } {
  if (known === undefined) return { offset: Math.max(asked ?? 0, first) }
  const sure = known.topicId !== undefined && topicId !== undefined
  if (sure && known.topicId !== topicId)
    return { offset: first, note: `offset ${known.offset} was of a topic before this one; read from its beginning` }
  if (known.offset <= end) return { offset: known.offset }
  if (sure) return { offset: end, note: `Kafka lost what is between its end ${end} and offset ${known.offset}` }
  // Written by a client that does not say for which topic: only in one before this could it count so far
  return { offset: first, note: `offset ${known.offset} is beyond the end ${end}; read from its beginning` }
}

/** Topics that one of our members knew under another id. */
function madeAgain(subscribers: readonly Subscriber[]): string[] {
  const again = subscribers.filter(({ state }) => {
    const told = jsonOf(state)
    return Array.isArray(told) && told.length === 3 && told[0] !== '' && told[0] !== told[2]
  })
  return [...new Set(again.flatMap(({ topics }) => topics))]
}

const noteOf = (note: string): Readonly<Record<string, unknown>> =>
  (jsonOf(note) ?? {}) as Readonly<Record<string, unknown>>

/** Other clients write there what they like. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

type Message = Omit<GroupMessage, 'value'> & { readonly value: Buffer | null }

function messagesOf(batch: Batch, topicId: string | undefined): Message[] {
  const copy = (bytes: Buffer | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes))
  return Array.from({ length: batch.count }, (_, i) => ({
    topic: batch.topic,
    ...(topicId !== undefined && { topicId }),
    partition: batch.partition,
    offset: batch.offset(i),
    timestampMs: batch.timestampMs(i),
    key: copy(batch.key(i)),
    value: copy(batch.value(i)),
    ...traceOf(batch, i)
  }))
}
