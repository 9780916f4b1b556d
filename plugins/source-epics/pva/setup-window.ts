// Lets only so many channels of a server be set up at once: pvxs refuses monitors that come in bursts.
import { type PvaChannel } from './channel.js'

const LARGEST = 64
const SMALLEST = 4
/** A channel that takes longer (no content yet) keeps waiting, but no longer holds others up. */
const SLOT_MS = 2000

export class SetupWindow {
  readonly #start: (channel: PvaChannel) => void
  readonly #waiting = new Set<PvaChannel>()
  readonly #underWay = new Map<PvaChannel, number>()
  #size = LARGEST

  constructor(start: (channel: PvaChannel) => void) {
    this.#start = start
  }

  add(channel: PvaChannel): void {
    this.#waiting.add(channel)
    this.#fill()
  }

  /** Set up, or no longer wanted. */
  delete(channel: PvaChannel): void {
    this.#waiting.delete(channel)
    if (this.#underWay.delete(channel)) this.#fill()
  }

  onAccepted(): void {
    this.#size = Math.min(LARGEST, this.#size + 1)
  }

  onRefused(): void {
    this.#size = Math.max(SMALLEST, this.#size >> 1)
  }

  tick(now: number): void {
    for (const [channel, since] of this.#underWay) {
      if (now - since < SLOT_MS) break
      this.#underWay.delete(channel)
    }
    this.#fill()
  }

  #fill(): void {
    for (const channel of this.#waiting) {
      if (this.#underWay.size >= this.#size) return
      this.#waiting.delete(channel)
      this.#underWay.set(channel, Date.now())
      this.#start(channel)
    }
  }
}
