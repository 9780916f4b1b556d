// Writes a recording: an MCAP file in compressed chunks with all indexes, readable up to its last chunk at any moment.
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from '@node-rs/crc32'
import { McapChunkBuilder, McapRecordBuilder, Opcode, type McapTypes } from '@mcap/core'
import { CodedError, errorText, lz4Compress, version, zstdCompress } from '../../../core/api/plugin.js'
import { type RecordedMessage } from '../recorded.js'
import { Channels, type RecordingChannel } from './channels.js'
import { logTimeOf, sequenceOf, sideOf } from './kafka-side.js'

export const compressions = ['zstd', 'lz4', 'none'] as const
export type RecordingCompression = (typeof compressions)[number]

/** Bytes of a chunk before it is compressed; it may become larger by one message. */
const CHUNK_BYTES = 4 << 20
/** A level at which events at the full rate of a detector are kept up with. */
const ZSTD_LEVEL = 1

export class RecordingWriter {
  /** Messages so far; what stands beside them is not counted. */
  messages = 0
  /** In the file. */
  bytes = 0
  readonly #channels = new Channels()
  readonly #chunk = new McapChunkBuilder({ useMessageIndex: true })
  readonly #out = new McapRecordBuilder()
  readonly #begun = { channels: new Set<number>(), schemas: new Set<number>() }
  readonly #chunks: McapTypes.ChunkIndex[] = []
  readonly #counts = new Map<number, bigint>()
  /** Messages that are in the file. */
  #kept = 0
  #times: { first: bigint; last: bigint } | undefined
  #dataCrc = 0

  private constructor(
    readonly file: string,
    readonly handle: FileHandle,
    readonly compression: RecordingCompression
  ) {}

  /** Nothing is overwritten. Throws CodedError RECORDING_EXISTS, RECORDING_FAILED. */
  static async create(file: string, compression: RecordingCompression): Promise<RecordingWriter> {
    let handle: FileHandle
    try {
      handle = await open(file, 'wx')
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST')
        throw new CodedError('RECORDING_EXISTS', `${file} exists already; give another name with -o`, { cause })
      throw new CodedError('RECORDING_FAILED', `${file} cannot be made: ${errorText(cause)}`, { cause })
    }
    const writer = new RecordingWriter(file, handle, compression)
    writer.#out.writeMagic()
    writer.#out.writeHeader({ profile: '', library: `nexstream ${version}` })
    await writer.#write()
    return writer
  }

  /** Copies the message; what it holds may be used again. */
  add(message: RecordedMessage): void {
    const logTime = logTimeOf(message.timestampMs)
    const side = sideOf(message)
    if (side !== undefined) this.#add(this.#channels.beside(message), message.offset, logTime, side)
    if (message.value !== null)
      this.#add(this.#channels.of(message, message.value), message.offset, logTime, message.value)
    this.messages++
  }

  /** Bytes that are not in the file yet. */
  get pending(): number {
    return this.#chunk.byteLength
  }

  get isFull(): boolean {
    return this.#chunk.byteLength >= CHUNK_BYTES
  }

  #add(channel: RecordingChannel, offset: number, logTime: bigint, data: Uint8Array): void {
    if (!this.#begun.channels.has(channel.id)) this.#begin(channel)
    this.#chunk.addMessage({ channelId: channel.id, sequence: sequenceOf(offset), logTime, publishTime: logTime, data })
    this.#counts.set(channel.id, (this.#counts.get(channel.id) ?? 0n) + 1n)
    const times = (this.#times ??= { first: logTime, last: logTime })
    if (logTime < times.first) times.first = logTime
    if (logTime > times.last) times.last = logTime
  }

  #begin(channel: RecordingChannel): void {
    const schema = this.#channels.schemas[channel.schemaId - 1]
    if (schema !== undefined && !this.#begun.schemas.has(schema.id)) {
      this.#chunk.addSchema(schema)
      this.#begun.schemas.add(schema.id)
    }
    this.#chunk.addChannel(channel)
    this.#begun.channels.add(channel.id)
  }

