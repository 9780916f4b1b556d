// What both protocols' framers share: messages across chunks are joined once, what is too large is passed over.
import { Gatherer, spares } from './gatherer.js'

/** Nothing sound is larger than this: the stream is out of step. */
export const PASSED_OVER_BYTES = 1 << 30

export abstract class Framer {
  readonly #gatherer = new Gatherer()
  /** Bytes that are still to be passed over. */
  #skip = 0
  /** ms since when the rest of a message is awaited; 0: it is not. */
  waitingSinceMs = 0
  /** Set where views of a message were kept. */
  protected isTaken = false

  /** Messages longer than `maxBytes` that are no updates make `push` throw, as does all that is no message: the stream must end. */
  constructor(readonly maxBytes: number) {}

  /** `chunk` is used up when the call returns. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at)
        this.#skip -= skipped
        at += skipped
        if (this.#skip === 0) this.waitingSinceMs = 0
      } else if (this.#gatherer.isActive) {
        at += this.#gatherer.add(chunk, at)
        const whole = this.#gatherer.take()
        if (whole === undefined) continue
        this.isTaken = false
        this.parse(whole)
        if (!this.isTaken) spares.give(whole)
      } else {
        this.parse(at === 0 ? chunk : chunk.subarray(at))
        return
      }
    }
  }

  /** Takes the messages out of `bytes`, and ends with `keep` or `passOver`. */
  protected abstract parse(bytes: Buffer): void

  /** The message that begins at `at` has `needed` bytes, of which some are still to come; nothing begins at the end. */
  protected keep(bytes: Buffer, at: number, needed: number): void {
    this.waitingSinceMs = 0
    if (at === bytes.length) return
    this.waitingSinceMs = Date.now()
    this.#gatherer.begin(bytes.subarray(at), needed)
  }

  /** The next `count` bytes belong to a message that is too large. */
  protected passOver(count: number): void {
    this.#skip = count
    this.waitingSinceMs = Date.now()
  }
}
