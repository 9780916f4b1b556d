// Which times are believed: the first value after a connect always, later ones unless they go back or lie ahead.
import { type Update } from '../../core/api/plugin.js'

/** EPICS counts from here; a record that was never processed has this time (or 0). */
export const epicsEpochNs = 631_152_000_000_000_000n

/** Age from which a first value counts as old, ns. */
const oldNs = 600_000_000_000n

export type Verdict = 'good' | 'first_old' | 'never_processed' | 'older' | 'ahead'

export const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n

/** Judges the updates of one channel, in their order. */
export class Clock {
  /** Time of the last value that was let through since the last connect. */
  #lastNs = -1n
  /** Until here no look at the real clock is needed. */
  #safeNs = 0n

  constructor(readonly maxAheadNs: bigint) {}

  /** `first_old` and `never_processed` values are good, `older` and `ahead` are to be refused. */
  judge(update: Update): Verdict {
    const { timestampNs } = update
    if (update.first) this.#lastNs = -1n
    if (timestampNs <= epicsEpochNs) return 'never_processed'
    if (timestampNs < this.#lastNs) return 'older'
    if (timestampNs > this.#safeNs) {
      this.#safeNs = nowNs() + this.maxAheadNs
      if (timestampNs > this.#safeNs) return 'ahead'
    }
    this.#lastNs = timestampNs
    return update.first && timestampNs < nowNs() - oldNs ? 'first_old' : 'good'
  }
}
