// Plays a random script of what can happen to topics, beside jobs that read them; the same seed gives the same script.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { random } from '../support/random.js'
import { JITTER_MS } from './account.js'
import { type Broker, until } from './broker.js'
import { Jobs, type WindowKind } from './jobs.js'
import { encode, ns } from './messages.js'
import { BASE_MS, Incarnation, type Message, type PartitionModel, TopicModel, type Transaction } from './model.js'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** The answer to the end of a transaction comes before its marker. */
const MARKER_MS = 3000
const COMPACT_MS = 3000

/** Messages to be sent together. */
interface Some {
  /** Each goes to one of these. */
  readonly partitions: readonly PartitionModel[]
  readonly kinds: readonly Message['kind'][]
  readonly codec: string
  readonly transaction?: Transaction
  /** Default: any. */
  readonly key?: string
}

export class Play {
  /** The script as far as it was played. */
  readonly lines: string[] = []
  readonly topics: TopicModel[] = []
  readonly jobs: Jobs
  messages = 0
  moves = 0
  /** Of which the broker made an end in time. */
  compactions = 0
  readonly #broker: Broker
  readonly #below: (below: number) => number
  /** Dice of its own: scripts stay as they were before brokers moved. */
  readonly #moves: (below: number) => number
  readonly #suffix = randomBytes(4).toString('hex')
  #clockMs = BASE_MS

  constructor(broker: Broker, seed: number) {
    this.#broker = broker
    this.#below = random(seed)
    this.#moves = random(seed ^ 0x6d6f7665)
    this.jobs = new Jobs(broker, this.topics)
  }

