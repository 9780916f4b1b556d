// Counters of one detector by name, in the order in which they were asked for.
import { type Counter } from '../readout-kit.js'

export class NamedCounters {
  readonly #all = new Map<string, Counter>()

  /** The same object for the same name. */
  get(name: string): Counter {
    let counter = this.#all.get(name)
    if (counter === undefined) this.#all.set(name, (counter = { value: 0 }))
    return counter
  }

  all(): Record<string, number> {
    return Object.fromEntries([...this.#all].map(([name, { value }]) => [name, value]))
  }

  /** Those that are not 0. */
  values(): Record<string, number> {
    return withoutZeros(this.all())
  }
}

export const withoutZeros = (counts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0))
