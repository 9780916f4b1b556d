// Memory of large values, used again: V8 answers fresh memory outside its heap with full collections, two thirds of what an
// image costs.

/** Smaller memory is not worth it. */
export const LARGE_BYTES = 65_536

/** `action` at the first call, and nothing at the others: memory that is given back twice would have two users. */
export function once(action: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    action()
  }
}

export class Spares {
  readonly #idle: ArrayBuffer[] = []
  #kept = 0

  /** Keeps at most `maxKeptBytes` of idle memory. */
  constructor(readonly maxKeptBytes: number) {}

  /** `bytes` of memory, content undefined. */
  take(bytes: number): Buffer {
    if (bytes < LARGE_BYTES) return Buffer.allocUnsafeSlow(bytes)
    const found = this.#idle.findIndex(({ byteLength }) => byteLength >= bytes && byteLength < bytes * 1.5)
    // With room for a next one that is a little larger.
    if (found < 0) return Buffer.allocUnsafeSlow(bytes + (bytes >> 4)).subarray(0, bytes)
    const [memory] = this.#idle.splice(found, 1) as [ArrayBuffer]
    this.#kept -= memory.byteLength
    return Buffer.from(memory, 0, bytes)
  }

  /** Takes all memory behind `bytes`: nobody may look at it any more. */
  give({ buffer }: Uint8Array): void {
    const memory = buffer as ArrayBuffer
    if (memory.byteLength < LARGE_BYTES || memory.byteLength > this.maxKeptBytes || this.#idle.includes(memory)) return
    this.#idle.push(memory)
    this.#kept += memory.byteLength
    while (this.#kept > this.maxKeptBytes) this.#kept -= this.#idle.shift()!.byteLength
  }
}
