// Memory for what was decompressed, used again: what is dropped lives on until each thread that has seen it collects its garbage.

const SMALLEST = 1 << 16

export class SharedPool {
  readonly #idle: SharedArrayBuffer[] = []
  #idleBytes = 0

  /** @param mostBytes - of idle pieces that are kept */
  constructor(readonly mostBytes: number) {}

  /** Of at least `bytes`, less than four times as many; content undefined. */
  take(bytes: number): SharedArrayBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, SMALLEST)))
    const at = this.#idle.findIndex(({ byteLength }) => byteLength === size || byteLength === 2 * size)
    const [known] = at < 0 ? [] : this.#idle.splice(at, 1)
    if (known === undefined) return new SharedArrayBuffer(size)
    this.#idleBytes -= known.byteLength
    return known
  }

  /** Its owner must not touch it any more. */
  give(memory: SharedArrayBuffer): void {
    this.#idle.push(memory)
    this.#idleBytes += memory.byteLength
    // The oldest fit least what comes
    while (this.#idleBytes > this.mostBytes) this.#idleBytes -= this.#idle.shift()?.byteLength ?? 0
  }
}
