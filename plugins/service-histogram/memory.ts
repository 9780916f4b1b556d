// What is left of `memory_bytes` while the histograms of a command are made one after the other.
import { CodedError } from '../../core/api/plugin.js'

export class MemoryLeft {
  #taken = 0

  /** @param used - bytes of what runs */
  constructor(
    readonly limit: number,
    readonly used: number
  ) {}

  /** Throws HISTOGRAM_MEMORY when one more histogram must not have so many bytes. */
  allow(bytes: number, path: string): void {
    const { limit, used } = this
    const needed = this.#taken + bytes
    if (used + needed <= limit) return
    const text = `the histograms need at least ${needed} bytes; memory_bytes is ${limit}, of which ${used} are in use`
    throw new CodedError('HISTOGRAM_MEMORY', text, { path })
  }

  /** One has them. */
  take(bytes: number): void {
    this.#taken += bytes
  }
}
