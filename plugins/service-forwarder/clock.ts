// Which times are believed: the first value after a connect always, later ones unless they go back or lie ahead.
import { nowNs, type Update, EPICS_EPOCH_NS } from '../../schemas/index.js'

/** Age from which a first value counts as old, ns. */
const OLD_NS = 600_000_000_000n

export type ClockVerdict = 'good' | 'first_old' | 'never_processed' | 'went_back' | 'older' | 'ahead'

/** What happens to a time before the last one: sent unless it lies more than 10 minutes back, always sent, refused. */
export type Older = 'recent' | 'send' | 'refuse'

/** Judges the updates of one channel, in their order. */
export class Clock {
  /** Time of the last value that was let through since the last connect. */
  #lastNs = -1n
  /** Until here no look at the real clock is needed. */
  #safeNs = 0n

  constructor(
    readonly maxAheadNs: bigint,
    readonly older: Older
  ) {}

  /** `older` and `ahead` are to be refused, all others are good. */
  judge(update: Update): ClockVerdict {
    const { timestampNs } = update
    if (update.first) this.#lastNs = -1n
    if (timestampNs <= EPICS_EPOCH_NS) return 'never_processed'
    if (timestampNs < this.#lastNs) return this.#backwards(timestampNs)
    if (timestampNs > this.#safeNs) {
      this.#safeNs = nowNs() + this.maxAheadNs
      if (timestampNs > this.#safeNs) return 'ahead'
    }
    this.#lastNs = timestampNs
    return update.first && timestampNs < nowNs() - OLD_NS ? 'first_old' : 'good'
  }

  /** A clock that was set back: what the value is matters more than its stamp, unless that is beyond belief. */
  #backwards(timestampNs: bigint): ClockVerdict {
    const isSent = this.older === 'send' || (this.older === 'recent' && this.#lastNs - timestampNs <= OLD_NS)
    if (!isSent) return 'older'
    this.#lastNs = timestampNs
    return 'went_back'
  }
}
