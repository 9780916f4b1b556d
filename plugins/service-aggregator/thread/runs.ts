// Run control as the aggregator hears it: that a run begins.
import { type Kafka, type Reader } from '../../../core/api/plugin.js'
import { schemaId } from '../../../schemas/index.js'
import { FollowedTopics } from '../../service-adara/topics-kit.js'

export class RunStarts {
  readonly #reader: Reader
  readonly #topics: FollowedTopics

  constructor(kafka: Kafka, topic: string) {
    this.#reader = kafka.reader({ assign: [], maxWaitMs: 100 })
    this.#topics = new FollowedTopics(kafka, this.#reader, {
      read: [topic],
      startsOf: (_topic, partitions) => kafka.offsets(topic, partitions, 'latest')
    })
  }

  get missing(): readonly string[] {
    return this.#topics.missing
  }

  look(): Promise<void> {
    return this.#topics.look()
  }

  /** Until it is closed. Rejects as the reader does. */
  async run(begin: () => void): Promise<void> {
    for (let batch = await this.#reader.next(); batch !== null; batch = await this.#reader.next()) {
      for (let i = 0; i < batch.count; i++) {
        const message = batch.value(i)
        if (message !== null && schemaId(message) === 'pl72') begin()
      }
      batch.release()
    }
  }

  close(): Promise<void> {
    return this.#reader.close()
  }
}
