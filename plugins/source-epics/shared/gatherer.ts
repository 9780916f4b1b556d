// Puts together a message that comes in several pieces, in one buffer of its size.
import { Spares } from '../../../schemas/index.js'

/** Bytes read from a socket at once, into a buffer that is used again: what is kept of it must be copied. */
export const READ_BYTES = 65_536

/** Memory of large messages and of the large vectors made of them. */
export const spares = new Spares(32 << 20)

export class Gatherer {
  #buffer: Buffer | undefined
  #length = 0

  /** A message is under way. */
  get isActive(): boolean {
    return this.#buffer !== undefined
  }

  /** Begins a message (or its header) of `needed` bytes with what there is of it. */
  begin(start: Uint8Array, needed: number): void {
    this.#buffer = spares.take(needed)
    this.#buffer.set(start)
    this.#length = start.length
  }

  /** Adds bytes from `chunk` at `at`; returns how many were taken. */
  add(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#buffer!, this.#length, at)
    this.#length += taken
    return taken
  }

  /** The message when it is complete, once; it is the caller's. */
  take(): Buffer | undefined {
    const buffer = this.#buffer
    if (buffer === undefined || this.#length < buffer.length) return undefined
    this.#buffer = undefined
    return buffer
  }
}
