// Network buffers that are used again: fresh memory for each response costs a quarter of the whole read path.

const SMALLEST = 64 * 1024

/** Buffers by power of two; keeps at most `maxKeptBytes` of idle ones. */
export class BufferPool {
  readonly #idle = new Map<number, Buffer[]>()
  #kept = 0

  /** @param shared - of memory that other threads can be given */
  constructor(
    readonly maxKeptBytes: number,
    readonly shared = false
  ) {}

  /** A buffer of at least `bytes`, content undefined. */
  take(bytes: number): Buffer {
    const size = sizeClass(bytes)
    const buffer = this.#idle.get(size)?.pop()
    if (buffer === undefined)
      return this.shared ? Buffer.from(new SharedArrayBuffer(size)) : Buffer.allocUnsafeSlow(size)
    this.#kept -= size
    return buffer
  }

  /** Gives back a buffer of `take`; its owner must not touch it any more. */
  give(buffer: Buffer): void {
    if (this.#kept + buffer.length > this.maxKeptBytes) return
    this.#kept += buffer.length
    const list = this.#idle.get(buffer.length)
    if (list) list.push(buffer)
    else this.#idle.set(buffer.length, [buffer])
  }

  clear(): void {
    this.#idle.clear()
    this.#kept = 0
  }
}

/** Powers of two up to 16 MiB, then whole 4 MiB, so that a big message does not double its memory. */
function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST
  if (bytes > 16 << 20) return Math.ceil(bytes / (4 << 20)) * (4 << 20)
  return 2 ** Math.ceil(Math.log2(bytes))
}
