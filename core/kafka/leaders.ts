// Finds who leads the partitions of a reader, whether a topic was made again, and partitions that are added.
import { isAuthError } from './broker-errors.js'
import { type Cluster, backoffMs, denied, isPassing, pause } from './cluster.js'
import { type Position } from './position.js'
import { type TopicMetadata } from './protocol.js'
import { type ReaderOptions } from '../api/kafka.js'

/** About 5 s without a leader are worth a word. */
const PATIENT_TRIES = 12
/** Between two looks for partitions that were added. */
const FOLLOW_MS = 2000

/** What is needed of the reader. */
export interface LedBy {
  readonly cluster: Cluster
  readonly closed: boolean
  led(leader: number): Position[]
  position(topic: string, partition: number): Position | undefined
  of(topic: string): Position[]
  /** Unless it is there; its leader is not sought yet. */
  put(topic: string, partition: number, offset: number, topicId: string): void
  leads(position: Position, leader: number): void
  /** The topic of this name is another one now. */
  madeAgain(position: Position, id: string): void
  fatal(error: Error): void
}

export class Leaders {
  /** Ids of topics that are gone: a broker that is behind may still name them. */
  readonly #gone = new Set<string>()
  #finding: Promise<void> | undefined

  constructor(
    readonly reader: LedBy,
    readonly stop: AbortSignal
  ) {}

  /** Finds the leaders of positions without one, for as long as it takes. */
  find(): void {
    this.#finding ??= this.#find()
      .catch((error: unknown) => this.reader.fatal(error as Error))
      .finally(() => (this.#finding = undefined))
  }

  async ended(): Promise<void> {
    await this.#finding
  }

  /** Looks for partitions that were added, for as long as the reader is open. */
  async follow({ follow = [], elsewhere = [] }: ReaderOptions): Promise<void> {
    const { reader } = this
    const isElsewhere = (topic: string, partition: number): boolean =>
      elsewhere.some((place) => place.topic === topic && place.partition === partition)
    for (;;) {
      await pause(FOLLOW_MS, this.stop)
      if (reader.closed) return
      try {
        for (const topic of (await reader.cluster.metadata(follow)).topics) {
          for (const { partition } of topic.partitions)
            if (!isElsewhere(topic.name, partition)) reader.put(topic.name, partition, 0, topic.id)
          this.#learn(topic)
        }
        this.find()
      } catch (error) {
        if (!isPassing(error)) return reader.fatal(error as Error)
      }
    }
  }

  async #find(): Promise<void> {
    const { reader } = this
    const { cluster } = reader
    for (let n = 0; !reader.closed; n++) {
      const lost = reader.led(-1)
      if (lost.length === 0) return
      try {
        const { topics } = await cluster.metadata([...new Set(lost.map((position) => position.topic))])
        for (const topic of topics)
          if (isAuthError(topic.error))
            throw denied(`reading ${topic.name}`, topic.error, `READ on topic ${topic.name}`)
          else this.#learn(topic)
      } catch (error) {
        if (!isPassing(error)) throw error
      }
      const missing = reader.led(-1)
      if (missing.length === 0) return
      if (n === PATIENT_TRIES) {
        const names = missing.map(({ topic, partition }) => `${topic}/${partition}`).join(', ')
        cluster.log('warn', `waiting for Kafka to name a leader of ${names}; does it exist?`)
      }
      await pause(backoffMs(n), this.stop)
    }
  }

  #learn({ name, id, partitions }: TopicMetadata): void {
    if (this.#gone.has(id)) return
    if (id !== '') this.#missing(name, id, new Set(partitions.map(({ partition }) => partition)))
    for (const { partition, leader, leaderEpoch } of partitions) {
      const position = this.reader.position(name, partition)
      if (!position || leader < 0 || this.reader.closed) continue
      if (position.topicId === '') position.topicId = id
      else if (id !== '' && position.topicId !== id) {
        this.#gone.add(position.topicId)
        position.leaderEpoch = leaderEpoch
        this.reader.madeAgain(position, id)
      }
      if (position.leader !== -1) continue
      position.leaderEpoch = leaderEpoch
      this.reader.leads(position, leader)
    }
  }

  /** Partitions that the topic has no more since it was made again: nothing will come of them, and whoever waits for it hears so. */
  #missing(name: string, id: string, there: ReadonlySet<number>): void {
    for (const position of this.reader.of(name)) {
      if (there.has(position.partition) || position.topicId === '' || position.topicId === id) continue
      this.#gone.add(position.topicId)
      this.reader.madeAgain(position, id)
    }
  }
}
