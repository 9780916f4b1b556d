// For threads of services that read topics as long as they live: topics that may come later, partitions that are added.
import { type Kafka, type Reader } from '../../core/api/plugin.js'

export interface FollowedTopicsOptions {
  readonly read: readonly string[]
  /** Nothing is read before these are there. */
  readonly write?: readonly string[]
  /** That is asked for, of all of them. */
  readonly right?: 'READ'
  /** Next offset of each partition of a topic that is begun; partitions that are added later are read from their beginning. */
  startsOf(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number>>
}

export class FollowedTopics {
  /** Topics that do not exist. */
  missing: readonly string[] = []
  /** Partitions that are read. */
  readonly #known = new Map<string, Set<number>>()
  #looking = false

  constructor(
    readonly kafka: Kafka,
    readonly reader: Reader,
    readonly options: FollowedTopicsOptions
  ) {}

  /** Adds to the reader what is there by now; to be called again and again. Rejects as Kafka does. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      await this.#find()
    } finally {
      this.#looking = false
    }
  }

  async #find(): Promise<void> {
    const { read, write = [], right } = this.options
    const found = await this.kafka.topics([...read, ...write], right)
    this.missing = found.filter(({ partitions }) => partitions.length === 0).map(({ name }) => name)
    if (write.some((topic) => this.missing.includes(topic))) return
    for (const { name, partitions, id = '' } of found) {
      const known = this.#known.get(name)
      const added = partitions.filter((partition) => known?.has(partition) !== true)
      if (added.length === 0 || !read.includes(name)) continue
      const starts = known === undefined ? await this.options.startsOf(name, added) : await this.kafka.offsets(name, added, 'earliest') // prettier-ignore
      this.#known.set(name, new Set([...(known ?? []), ...added]))
      for (const [partition, offset] of starts) this.reader.add(name, partition, offset, id)
    }
  }
}

/** Where the last `most` messages of each partition begin. */
export async function lastMessages(
  kafka: Kafka,
  topic: string,
  partitions: readonly number[],
  most: number
): Promise<Map<number, number>> {
  const ends = await kafka.offsets(topic, partitions, 'latest')
  const firsts = await kafka.offsets(topic, partitions, 'earliest')
  return new Map([...ends].map(([one, end]) => [one, Math.max(firsts.get(one) ?? 0, end - most)]))
}