  /** What was added is in the file afterwards. Throws CodedError RECORDING_FAILED. */
  async flush(): Promise<void> {
    const chunk = this.#chunk
    if (chunk.numMessages === 0) return
    const plain = chunk.buffer
    const data = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength)
    const records =
      this.compression === 'zstd'
        ? zstdCompress(data, ZSTD_LEVEL)
        : this.compression === 'lz4'
          ? lz4Compress(data)
          : data
    const compression = this.compression === 'none' ? '' : this.compression
    const { messageStartTime, messageEndTime } = chunk
    const uncompressedSize = BigInt(data.length)
    const times = { messageStartTime, messageEndTime }
    const chunkStartOffset = BigInt(this.bytes)
    const chunkLength = this.#out.writeChunk({
      ...times,
      uncompressedSize,
      uncompressedCrc: crc32(data),
      compression,
      records
    })
    const messageIndexOffsets = new Map<number, bigint>()
    let messageIndexLength = 0n
    for (const index of chunk.indices) {
      messageIndexOffsets.set(index.channelId, chunkStartOffset + chunkLength + messageIndexLength)
      messageIndexLength += this.#out.writeMessageIndex(index)
    }
    const sizes = { compressedSize: BigInt(records.length), uncompressedSize }
    this.#chunks.push({ ...times, chunkStartOffset, chunkLength, messageIndexOffsets, messageIndexLength, compression, ...sizes }) // prettier-ignore
    chunk.reset()
    const { messages } = this
    await this.#write()
    this.#kept = messages
  }

  /** The rest, what was recorded (as text), and the indexes. Throws CodedError RECORDING_FAILED. */
  async close(metadata: ReadonlyMap<string, string>): Promise<void> {
    await this.flush()
    const offset = BigInt(this.bytes)
    const length = this.#out.writeMetadata({ name: 'nexstream.recording', metadata: new Map(metadata) })
    await this.#write()
    this.#out.writeDataEnd({ dataSectionCrc: this.#dataCrc })
    await this.#write()
    const summary = this.#summary({ name: 'nexstream.recording', offset, length })
    await this.#put(summary)
    await this.handle.close()
  }

  /** Gives up; what was added is in the file, unless that cannot be written. Gives how many messages are in it. */
  async abandon(): Promise<number> {
    // Told already by what made it give up
    await this.flush().catch(() => undefined)
    await this.handle.close()
    return this.#kept
  }

  #summary(metadata: McapTypes.MetadataIndex): Buffer {
    const out = this.#out
    const start = BigInt(this.bytes)
    const groups: McapTypes.SummaryOffset[] = []
    const group = (groupOpcode: Opcode, write: () => unknown): void => {
      const groupStart = start + BigInt(out.length)
      write()
      const groupLength = start + BigInt(out.length) - groupStart
      if (groupLength > 0n) groups.push({ groupOpcode, groupStart, groupLength })
    }
    group(Opcode.SCHEMA, () => this.#channels.schemas.forEach((schema) => out.writeSchema(schema)))
    group(Opcode.CHANNEL, () => this.#channels.channels.forEach((channel) => out.writeChannel(channel)))
    group(Opcode.STATISTICS, () => out.writeStatistics(this.#statistics()))
    group(Opcode.CHUNK_INDEX, () => this.#chunks.forEach((index) => out.writeChunkIndex(index)))
    group(Opcode.METADATA_INDEX, () => out.writeMetadataIndex(metadata))
    const summaryOffsetStart = start + BigInt(out.length)
    for (const one of groups) out.writeSummaryOffset(one)
    out.writeFooter({ summaryStart: start, summaryOffsetStart, summaryCrc: 0 })
    out.writeMagic()
    const bytes = Buffer.from(out.buffer)
    out.reset()
    // The checksum covers all up to where it stands itself, which is before the closing magic
    const at = bytes.length - 12
    bytes.writeUInt32LE(crc32(bytes.subarray(0, at)), at)
    return bytes
  }

  #statistics(): McapTypes.Statistics {
    const { channels, schemas } = this.#channels
    return {
      messageCount: [...this.#counts.values()].reduce((sum, count) => sum + count, 0n),
      schemaCount: schemas.length,
      channelCount: channels.length,
      attachmentCount: 0,
      metadataCount: 1,
      chunkCount: this.#chunks.length,
      messageStartTime: this.#times?.first ?? 0n,
      messageEndTime: this.#times?.last ?? 0n,
      channelMessageCounts: this.#counts
    }
  }

  /** What was built. */
  async #write(): Promise<void> {
    const bytes = this.#out.buffer
    this.#dataCrc = crc32(bytes, this.#dataCrc)
    this.#out.reset()
    await this.#put(bytes)
  }

  /** All of it or nothing: where the disk is full, the file ends with what was whole. */
  async #put(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;)
        at += (await this.handle.write(bytes, at, bytes.length - at, this.bytes + at)).bytesWritten
      this.bytes += bytes.length
    } catch (cause) {
      await this.handle.truncate(this.bytes).catch(() => undefined)
      const kept = `it is readable up to its last chunk (${this.bytes} bytes)`
      throw new CodedError('RECORDING_FAILED', `${this.file} cannot be written: ${errorText(cause)}; ${kept}`, {
        cause
      })
    }
  }
}
