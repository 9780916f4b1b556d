// Large payload goes to the file in a thread of libuv while the job's own thread reads on. Nothing of it is published before it is there.
import { closeSync, write } from 'node:fs'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { type CodedError } from '../../../core/api/plugin.js'

/** For less, handing over costs as much as writing. */
const LEAST_BYTES = 1 << 18
/** With more than that on its way the job's thread writes, too. */
const MOST_BYTES = 1 << 24
/** Bigger writes make the page cache look for large free pieces; measured best at 256 KiB to 1 MiB. */
export const MOST_AT_ONCE = 1 << 20
/** Half of libuv's threads: names of hosts and other files shall not wait for a slow disk. */
const MOST_WRITERS = 2
const WRITERS = 'nexstream.filewriter.writers'

/** Before threads are started that write: together they have `MOST_WRITERS`. */
export function shareWriters(): void {
  if (getEnvironmentData(WRITERS) === undefined) setEnvironmentData(WRITERS, new SharedArrayBuffer(4))
}

/** Memory that stays as it is until all that was taken of it is in the file. */
interface Lent {
  left: number
  release: (() => void) | undefined
}

/** What it needs of the file that a piece goes to. */
export interface PieceTarget {
  writeNow(bytes: Uint8Array, position: number, what: string): void
  reached(end: number): void
  failure(action: string, what: string, error: unknown): CodedError
}

interface Piece {
  readonly disk: PieceTarget
  readonly fd: number
  readonly bytes: Uint8Array
  readonly position: number
  readonly what: string
  readonly loan: Lent
  done: number
}

export class Behind {
  #memory: ArrayBufferLike | undefined
  #loan: Lent = { left: 0, release: undefined }
  /** The first is being written. */
  #pieces: Piece[] = []
  #bytes = 0
  #isWriting = false
  readonly #waiting: (() => void)[] = []
  #closing: number | undefined

  readonly #writers: Int32Array
  readonly #fail: (error: unknown) => void

  /** @param fail - hears once of a write that failed; what waited behind it is given up */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail
    const shared = getEnvironmentData(WRITERS) as SharedArrayBuffer | undefined
    this.#writers = new Int32Array(shared ?? new SharedArrayBuffer(4))
  }

  /** Something is not in the file yet, or a thread still writes it. */
  get isBehind(): boolean {
    return this.#pieces.length > 0
  }

  /** What `take` writes of `memory` may lie there until `release` is called; at once when nothing does. */
  lend(memory: ArrayBufferLike, take: () => void, release: () => void): void {
    const loan = (this.#loan = { left: 0, release: undefined as (() => void) | undefined })
    this.#memory = memory
    try {
      take()
    } finally {
      this.#memory = undefined
      if (loan.left === 0) release()
      else loan.release = release
    }
  }

  /** False: it is to be written now. */
  take(disk: PieceTarget, fd: number, bytes: Uint8Array, position: number, what: string): boolean {
    const n = bytes.byteLength
    if (n < LEAST_BYTES || bytes.buffer !== this.#memory) return false
    // Who waits for the end of it must not wait for more
    if (this.#waiting.length > 0 || this.#bytes + n > MOST_BYTES) return false
    if (!this.#isWriting && !this.#begin()) return false
    const loan = this.#loan
    this.#pieces.push({ disk, fd, bytes, position, what, loan, done: 0 })
    loan.left++
    this.#bytes += n
    if (!this.#isWriting) this.#next()
    return true
  }

  /** Resolves when all is in the file, or given up; undefined when nothing is behind. */
  drained(): Promise<void> | undefined {
    return this.isBehind ? new Promise((resolve) => this.#waiting.push(resolve)) : undefined
  }

  /** For those who cannot wait: all is in the file, though a thread may still write the same once more. Throws what Disk throws. */
  settle(): void {
    for (const { disk, bytes, position, what } of this.#pieces) disk.writeNow(bytes, position, what)
    for (const piece of this.#pieces.splice(1)) this.#leave(piece)
  }

  /** Closes a file when no thread writes to it: its number may be another's at once. */
  close(fd: number): void {
    if (this.#pieces.some((piece) => piece.fd === fd)) this.#closing = fd
    else closeSync(fd)
  }

  #begin(): boolean {
    if (Atomics.add(this.#writers, 0, 1) < MOST_WRITERS) return true
    Atomics.sub(this.#writers, 0, 1)
    return false
  }

  #next(): void {
    const [piece] = this.#pieces
    this.#isWriting = piece !== undefined
    if (piece === undefined) return this.#end()
    const { disk, fd, bytes, position, done } = piece
    const n = Math.min(bytes.byteLength - done, MOST_AT_ONCE)
    write(fd, bytes, done, n, position + done, (error, written) => {
      if (error !== null || written === 0) return this.#broken(piece, error ?? new Error('nothing was written'))
      piece.done += written
      disk.reached(position + piece.done)
      if (piece.done === bytes.byteLength) {
        this.#pieces.shift()
        this.#leave(piece)
      }
      this.#next()
    })
  }

  #broken({ disk, what }: Piece, error: Error): void {
    this.#fail(disk.failure('write', what, error))
    for (const piece of this.#pieces.splice(0)) this.#leave(piece)
    this.#next()
  }

  #leave({ bytes, loan }: Piece): void {
    this.#bytes -= bytes.byteLength
    if (--loan.left === 0) loan.release?.()
  }

  #end(): void {
    Atomics.sub(this.#writers, 0, 1)
    if (this.#closing !== undefined) closeSync(this.#closing)
    this.#closing = undefined
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
