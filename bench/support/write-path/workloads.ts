// The workloads of bench/write-path.ts: what lies in Kafka, the structure that is asked for, and what must be in the file.
import { eventCodec } from '../../../plugins/converter-events/codec.js'
import { logF142, logF144 } from '../../../plugins/converter-logs/codec.js'

export interface Message {
  readonly topic: string
  readonly value: Buffer
  readonly timestampMs: number
}

/** Everything a contestant has to know; plain JSON. */
export interface Task {
  readonly brokers: readonly string[]
  readonly topics: readonly string[]
  readonly kind: 'events' | 'logs'
  /** In the order of the topics (events) or on the one topic (logs). */
  readonly sources: readonly string[]
  readonly startMs: number
  readonly stopMs: number
  readonly messages: number
  readonly bytes: number
  /** What costs are divided by: GB, values or messages. */
  readonly units: number
}

export interface Workload {
  readonly name: string
  readonly title: string
  readonly kind: Task['kind']
  readonly topics: number
  readonly sources: number
  /** Messages per source. */
  readonly each: number
  /** Bytes of a message (events). */
  readonly size: number
  readonly unit: 'GB' | 'value' | 'message'
  /** Of the batches in Kafka; default none. */
  readonly codec?: 'lz4' | 'zstd'
}

const GB = 1e9
const events = (name: string, title: string, gb: number, topics: number, size = 1_000_000): Workload => ({
  name,
  title,
  kind: 'events',
  topics,
  sources: topics,
  each: Math.max(1, Math.round((gb * GB) / size / topics)),
  size,
  unit: 'GB'
})
const logs = (name: string, title: string, sources: number, each: number): Workload => ({
  name,
  title,
  kind: 'logs',
  topics: 1,
  sources,
  each,
  size: 0,
  unit: 'value'
})

/** `size` is GB, values per source or messages, see `--help`. */
export const workloads: Readonly<Record<string, (size?: number) => Workload>> = {
  'events-1p': (gb = 1) => events('events-1p', `${gb} GB of ev44 in 1 MB messages, one partition`, gb, 1),
  'events-4t': (gb = 1) => events('events-4t', `${gb} GB of ev44 in 1 MB messages over 4 topics`, gb, 4),
  'lz4-4t': (gb = 1) => ({ ...events('lz4-4t', `${gb} GB of ev44 over 4 topics, in lz4`, gb, 4), codec: 'lz4' }),
  'zstd-4t': (gb = 1) => ({ ...events('zstd-4t', `${gb} GB of ev44 over 4 topics, in zstd`, gb, 4), codec: 'zstd' }),
  'small-logs': (n = 1000) => logs('small-logs', `1,000 sources × ${n} scalars of f144 and f142`, 1000, n),
  'many-sources': (n = 200) => logs('many-sources', `5,000 sources × ${n} scalars, structure of 5,000 groups`, 5000, n),
  'small-events': (n = 100_000) => ({
    ...events('small-events', `${n} ev44 messages of 1,000 events`, 0, 1, 8000),
    each: n,
    unit: 'message'
  }),
  'slow-disk': (gb = 2) => events('slow-disk', `backlog of ${gb} GB, writes throttled`, gb, 1)
}

export const messageSize = (bytes: number, gb: number): Workload =>
  events(`message-${bytes}`, `${gb} GB of ev44 in messages of ${bytes} bytes`, gb, 1, bytes)
export const sourceCount = (sources: number, values: number): Workload =>
  logs(`sources-${sources}`, `${sources} sources, ${values} values together`, sources, Math.ceil(values / sources))

/** ns between pulses (14 Hz) and between values of one source. */
const PULSE_NS = 71_428_571n
const SPAN_MS = 1_000_000

const vector = (dtype: 'int32' | 'int64', list: Int32Array | BigInt64Array) =>
  ({ dtype, length: list.length, bytes: new Uint8Array(list.buffer, list.byteOffset, list.byteLength) }) as const

