// Records in and out, by our client and by librdkafka, in one form that can be compared.
import { fileURLToPath } from 'node:url'
import { type Kafka, type Reader } from '../../core/api/kafka.js'
import { runPython } from './python.js'

const script = fileURLToPath(new URL('../../../test/support/python/kafka_io.py', import.meta.url))

/** A record as `kafka_io.py` prints it: bytes in hex. */
export interface PlainRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers?: readonly (readonly [string, string | null])[]
}
export interface ToSend {
  readonly key?: string | null
  readonly value: string | null
  readonly timestamp?: number
  readonly headers?: readonly (readonly [string, string | null])[]
}

const lines = (records: readonly unknown[]): string => records.map((record) => `${JSON.stringify(record)}\n`).join('')

/** Reads [first, end) of a partition with confluent-kafka. */
export async function pythonConsume(brokers: readonly string[], topic: string, end: number, partition = 0, first = 0) {
  const args = ['consume', brokers.join(','), topic, String(partition), String(first), String(end)]
  const text = await runPython(script, args)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Required<PlainRecord>)
}

export async function pythonProduce(
  brokers: readonly string[],
  topic: string,
  codec: string,
  records: readonly ToSend[]
): Promise<void> {
  await runPython(script, ['produce', brokers.join(','), topic, codec], lines(records))
}

export interface Transaction {
  readonly id: string
  readonly begin?: boolean
  readonly end: 'commit' | 'abort' | 'open'
  readonly records: readonly ToSend[]
}
export async function pythonTransact(
  brokers: readonly string[],
  topic: string,
  steps: readonly Transaction[]
): Promise<void> {
  await runPython(script, ['transact', brokers.join(','), topic], lines(steps))
}

export interface Collected {
  readonly records: PlainRecord[]
  /** Skipped on the way, by reason. */
  readonly skipped: { [reason: string]: number }
}

/** What `reader` gives until its place in partition 0 is `end`. */
export async function collect(reader: Reader, end: number): Promise<Collected> {
  const found: Collected = { records: [], skipped: {} }
  const hex = (bytes: Buffer | null): string | null => bytes && bytes.toString('hex')
  for (;;) {
    const batch = await reader.next()
    if (batch === null) return found
    for (let i = 0; i < batch.count; i++)
      found.records.push({
        offset: batch.offset(i),
        key: hex(batch.key(i)),
        value: hex(batch.value(i)),
        timestamp: batch.timestampMs(i)
      })
    for (const [reason, n] of Object.entries(batch.skipped ?? {}))
      found.skipped[reason] = (found.skipped[reason] ?? 0) + n
    const { nextOffset } = batch
    batch.release()
    if (nextOffset >= end) return found
  }
}

/** Reads partition 0 of `topic` up to `end` with our client. */
export async function consume(kafka: Kafka, topic: string, end: number, offset = 0): Promise<Collected> {
  const reader = kafka.reader({ assign: [{ topic, partition: 0, offset }] })
  try {
    return await collect(reader, end)
  } finally {
    await reader.close()
  }
}