  /** Rejects with what is not accounted for, and the script. */
  async run(steps: number): Promise<void> {
    const faults: string[] = []
    try {
      await this.#create('a', false)
      await this.#create('b', this.#below(2) === 0)
      await this.#send(this.#pick(this.topics))
      for (let i = 0; i < steps; i++) {
        if (i > 1 && this.#moves(8) === 0) await this.#move()
        await this.#step(i)
      }
      faults.push(...(await this.jobs.account()))
    } catch (error) {
      faults.push((error as Error).stack ?? String(error))
    }
    await this.#tidy()
    if (faults.length > 0) throw new Error(`${faults.join('\n')}\n--- the script\n${this.lines.join('\n')}`)
  }

  async #step(i: number): Promise<void> {
    const topic = this.#pick(this.topics)
    const say = (line: string): void => this.#say(line)
    // A job early on; the others where the dice put them
    if (i === 1) return this.#begin('live')
    const dice = this.#below(100)
    if (dice < 30) return this.#send(topic)
    if (dice < 44) return this.#transact(topic)
    if (dice < 52) return this.#begin(this.#pick(['past', 'past', 'across', 'live']))
    if (dice < 62) return this.#deleteRecords(topic)
    if (dice < 67) return this.#widen(topic)
    if (dice < 74) return this.#remake(topic)
    if (dice < 79) return this.#appendTime(topic)
    if (dice < 84) return topic.isCompacted ? this.#compact(topic) : this.#expire(topic)
    if (dice < 88) return this.jobs.stopOne(say)
    return this.jobs.sync(say)
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!
  }
  #say(line: string): void {
    this.lines.push(`${String(this.lines.length).padStart(3)} ${line}`)
  }

  // ---------------------------------------------------------------- topics

  #config(topic: TopicModel, more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      'cleanup.policy': topic.isCompacted ? 'compact,delete' : 'delete',
      'retention.ms': '-1',
      'message.timestamp.type': topic.appendTime ? 'LogAppendTime' : 'CreateTime',
      ...(topic.isCompacted && {
        'min.cleanable.dirty.ratio': '0.001',
        'delete.retention.ms': '0',
        'segment.ms': '50'
      }),
      ...more
    }
  }

  async #create(label: string, isCompacted: boolean): Promise<void> {
    const topic = new TopicModel(`${label}-${this.#suffix}`, label, isCompacted)
    this.topics.push(topic)
    const partitions = 1 + this.#below(3)
    this.#say(`create ${label}: ${partitions} partitions${isCompacted ? ', compacted' : ''}`)
    await this.#incarnate(topic, partitions)
  }
  async #incarnate(topic: TopicModel, partitions: number): Promise<void> {
    const incarnation = new Incarnation(topic, partitions)
    incarnation.id = await this.#broker.create(topic.name, partitions, this.#config(topic))
    topic.incarnations.push(incarnation)
  }

  async #widen(topic: TopicModel): Promise<void> {
    const count = topic.now.partitions.length + 1
    if (count > 5) return this.#send(topic)
    this.#say(`widen ${topic.label} to ${count}`)
    await this.#broker.admin.createPartitions({ topicPartitions: [{ topic: topic.name, count }] })
    await this.#broker.ready(topic.name, count)
    topic.now.widen(count)
  }

  /** Some or all partitions of a topic are led by the other broker from now on. */
  async #move(): Promise<void> {
    const topic = this.topics[this.#moves(this.topics.length)]!
    const all = topic.now.partitions.map(({ number }) => number)
    const some = all.filter(() => this.#moves(2) === 0)
    const numbers = some.length === 0 ? all : some
    this.#say(`move ${topic.label}/${numbers.join()} to the other broker`)
    await this.#broker.move(topic.name, numbers)
    this.moves++
  }

  async #remake(topic: TopicModel): Promise<void> {
    const partitions = 1 + this.#below(4)
    this.#say(`delete ${topic.label} and make it again: ${partitions} partitions`)
    topic.now.isGone = true
    for (const transaction of topic.transactions.splice(0))
      if (transaction.state === 'open') this.#end(topic, transaction, 'gone')
    await this.#broker.admin.deleteTopics({ topics: [topic.name] })
    await this.#incarnate(topic, partitions)
  }

  async #appendTime(topic: TopicModel): Promise<void> {
    topic.appendTime = !topic.appendTime
    this.#say(`times of ${topic.label} are ${topic.appendTime ? "the broker's" : "the sender's"}`)
    await this.#broker.configure(topic.name, this.#config(topic))
  }

  async #deleteRecords(topic: TopicModel): Promise<void> {
    const partition = this.#pick(topic.now.partitions)
    const percent = this.#pick([20, 50, 100])
    const { logStart, end, firstOpen } = partition
    const offset = Math.min(firstOpen, logStart + Math.ceil(((end - logStart) * percent) / 100))
    this.#say(`delete ${percent} % of ${topic.label}/${partition.number}: up to ${offset}`)
    if (offset <= logStart) return
    partition.logStart = offset
    await this.#broker.deleteRecords(topic.name, partition.number, offset)
  }

  /** By age: all that has a time of long ago. */
  async #expire(topic: TopicModel): Promise<void> {
    if (topic.hasOpen) return this.#send(topic)
    this.#say(`expire all of ${topic.label}`)
    const { client } = this.#broker
    const numbers = topic.now.partitions.map(({ number }) => number)
    // A new one of each comes last: Kafka rolls the segment for it and may delete all others
    const before = await client.offsets(topic.name, numbers, 'written')
    for (const partition of topic.now.partitions) partition.logStart = before.get(partition.number) ?? 0
    await this.#broker.configure(topic.name, this.#config(topic, { 'retention.ms': '1' }))
    await until(`expiry of ${topic.name}`, async () => {
      const first = await this.#broker.firstOf(topic.name, numbers)
      return numbers.every((number) => (first.get(number) ?? 0) >= (before.get(number) ?? 0))
    })
    await this.#broker.configure(topic.name, this.#config(topic))
  }

  /** Ends the segments, and gives the cleaner time to go over all that has a newer value. */
  async #compact(topic: TopicModel): Promise<void> {
    this.#say(`compact ${topic.label}`)
    const old = topic.now.partitions.map((partition) => {
      const { firstOpen, messages } = partition
      const isOld = (message: Message): boolean => message.offset < firstOpen && partition.isSuperseded(message)
      return { number: partition.number, offsets: new Set(messages.filter(isOld).map(({ offset }) => offset)) }
    })
    for (let roll = 0; roll < 2; roll++) {
      this.#clockMs += JITTER_MS
      await sleep(60) // The broker's own times must pass, too
      for (const partition of topic.now.partitions)
        await this.#append(topic, { partitions: [partition], kinds: ['other'], codec: 'none', key: 'roll' })
    }
    const isClean = async (): Promise<boolean> => {
      for (const { number, offsets } of old)
        if ((await this.#broker.offsetsIn(topic.name, number)).some((offset) => offsets.has(offset))) return false
      return true
    }
    // Times that go back keep a segment open: not all goes
    if (await until(`compaction of ${topic.name}`, isClean, COMPACT_MS).catch(() => false)) this.compactions++
  }

  #begin(kind: WindowKind): Promise<void> {
    const lengthMs = this.#clockMs - BASE_MS
    const fromMs = this.#below(3) === 0 ? 0 : Math.floor((lengthMs * this.#below(50)) / 100)
    const forMs = Math.floor((lengthMs * (10 + this.#below(60))) / 100)
    const window = { kind, startMs: BASE_MS + fromMs, forMs, fetchBytes: this.#pick([1 << 16, 1 << 20]) }
    return this.jobs.begin(window, (line) => this.#say(line))
  }

  // ---------------------------------------------------------------- messages

  async #send(topic: TopicModel): Promise<void> {
    const count = this.#pick([1, 3, 10, 40])
    const codec = this.#pick(codecs)
    const partitions = this.#below(3) === 0 ? topic.now.partitions : [this.#pick(topic.now.partitions)]
    const kinds = Array.from({ length: count }, () => this.#kind())
    this.#say(`send ${count} to ${topic.label}/${partitions.map(({ number }) => number).join()}, ${codec}`)
    await this.#append(topic, { partitions, kinds, codec })
  }

  #kind(): Message['kind'] {
    const dice = this.#below(20)
    return dice < 9 ? 'log' : dice < 18 ? 'events' : dice < 19 ? 'tombstone' : 'other'
  }

  async #append(topic: TopicModel, { partitions, kinds, codec, transaction, key: fixedKey }: Some): Promise<void> {
    const made = kinds.map((kind) => {
      const id = ++this.messages
      this.#clockMs += this.#below(400)
      const lateMs = fixedKey === undefined && this.#below(8) === 0 ? this.#below(JITTER_MS) : 0
      const timeNs = ns(this.#clockMs - lateMs) + BigInt(id)
      const partition = this.#pick(partitions)
      const key = fixedKey ?? `k${this.#below(topic.isCompacted ? 12 : 1000)}`
      const value = encode(kind, id, timeNs)
      const headers = this.#below(4) === 0 ? [['id', String(id)] as const] : []
      const record = {
        partition: partition.number,
        key,
        value: value?.toString('hex') ?? null,
        timestamp: this.#clockMs - lateMs,
        headers
      }
      const message = {
        id,
        kind,
        timeNs,
        key,
        value: value?.toString('latin1') ?? null,
        partition,
        transaction,
        offset: -1,
        ackedMs: Infinity
      }
      return { record, message }
    })
    for (const { message } of made) message.partition.messages.push(message)
    const { now } = topic
    const name = `${topic.name}-${topic.incarnations.indexOf(now)}-${now.partitions.length}-${codec}`
    const how = transaction
      ? { producer: transaction.producer, transactional: true }
      : { producer: name, transactional: false }
    const begin = transaction !== undefined && !topic.transactions.includes(transaction)
    if (begin) topic.transactions.push(transaction)
    const order = { ...how, topic: topic.name, codec, begin, end: null, records: made.map(({ record }) => record) }
    const offsets = await this.#broker.sender.send(order)
    made.forEach(({ message }, i) => {
      message.offset = offsets[i]!
      if (transaction === undefined) message.ackedMs = Date.now()
    })
  }

  /** Goes on with an open transaction, or begins one; ends it, or not. */
  async #transact(topic: TopicModel): Promise<void> {
    const open = topic.transactions.filter(({ state }) => state === 'open')
    const goesOn = open.length > 0 && this.#below(2) === 0
    const producer = `${topic.name}-t${this.messages}`
    const transaction: Transaction = goesOn ? this.#pick(open) : { producer, incarnation: topic.now, state: 'open' }
    const codec = this.#pick(codecs)
    const end = this.#pick(['commit', 'commit', 'abort', 'open'] as const)
    const kinds = Array.from({ length: this.#pick([1, 5, 12]) }, () => this.#kind())
    this.#say(`${goesOn ? 'in an open' : 'in a'} transaction: ${kinds.length} to ${topic.label}; ${end}`)
    await this.#append(topic, { partitions: topic.now.partitions, kinds, codec, transaction })
    if (end === 'open') return
    const order = { producer: transaction.producer, topic: topic.name, codec, transactional: true, begin: false }
    await this.#broker.sender.send({ ...order, end, records: [] })
    this.#end(topic, transaction, end === 'commit' ? 'committed' : 'aborted')
  }

  #end(topic: TopicModel, transaction: Transaction, state: Transaction['state']): void {
    transaction.state = state
    topic.openUntilMs = Date.now() + MARKER_MS
    for (const message of topic.messages) if (message.transaction === transaction) message.ackedMs = Date.now()
  }

  /** Jobs that are left after a fault end; topics go. */
  async #tidy(): Promise<void> {
    await this.jobs.close()
    await this.#broker.sender.forget().catch(() => undefined)
    await this.#broker.admin.deleteTopics({ topics: this.topics.map(({ name }) => name) }).catch(() => undefined)
  }
}
