// How long ago what is read of a partition now was the newest in Kafka, by our own clock: times in messages may be anything.

export class Lag {
  #markMs = 0
  #markEnd = 0
  #lastMs = 0

  /** Read up to `position`, while Kafka has what is before `end`. */
  note(position: number, end: number, nowMs: number): void {
    if (position >= end) {
      this.#markMs = this.#markEnd = this.#lastMs = 0
      return
    }
    if (this.#markMs > 0 && position < this.#markEnd) return
    this.#lastMs = this.#markMs > 0 ? nowMs - this.#markMs : 0
    this.#markMs = nowMs
    this.#markEnd = end
  }

  /** Ms; 0 for a reader that has all. Between two marks it is as it was at the last one, or more. */
  at(nowMs: number): number {
    return this.#markMs === 0 ? 0 : Math.max(this.#lastMs, nowMs - this.#markMs)
  }
}
