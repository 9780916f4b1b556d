// The partition that a rehearsal reads: batches of logs, small and large events, over and over, each at its own time.
import { crc32c } from '@node-rs/crc32'
import { encodeMessage } from '../../../../schemas/index.js'

/** Header of a record batch, and the places in it that change. */
const HEADER = 61
const CRC = 17
const CHECKED = 21
const BASE_TIME = 27
const MAX_TIME = 35

const ROUNDS = 40
const LOGS = 1000
const SMALL_EVENTS = 100
/** Large enough to be written behind the reader. */
const LARGE_EVENTS = 40_000
/** ns from one message to the next. */
const STEP_NS = 100_000n

export const logSources = Array.from({ length: 300 }, (_, i) => `REHEARSAL:LOG-${i}`)
/** Every second one in the older schema. */
export const logModule = (i: number): 'f142' | 'f144' => (i % 2 === 0 ? 'f144' : 'f142')
export const eventSource = 'rehearsal'

interface BatchForm {
  readonly bytes: Buffer
  readonly count: number
  /** Where each message has its time. */
  readonly times: readonly number[]
}

export class MadeUpLog {
  readonly messages: number
  readonly startNs: bigint
  readonly stopNs: bigint
  readonly #templates: readonly BatchForm[]
  readonly #round: number

  constructor(startMs: number) {
    this.startNs = BigInt(startMs) * 1_000_000n
    const { startNs } = this
    const logs = Array.from({ length: LOGS }, (_, i) => logMessage(i % logSources.length, startNs))
    const small = Array.from({ length: SMALL_EVENTS }, (_, i) => eventMessage(300 + i, startNs))
    const large = [eventMessage(LARGE_EVENTS, startNs)]
    this.#templates = [logs, small, large].map((list) => templateOf(list, startNs))
    this.#round = this.#templates.reduce((sum, { count }) => sum + count, 0)
    this.messages = ROUNDS * this.#round
    this.stopNs = startNs + STEP_NS * BigInt(this.messages)
  }

  /** The batches from the one that holds `offset` on, at least `bytes` of them where there are so many. */
  from(offset: number, bytes: number): Buffer[] {
    const batches: Buffer[] = []
    let left = bytes
    let base = offset - (offset % this.#round)
    while (base < this.messages && left > 0)
      for (const template of this.#templates) {
        if (base + template.count > offset) {
          const batch = this.#batch(template, base)
          batches.push(batch)
          left -= batch.length
        }
        base += template.count
      }
    return batches
  }

  #batch({ bytes, times }: BatchForm, base: number): Buffer {
    const batch = Buffer.from(bytes)
    let timeNs = this.startNs + STEP_NS * BigInt(base)
    const timeMs = timeNs / 1_000_000n
    batch.writeBigInt64BE(BigInt(base), 0)
    batch.writeBigInt64BE(timeMs, BASE_TIME)
    batch.writeBigInt64BE(timeMs, MAX_TIME)
    for (const at of times) batch.writeBigInt64LE((timeNs += STEP_NS), at)
    batch.writeUInt32BE(crc32c(batch.subarray(CHECKED)), CRC)
    return batch
  }
}

function logMessage(source: number, timeNs: bigint): Buffer {
  const common = { value: { type: 'Double', value: { value: source / 4 } }, timestamp: timeNs }
  return encodeMessage(logModule(source), { ...common, source_name: logSources[source] })
}

function eventMessage(events: number, timeNs: bigint): Buffer {
  const numbers = { dtype: 'int32', length: events, bytes: new Uint8Array(4 * events) } as const
  return encodeMessage('ev44', {
    source_name: eventSource,
    message_id: 1n,
    reference_time: [timeNs],
    reference_time_index: [0],
    time_of_flight: numbers,
    pixel_id: numbers
  })
}

/** @param timeNs - of all messages: tells where they have it */
function templateOf(messages: readonly Buffer[], timeNs: bigint): BatchForm {
  const time = Buffer.alloc(8)
  time.writeBigInt64LE(timeNs)
  const pieces: Buffer[] = [Buffer.alloc(HEADER)]
  const times: number[] = []
  let at = HEADER
  for (const [i, message] of messages.entries()) {
    // Attributes, time, offset, no key, length of the value; behind it no headers
    const head = Buffer.from([0, 0, ...zigzag(i), 1, ...zigzag(message.length)])
    const length = Buffer.from(zigzag(head.length + message.length + 1))
    times.push(at + length.length + head.length + message.indexOf(time))
    const record = [length, head, message, Buffer.alloc(1)]
    for (const { length } of record) at += length
    pieces.push(...record)
  }
  const bytes = Buffer.concat(pieces)
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes[16] = 2
  bytes.writeInt32BE(messages.length - 1, 23)
  bytes.fill(0xff, 43, 57) // No producer
  bytes.writeInt32BE(messages.length, 57)
  return { bytes, count: messages.length, times }
}

/** Kafka's varint of a number that is not negative. */
function zigzag(n: number): number[] {
  const bytes: number[] = []
  let rest = 2 * n
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
  return [...bytes, rest]
}
