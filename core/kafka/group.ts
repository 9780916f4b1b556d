// A consumer group, one message at a time: work that is shared among daemons (a pool of jobs) goes to one of them.
import { type KafkaClient } from './client.js'
import { type Log } from '../log.js'
import { type GroupStarts, keepStarts } from './coordinator.js'
import { GroupConsumer } from './group-consumer.js'
import { type GroupOptions, type Work } from './group-work.js'

export type * from './group-work.js'

/**
 * Calls `work` for one message after the other; membership is kept alive while it works, however long that takes. A message
 * that `work` did not take is taken when it is done (at least once); one that it took before it began is not given again (at
 * most once). A rejection of `work` is logged. Messages without a value are passed over.
 * Other members may be of any client that shares out by `range` or `roundrobin`, and may hear other topics.
 */
export class GroupReader {
  #consumer: GroupConsumer | undefined
  #starts: GroupStarts | undefined
  /** Joining and leaving, one after the other. */
  #turn: Promise<void> = Promise.resolve()
  #wanted = false
  #closed = false

  constructor(
    readonly client: KafkaClient,
    readonly options: GroupOptions,
    readonly work: Work,
    readonly log: Log
  ) {}

  /**
   * Joins, for the first time or again after `leave`; resolves when this member has its share, or is to leave.
   * Rejects with KAFKA_UNREACHABLE, KAFKA_AUTH, TOPIC_MISSING, or CONFIG_INVALID when the group's members are of another kind.
   */
  join(): Promise<void> {
    this.#wanted = !this.#closed
    return this.#inTurn(() => (this.#wanted ? this.#join() : Promise.resolve()))
  }

  /** Leaves the group, so that the work goes to others; the message under way is finished, none is begun after this call. */
  leave(): Promise<void> {
    this.#wanted = false
    const gone = this.#consumer?.close() // Also one that still joins
    return this.#inTurn(async () => {
      await gone
      if (!this.#wanted) await this.#leave()
    })
  }

  /** Leaves for good. */
  close(): Promise<void> {
    this.#closed = true
    return this.leave()
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(step)
    this.#turn = mine.catch(() => undefined) // The caller sees the error
    return mine
  }

  async #join(): Promise<void> {
    if (this.#consumer?.isOpen === true) return
    this.#starts = await keepStarts(this.client, this.options, this.#starts)
    if (!this.#wanted) return
    const consumer = new GroupConsumer(this.client, this.options, this.#starts, this.log, {
      work: this.work,
      // Not awaited: leaving waits for the end of this very message
      aside: () => void this.leave()
    })
    this.#consumer = consumer
    try {
      await consumer.joined
    } catch (error) {
      await this.#leave()
      throw error
    }
  }

  async #leave(): Promise<void> {
    await this.#consumer?.close()
    this.#consumer = undefined
  }
}
