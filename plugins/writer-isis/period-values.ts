// The last value of each period and how far its values spread, as blocks of ISIS have them; values may come before it is known which period was when.
import { type RunPeriods } from './run-state.js'

/** Of those that wait for their period; then the older half goes to the periods that are known. */
const MOST_VALUES = 1 << 14

/** Of one period. */
export interface PeriodValue {
  last: number | string
  least: number
  most: number
}

export class PeriodValues {
  /** Values whose period may not be known yet. */
  readonly #values: { readonly timeNs: bigint; readonly value: number | string }[] = []
  readonly #byPeriod = new Map<number, PeriodValue>()
  /** The value at the last one, and changes of period up to it. */
  #held: number | string | undefined
  #folded = 0

  readonly #periods: RunPeriods

  constructor(periods: RunPeriods) {
    this.#periods = periods
  }

  add(timeNs: bigint, value: number | string): void {
    this.#values.push({ timeNs, value })
    if (this.#values.length > MOST_VALUES) this.#fold(MOST_VALUES / 2)
  }

  /** From the first period on; empty where no value came. A period without a value has the one that held when it began. */
  finish(): readonly PeriodValue[] {
    this.#fold(this.#values.length)
    for (const { period } of this.#periods.changes.slice(this.#folded)) this.#begin(period)
    const held = this.#held
    if (held === undefined) return []
    const none = { last: held, least: Number(held), most: Number(held) }
    return Array.from({ length: this.#periods.number }, (_, i) => this.#byPeriod.get(i + 1) ?? none)
  }

  /** The first `n` values to their periods, as those are known by now. */
  #fold(n: number): void {
    const { changes } = this.#periods
    for (const { timeNs, value } of this.#values.splice(0, n)) {
      for (let next = changes[this.#folded]; next !== undefined && next.timeNs < timeNs; next = changes[this.#folded])
        this.#begin(next.period)
      this.#held = value
      this.#put(this.#periods.at(timeNs), value)
    }
  }

  /** A period begins with the value that holds then. */
  #begin(period: number): void {
    this.#folded++
    if (this.#held !== undefined) this.#put(period, this.#held)
  }

  #put(period: number, value: number | string): void {
    const known = this.#byPeriod.get(period)
    const as = Number(value)
    if (known === undefined) this.#byPeriod.set(period, { last: value, least: as, most: as })
    else Object.assign(known, { last: value, least: Math.min(known.least, as), most: Math.max(known.most, as) })
  }
}