/** Event ids and offsets are so many different messages, over and over. */
const VARIANTS = 8

function eventMessage(source: string, size: number, i: number, timeNs: bigint): Buffer {
  const n = Math.max(1, Math.floor((size - 150) / 8))
  const ids = Int32Array.from({ length: n }, (_, k) => (k * 7919 + i) % 1_000_000)
  const offsets = Int32Array.from({ length: n }, (_, k) => k * 97 + i)
  return eventCodec('ev44').encode({
    source,
    messageId: BigInt(i),
    referenceTime: vector('int64', BigInt64Array.of(timeNs)),
    referenceTimeIndex: vector('int32', Int32Array.of(0)),
    timeOfFlight: vector('int32', offsets),
    pixelId: vector('int32', ids)
  })
}

/** The messages of a workload in the order in which they go to Kafka. */
export function* messages(workload: Workload, topics: readonly string[], startMs: number): Generator<Message> {
  const total = workload.sources * workload.each
  const startNs = BigInt(startMs) * 1_000_000n
  if (workload.kind === 'events') return yield* eventMessages(workload, topics, startMs)
  const topic = topics[0] ?? ''
  for (let i = 0; i < total; i++) {
    const timestampMs = startMs + Math.floor((i / total) * SPAN_MS)
    const s = i % workload.sources
    const record = {
      source: sourceName(s),
      timestampNs: startNs + BigInt(i) * BigInt(Math.floor((SPAN_MS * 1e6) / total)),
      dtype: 'float64',
      value: i * 0.25
    } as const
    // Every second source in the older schema
    yield { topic, timestampMs, value: s % 2 === 0 ? logF144.encode(record) : logF142.encode(record) }
  }
}

function* eventMessages({ sources, each, size }: Workload, topics: readonly string[], startMs: number) {
  const startNs = BigInt(startMs) * 1_000_000n
  const made = Array.from({ length: sources }, (_, s) =>
    Array.from({ length: VARIANTS }, (_, k) => eventMessage(sourceName(s), size, k, startNs))
  )
  const stepNs = (PULSE_NS * BigInt(each) < BigInt(SPAN_MS) * 1_000_000n ? PULSE_NS : BigInt(Math.floor((SPAN_MS * 1e6) / each))) // prettier-ignore
  for (let i = 0; i < each; i++)
    for (let s = 0; s < sources; s++) {
      const timeNs = startNs + BigInt(i) * stepNs
      const value = Buffer.from(made[s]?.[i % VARIANTS] ?? Buffer.alloc(0))
      patchTime(value, startNs, timeNs)
      yield { topic: topics[s % topics.length] ?? '', value, timestampMs: Number(timeNs / 1_000_000n) }
    }
}

/** Gives a ready message another pulse time. */
function patchTime(message: Buffer, fromNs: bigint, toNs: bigint): void {
  const old = Buffer.alloc(8)
  old.writeBigInt64LE(fromNs)
  message.writeBigInt64LE(toNs, message.indexOf(old))
}

export const sourceName = (s: number): string => `BENCH-${s % 13}:Unit-${s}:Value-R`
export const endMs = (startMs: number): number => startMs + SPAN_MS + 1

/** Module of each source, as `messages` sends it. */
export const moduleOf = (kind: Task['kind'], s: number): string =>
  kind === 'events' ? 'ev44' : s % 2 === 0 ? 'f144' : 'f142'

/** The nexus_structure of a task: one group per source. */
export function structureOf({ kind, sources, topics }: Pick<Task, 'kind' | 'sources' | 'topics'>): object {
  const children = sources.map((source, s) => ({
    type: 'group',
    name: `group_${s}`,
    children: [{ module: moduleOf(kind, s), config: { topic: topics[s % topics.length], source } }]
  }))
  return {
    children: [{ type: 'group', name: 'entry', attributes: [{ name: 'NX_class', values: 'NXentry' }], children }]
  }
}
