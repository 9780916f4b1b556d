// Bytes of a file one after the other, in pieces that are asked for.
import { type FileHandle, open } from 'node:fs/promises'
import { CodedError, errorText } from '../../../core/api/plugin.js'

const PIECE = 1 << 20

export class FileBytes {
  #buffer = Buffer.alloc(0)
  #at = 0

  private constructor(readonly handle: FileHandle) {}

  /** Throws FILE_READ. */
  static async open(file: string): Promise<FileBytes> {
    try {
      return new FileBytes(await open(file))
    } catch (cause) {
      throw new CodedError('FILE_READ', `${file} cannot be read: ${errorText(cause)}`, { cause })
    }
  }

  /** The next `count` bytes, valid until the next call; undefined when the file has fewer. */
  async take(count: number): Promise<Buffer | undefined> {
    while (this.#buffer.length - this.#at < count) {
      const rest = this.#buffer.subarray(this.#at)
      const piece = Buffer.allocUnsafe(Math.max(PIECE, count))
      const { bytesRead } = await this.handle.read(piece, 0, piece.length)
      if (bytesRead === 0) return undefined
      this.#buffer = Buffer.concat([rest, piece.subarray(0, bytesRead)])
      this.#at = 0
    }
    this.#at += count
    return this.#buffer.subarray(this.#at - count, this.#at)
  }

  close(): Promise<void> {
    return this.handle.close()
  }
}
