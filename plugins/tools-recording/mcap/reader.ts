// Reads a recording, message by message, in the order in which it was recorded. Files of others are read as well.
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from '@node-rs/crc32'
import { type McapTypes, McapStreamReader, Opcode } from '@mcap/core'
import { CodedError, errorText, lz4Decompress, zstdDecompress } from '../../../core/api/plugin.js'
import { type RecordedMessage } from '../recorded.js'
import { type FileRecord, fileRecords } from './file-records.js'
import { readSide, type Side } from './kafka-side.js'

/** Bytes that one chunk may become. */
const MOST_CHUNK = 256 << 20
/** Bytes of keys and headers that may wait for their messages. */
const MOST_WAITING = 64 << 20

/**
 * `heard` is told once when the file was not closed: what is whole is read all the same. Throws CodedError FILE_READ, after
 * what comes before the damage.
 */
export async function* readRecording(file: string, heard: (note: string) => void): AsyncGenerator<RecordedMessage> {
  const handle = await opened(file)
  try {
    const content = new Content()
    const records = fileRecords(handle)
    for (;;) {
      const { value, done } = await records.next()
      if (done === true) {
        if (!value.closed) heard(`${file} was not closed by its writer; what is whole ends at byte ${value.at}`)
        return
      }
      try {
        yield* content.messagesOf(value)
      } catch (cause) {
        throw new Error(`byte ${value.at}: ${errorText(cause)}`, { cause })
      }
    }
  } catch (cause) {
    throw new CodedError('FILE_READ', `${file}: ${errorText(cause)}`, { cause })
  } finally {
    await handle.close()
  }
}

async function opened(file: string): Promise<FileHandle> {
  try {
    return await open(file)
  } catch (cause) {
    throw new CodedError('FILE_READ', `${file} cannot be read: ${errorText(cause)}`, { cause })
  }
}

interface ChannelPlace {
  readonly topic: string
  readonly partition: number
  readonly isAppendTime: boolean
  /** Its messages stand beside others. */
  readonly isBeside: boolean
}

/** What channels there are, and what waits for its message. */
class Content {
  readonly #parser = new McapStreamReader({ noMagicPrefix: true })
  readonly #channels = new Map<number, ChannelPlace>()
  readonly #waiting = new Map<string, { readonly side: Side; readonly bytes: number }>()
  #waitingBytes = 0

  #message({ channelId, sequence, logTime, data }: McapTypes.Message): RecordedMessage | undefined {
    const lane = this.#channels.get(channelId)
    if (lane === undefined) throw new Error(`a message is of channel ${channelId}, which there is not`)
    const { topic, partition, isAppendTime, isBeside } = lane
    const place = `${topic} ${partition} ${sequence}`
    const side = isBeside ? readSide(data) : this.#taken(place)
    if (isBeside && side?.isTombstone !== true) {
      this.#wait(place, side!, data.length)
      return undefined
    }
    return {
      topic,
      partition,
      offset: side?.offset ?? sequence,
      timestampMs: side?.timestampMs ?? Number(logTime / 1_000_000n),
      isAppendTime,
      key: side?.key ?? null,
      headers: side?.headers ?? [],
      value: isBeside ? null : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    }
  }

  *messagesOf({ opcode, bytes }: FileRecord): Generator<RecordedMessage> {
    this.#parser.append(opcode === Opcode.CHUNK ? inflated(bytes) : bytes)
    for (let record = this.#parser.nextRecord(); record !== undefined; record = this.#parser.nextRecord()) {
      if (record.type === 'Channel') this.#channels.set(record.id, placeOf(record))
      else if (record.type === 'Message') {
        const message = this.#message(record)
        if (message !== undefined) yield message
      } else if (record.type !== 'Schema' && record.type !== 'Unknown') throw new Error(`${record.type} inside a chunk`)
    }
    const left = this.#parser.bytesRemaining()
    if (left > 0) throw new Error(`a chunk ends within a record (${left} bytes)`)
  }

  #wait(place: string, side: Side, bytes: number): void {
    this.#taken(place)
    // What an entry costs besides what is in it
    const entry = { side, bytes: bytes + 200 }
    this.#waitingBytes += entry.bytes
    if (this.#waitingBytes > MOST_WAITING) throw new Error('keys and headers have no messages')
    this.#waiting.set(place, entry)
  }

  #taken(place: string): Side | undefined {
    const found = this.#waiting.get(place)
    if (found === undefined) return undefined
    this.#waiting.delete(place)
    this.#waitingBytes -= found.bytes
    return found.side
  }
}

/** Files of others have no partitions; all of a topic is then in partition 0. */
function placeOf({ topic, metadata }: McapTypes.Channel): ChannelPlace {
  const partition = Number(metadata.get('partition') ?? 0)
  if (!Number.isInteger(partition) || partition < 0 || partition > 2 ** 31 - 1)
    throw new Error(`a channel has the partition ${JSON.stringify(metadata.get('partition'))}`)
  return {
    topic: metadata.get('topic') ?? topic,
    partition,
    isAppendTime: metadata.get('timestamp_type') === 'LogAppendTime',
    isBeside: metadata.get('nexstream') === 'kafka'
  }
}

/** The records in a chunk. Throws Error. */
function inflated(chunk: Buffer): Buffer {
  // Head 9, start and end time 16, size 8, checksum 4, then the name of the compression and the length of what is compressed
  if (chunk.length < 49) throw new Error('a chunk is shorter than its head')
  const size = chunk.readBigUInt64LE(25)
  const crc = chunk.readUInt32LE(33)
  const nameEnd = 41 + chunk.readUInt32LE(37)
  if (nameEnd + 8 > chunk.length) throw new Error('the head of a chunk is longer than the chunk')
  const name = chunk.toString('latin1', 41, nameEnd)
  const length = chunk.readBigUInt64LE(nameEnd)
  if (length > BigInt(chunk.length - nameEnd - 8)) throw new Error('the content of a chunk is longer than the chunk')
  if (size > BigInt(MOST_CHUNK)) throw new Error(`a chunk of ${size} bytes is larger than any sound one`)
  const packed = chunk.subarray(nameEnd + 8, nameEnd + 8 + Number(length))
  const data = decompressed(name, packed, Number(size))
  if (BigInt(data.length) !== size) throw new Error(`a chunk holds ${data.length} bytes and says ${size}`)
  if (crc !== 0 && crc32(data) !== crc) throw new Error('the checksum of a chunk is wrong: it is damaged')
  return data
}

function decompressed(name: string, packed: Buffer, size: number): Buffer {
  if (name === '') return packed
  if (size === 0) return Buffer.alloc(0)
  if (name === 'zstd') return zstdDecompress(packed, size)
  if (name === 'lz4') return lz4Decompress(packed, size)
  throw new Error(`a chunk is compressed by ${JSON.stringify(name.slice(0, 20))}; zstd, lz4 and none are known`)
}
