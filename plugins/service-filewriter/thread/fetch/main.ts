// Entry of a fetch thread: reads some partitions of a job, checks and decompresses, and hands the batches over in shared memory.
import { type MessagePort } from 'node:worker_threads'
import {
  type Batch,
  CodedError,
  errorText,
  type Kafka,
  type Reader,
  type ThreadContext
} from '../../../../core/api/plugin.js'
import { type FromFetcher, INDEX_BYTES, indexViews, type SentBatch, type ToFetcher } from './messages.js'
import { SharedPool } from './shared-pool.js'

/** Handed over and not given back, as a multiple of what one answer of Kafka holds. */
const MOST_AHEAD = 2

export default function main({ port, kafka }: ThreadContext): void {
  const readers = new Map<number, Fetching>()
  port.on('message', (message: ToFetcher) => {
    const { reader: id } = message
    if (message.type === 'open') {
      const say = (said: FromFetcher): void => port.postMessage(said)
      const client = kafka((level, text) => say({ type: 'log', reader: id, level, message: text }))
      const fetching = new Fetching(id, client, message.options, port)
      readers.set(id, fetching)
      void fetching.run().finally(() => readers.delete(id))
      return
    }
    readers.get(id)?.hear(message)
  })
}

/** One reader of this thread. */
class Fetching {
  readonly #reader: Reader
  readonly #held = new Map<number, Held>()
  readonly #pool: SharedPool
  readonly #most: number
  #ahead = 0
  #next = 0
  #ended = false
  #wake: (() => void) | undefined

  constructor(
    readonly id: number,
    readonly kafka: Kafka,
    options: (ToFetcher & { type: 'open' })['options'],
    readonly port: MessagePort
  ) {
    this.#most = MOST_AHEAD * (options.maxBytes ?? 0)
    this.#pool = new SharedPool(2 * this.#most)
    this.#reader = kafka.reader({ ...options, shared: true })
  }

  hear(message: Exclude<ToFetcher, { type: 'open' }>): void {
    if (message.type === 'add') this.#reader.add(message.topic, message.partition, message.offset, message.topicId)
    else if (message.type === 'pause') this.#reader.pause(message.topic, message.partition)
    else if (message.type === 'release') this.#release(message.batch)
    else {
      this.#ended = true
      this.#wake?.()
      void this.#reader.close()
    }
  }

  /** Until it is closed; never rejects: what the reader died of is said. */
  async run(): Promise<void> {
    try {
      for (let batch = await this.#reader.next(); batch !== null; batch = await this.#reader.next()) {
        this.#handOver(batch)
        while (this.#ahead > this.#most && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'JOB_FAILED'
      this.#say({ type: 'failed', reader: this.id, code, message: errorText(error) })
    }
    await this.kafka
      .close()
      .catch((error: unknown) => this.#say({ type: 'log', reader: this.id, level: 'warn', message: errorText(error) }))
    this.#say({ type: 'closed', reader: this.id })
  }

  #handOver(batch: Batch): void {
    const id = this.#next++
    const index = indexOf(batch)
    const { bytes } = batch
    const shared = bytes.buffer instanceof SharedArrayBuffer ? bytes.buffer : undefined
    const memory = shared ?? this.#copy(bytes)
    const release = shared ? () => batch.release() : () => this.#pool.give(memory)
    const held = { bytes: sizeOf(batch), release }
    this.#ahead += held.bytes
    this.#held.set(id, held)
    const { topic, partition, count, highWatermark, nextOffset, skipped, madeAgain, truncated, isAppendTime } = batch
    const sent: SentBatch = {
      ...{ id, topic, partition, count, highWatermark, nextOffset, skipped, madeAgain, truncated },
      isAppendTime: isAppendTime ?? false,
      ...{ memory, start: shared ? bytes.byteOffset : 0, length: bytes.byteLength, index }
    }
    if (!shared) batch.release()
    this.port.postMessage({ type: 'batch', reader: this.id, batch: sent } satisfies FromFetcher, [index])
  }

  /** What was decompressed lies in memory of its own. */
  #copy({ buffer, byteOffset, byteLength }: DataView): SharedArrayBuffer {
    const memory = this.#pool.take(byteLength)
    new Uint8Array(memory).set(new Uint8Array(buffer, byteOffset, byteLength))
    return memory
  }

  #release(id: number): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    this.#held.delete(id)
    this.#ahead -= held.bytes
    held.release()
    if (this.#ahead <= this.#most) this.#wake?.()
  }

  #say(message: FromFetcher): void {
    this.port.postMessage(message)
  }
}

interface Held {
  readonly bytes: number
  readonly release: () => void
}

/** Bytes from the first record to the end of the last. */
function sizeOf(batch: Batch): number {
  const { count } = batch
  return count === 0 ? 0 : Math.max(0, batch.valueEnd(count - 1) - batch.valueStart(0))
}

function indexOf(batch: Batch): ArrayBuffer {
  const { count, bytes } = batch
  const index = new ArrayBuffer(INDEX_BYTES * count)
  const { words, spans } = indexViews(index, count)
  for (let i = 0; i < count; i++) {
    words[2 * i] = batch.offset(i)
    words[2 * i + 1] = batch.timestampMs(i)
    spans[4 * i] = batch.valueStart(i)
    spans[4 * i + 1] = batch.valueEnd(i)
    const key = batch.key(i)
    const start = key === null ? 0 : key.byteOffset - bytes.byteOffset
    spans[4 * i + 2] = start
    spans[4 * i + 3] = key === null ? -1 : start + key.length
  }
  return index
}
