// The records of an MCAP file one after the other, with every length checked before anything is read or held.
import { type FileHandle } from 'node:fs/promises'
import { Opcode } from '@mcap/core'

/** No sound record that is read here is larger: Kafka's messages have at most 100 MB. */
const MOST_RECORD = 256 << 20
const MAGIC = Buffer.from([0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a])
/** Operation code and length. */
const HEAD = 9

export interface FileRecord {
  readonly opcode: Opcode
  /** Where it begins in the file. */
  readonly at: number
  /** With its head. */
  readonly bytes: Buffer
}

/** How the file ended. */
export interface FileEnd {
  /** By its writer; else it was cut off, and what is whole was read. */
  readonly closed: boolean
  /** Where the last whole record ended. */
  readonly at: number
}

const read = new Set<number>([Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE, Opcode.CHUNK])

/** Those that lead to messages; indexes are passed over. Throws Error for what is no MCAP file. */
export async function* fileRecords(handle: FileHandle): AsyncGenerator<FileRecord, FileEnd> {
  const { size } = await handle.stat()
  const magic = Buffer.alloc(MAGIC.length)
  await handle.read(magic, 0, magic.length, 0)
  if (!magic.equals(MAGIC)) throw new Error('is no MCAP file')
  const head = Buffer.alloc(HEAD)
  let at = MAGIC.length
  for (;;) {
    if (at + HEAD > size) return { closed: false, at }
    await handle.read(head, 0, HEAD, at)
    const opcode = head[0]! as Opcode
    const length = head.readBigUInt64LE(1)
    if (opcode === Opcode.DATA_END || opcode === Opcode.FOOTER) return { closed: true, at }
    if (length > BigInt(size - at - HEAD)) return { closed: false, at }
    const total = HEAD + Number(length)
    if (read.has(opcode)) {
      if (total > MOST_RECORD) throw new Error(`byte ${at}: a record of ${total} bytes is larger than any sound one`)
      const bytes = Buffer.allocUnsafe(total)
      await handle.read(bytes, 0, total, at)
      yield { opcode, at, bytes }
    }
    at += total
  }
}
