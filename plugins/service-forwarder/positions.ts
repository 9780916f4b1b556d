// How far a list of streams has followed the command topics: so that of two lists the newer one is known.
import { type Origin } from '../../core/api/plugin.js'

/** Topic and partition → offset of the last command that is in the list. */
export type PartitionOffsets = Readonly<Record<string, number>>

export class Positions {
  #offsets = new Map<string, number>()
  /** What came with lists of others. */
  readonly #adopted = new Map<string, number>()

  /** Notes a command; false when a list that was taken over holds what it asks for already. */
  take({ topic, topicId, partition, offset }: Origin): boolean {
    if (partition === undefined || offset === undefined) return true
    // A topic that was made again counts anew
    const key = `${topic}${topicId === undefined ? '' : `@${topicId}`}/${partition}`
    if (offset <= (this.#adopted.get(key) ?? -1)) return false
    // Perhaps less than what was restored: the topic was made anew
    this.#offsets.set(key, offset)
    return true
  }

  /** Begins with what a kept list says. */
  restore(offsets: PartitionOffsets): void {
    this.#offsets = new Map(Object.entries(offsets))
  }

  /** Takes over the positions of a list that is newer: further on somewhere and behind nowhere. Else false. */
  follow(other: PartitionOffsets): boolean {
    const entries = Object.entries(other)
    const further = entries.some(([key, offset]) => offset > (this.#offsets.get(key) ?? -1))
    const behind = [...this.#offsets].some(([key, offset]) => (Object.hasOwn(other, key) ? other[key]! : -1) < offset)
    if (!further || behind) return false
    for (const [key, offset] of entries) {
      this.#offsets.set(key, offset)
      this.#adopted.set(key, offset)
    }
    return true
  }

  offsets(): PartitionOffsets {
    return Object.fromEntries(this.#offsets)
  }
}
