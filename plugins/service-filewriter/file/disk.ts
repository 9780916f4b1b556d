// Positioned writes to one file; every failure says which file and dataset.
import { closeSync, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { type Behind, MOST_AT_ONCE } from './behind.js'
import { CodedError, errorText } from '../../../core/api/plugin.js'

/** Called before each change of the file, with what is changed; for fault tests: throwing stops the writer there. */
export type WriteHook = (what: string, bytes: number, position: number) => void

export class Disk {
  /** Known length of the file. */
  size: number
  readonly #fd: number

  readonly #hook: WriteHook | undefined
  readonly #behind: Behind | undefined

  constructor(
    readonly path: string,
    mode: 'create' | 'change' | 'read',
    hook?: WriteHook,
    behind?: Behind
  ) {
    this.#hook = hook
    this.#behind = behind

    try {
      this.#fd = openSync(path, { create: 'wx+', change: 'r+', read: 'r' }[mode])
      this.size = fstatSync(this.#fd).size
    } catch (error) {
      throw this.failure('open', '', error)
    }
  }

  /** Whole or CodedError; of lent memory perhaps later. `what` names the dataset or the part of the file. */
  write(bytes: Uint8Array, position: number, what: string): void {
    this.#hook?.(what, bytes.byteLength, position)
    if (this.#behind?.take(this, this.#fd, bytes, position, what) !== true) this.writeNow(bytes, position, what)
  }

  /** Whole or CodedError, in this thread. */
  writeNow(bytes: Uint8Array, position: number, what: string): void {
    const n = bytes.byteLength
    let done = 0
    try {
      while (done < n) {
        const written = writeSync(this.#fd, bytes, done, Math.min(n - done, MOST_AT_ONCE), position + done)
        if (written === 0) throw new Error('nothing was written')
        done += written
      }
    } catch (error) {
      throw this.failure('write', what, error)
    } finally {
      this.reached(position + done)
    }
  }

  /** The file has been written up to there. */
  reached(end: number): void {
    if (end > this.size) this.size = end
  }

  /** Exactly `n` bytes; CodedError when the file is shorter, or what asks for them is damaged. */
  read(n: number, position: number, what: string): Buffer {
    if (!(n >= 0 && position >= 0)) throw this.failure('read', what, new Error(`no ${n} bytes at ${position}`))
    // Before memory is taken for them
    if (position + n > this.size && position + n > (this.size = fstatSync(this.#fd).size))
      throw this.failure('read', what, new Error(`the file ends at ${this.size}, not at ${position + n}`))
    const out = Buffer.allocUnsafe(n)
    let done = 0
    try {
      while (done < n) {
        const count = readSync(this.#fd, out, done, n - done, position + done)
        if (count === 0) throw new Error(`the file ends at ${position + done}, ${n - done} bytes too early`)
        done += count
      }
    } catch (error) {
      throw this.failure('read', what, error)
    }
    return out
  }

  resize(bytes: number): void {
    this.#hook?.('length of the file', 0, bytes)
    try {
      ftruncateSync(this.#fd, bytes)
    } catch (error) {
      throw this.failure('resize', '', error)
    }
    this.size = bytes
  }

  sync(everything: boolean): void {
    try {
      if (everything) fsyncSync(this.#fd)
      else fdatasyncSync(this.#fd)
    } catch (error) {
      throw this.failure('sync', '', error)
    }
  }

  close(): void {
    if (this.#behind) this.#behind.close(this.#fd)
    else closeSync(this.#fd)
  }

  failure(action: string, what: string, error: unknown): CodedError {
    const text = errorText(error)
    return new CodedError('HDF5_FAILED', `${this.path}: cannot ${action}${what === '' ? '' : ` ${what}`}: ${text}`, {
      cause: error,
      fields: { file: this.path, part: what }
    })
  }
}
