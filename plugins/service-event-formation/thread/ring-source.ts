// Packets of a port that a thread of its own receives: they wait in shared memory while this thread is held up.
import { Worker } from 'node:worker_threads'
import { CodedError, type ErrorCode } from '../../../core/api/plugin.js'
import { type PacketSource, type PortAddress, type ReceivedBy } from './receiver.js'
import { type RingMemory, RingReader, type TakeFromRing } from './ring.js'

export interface ReceivingData extends PortAddress {
  readonly ring: RingMemory
  readonly receiveBy: 'auto' | 'dgram'
}
export type ToReceiving = 'close'
export type FromReceiving =
  /** `why` it is not received in the better way. */
  | { readonly type: 'open'; readonly bufferBytes: number; readonly by: ReceivedBy; readonly why?: string }
  /** Instead of `open`. */
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string; readonly path?: string }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'closed' }

/** Packets that are read before others have their turn: timers, answers of Kafka. */
const MOST = 128
/** After packets came, others are waited for so long together: each waking costs as much as a packet. */
const GATHER_MS = 4
/** Nothing is lost by waking in vain, should a notice ever be missed. */
const LONGEST_SLEEP_MS = 1000

export class RingSource implements PacketSource {
  by: ReceivedBy = 'dgram'
  why: string | undefined
  readonly #reader: RingReader
  readonly #closed: Promise<void>
  #bufferBytes = 0
  #isClosing = false
  #isOver = false
  #readAll: Promise<void> = Promise.resolve()

  private constructor(
    readonly worker: Worker,
    ring: RingMemory,
    readonly take: TakeFromRing,
    readonly failed: (error: Error) => void
  ) {
    this.#reader = new RingReader(ring)
    this.#closed = new Promise((resolve) => {
      worker.on('message', ({ type }: FromReceiving) => {
        if (type === 'closed') resolve()
      })
      worker.once('exit', (code) => {
        resolve()
        if (!this.#isClosing) failed(new Error(`the thread that receives ended with code ${code}`))
      })
    })
  }

  /** Throws PORT_FAILED. */
  static async open(
    workerData: ReceivingData,
    take: TakeFromRing,
    failed: (error: Error) => void
  ): Promise<RingSource> {
    const worker = new Worker(new URL('./receive-main.js', import.meta.url), { workerData, stdin: false })
    const source = new RingSource(worker, workerData.ring, take, failed)
    await source.#opened()
    source.#readAll = source.#read()
    return source
  }

  get bufferBytes(): number {
    return this.#isClosing ? 0 : this.#bufferBytes
  }

  drops(): number {
    return this.#reader.kernelDrops
  }

  queueDrops(): number {
    return this.#reader.drops
  }

  /** All that has come is taken when it resolves. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.worker.postMessage('close' satisfies ToReceiving)
    await this.#closed
    this.#isOver = true
    this.#reader.wake()
    await this.#readAll
  }

  #opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOpen = false
      const refuse = (error: Error): void => {
        if (isOpen) return this.failed(error)
        this.#isClosing = true
        void this.worker.terminate()
        reject(error)
      }
      this.worker.on('error', refuse)
      this.worker.on('message', (message: FromReceiving) => {
        if (message.type === 'open') {
          isOpen = true
          this.#bufferBytes = message.bufferBytes
          this.by = message.by
          this.why = message.why
          resolve()
        } else if (message.type === 'failed') this.failed(new Error(message.message))
        else if (message.type === 'refused') {
          const { code, message: text, path } = message
          refuse(new CodedError(code, text, path === undefined ? {} : { path }))
        }
      })
    })
  }

  async #read(): Promise<void> {
    for (;;) {
      // What came before the other thread was over is seen after
      const wasOver = this.#isOver
      const count = this.#reader.read(MOST, this.take)
      if (count === MOST) await new Promise((resolve) => setImmediate(resolve))
      else if (wasOver) return
      else if (count > 0) await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
      else await this.#reader.wait(this.#isClosing ? GATHER_MS : LONGEST_SLEEP_MS)
    }
  }
}
