// Requests and responses of the Kafka protocol that the client needs, in one fixed version each; two for what knows topic ids.
import { type Api } from './connection.js'
import { type In, Out } from './wire.js'

export const api = {
  produce: { key: 0, version: 8, name: 'Produce' },
  fetch: { key: 1, version: 10, name: 'Fetch' },
  /** Kafka 3.1: asks for a topic by its id, so that one made again under the same name is not taken for it. */
  fetchById: { key: 1, version: 13, name: 'Fetch', flexible: true },
  listOffsets: { key: 2, version: 2, name: 'ListOffsets' },
  metadata: { key: 3, version: 7, name: 'Metadata' },
  /** Kafka 2.8: with topic ids. */
  metadataById: { key: 3, version: 10, name: 'Metadata', flexible: true },
  initProducerId: { key: 22, version: 1, name: 'InitProducerId' },
  alterConfigs: { key: 44, version: 0, name: 'IncrementalAlterConfigs' }
} as const satisfies Record<string, Api>

/** What readers see: never records of transactions that were aborted or are open. */
const READ_COMMITTED = 1
const READ_UNCOMMITTED = 0

// ---------------------------------------------------------------- metadata

interface PartitionMetadata {
  readonly error: number
  readonly partition: number
  /** -1: no leader now. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
}
export interface TopicMetadata {
  readonly error: number
  readonly name: string
  /** Another one when the topic is deleted and made again; '' where the broker has none. */
  readonly id: string
  readonly internal: boolean
  /** Rights of the user, a bit each (`hasRight`); less than 0 where they were not asked for or the broker does not tell. */
  readonly rights: number
  readonly partitions: readonly PartitionMetadata[]
}
export interface ClusterMetadata {
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[]
  readonly controller: number
  readonly topics: readonly TopicMetadata[]
}

/** What a user may do with a topic: Kafka's numbers. */
const rightBits = { READ: 3, WRITE: 4, DESCRIBE: 8 } as const

/** Whoever sees the topic at all may describe it: without that bit nothing is known. */
export const hasRight = ({ rights }: TopicMetadata, right: 'READ' | 'WRITE'): boolean =>
  rights < 0 || (rights & (1 << rightBits.DESCRIBE)) === 0 || (rights & (1 << rightBits[right])) !== 0

/** `names` null asks for all topics. Topics are never created by asking. */
export function metadataRequest(names: readonly string[] | null, byId: boolean, withRights = false): Buffer {
  const out = new Out()
  if (!byId) {
    if (names === null) out.i32(-1)
    else out.array(names, (name) => out.string(name))
    return out.bool(false).done()
  }
  if (names === null) out.uvarint(0)
  else out.compactArray(names, (name) => out.uuid(NO_ID).compactString(name).noTags())
  return out.bool(false).bool(false).bool(withRights).noTags().done()
}

const NO_ID = '0'.repeat(32)

export function metadataResponse(input: In): ClusterMetadata {
  input.tags()
  input.i32() // Throttle time
  const brokers = input.structs(() => {
    const broker = { id: input.i32(), host: input.string(), port: input.i32() }
    input.string() // Rack
    return broker
  })
  input.string() // Cluster id
  const controller = input.i32()
  const topics = input.structs(() => {
    const [error, name, id] = [input.i16(), input.string(), input.flexible ? input.uuid() : NO_ID]
    const internal = input.bool()
    const partitions = input.structs(() => {
      const [error, partition, leader, leaderEpoch] = [input.i16(), input.i32(), input.i32(), input.i32()]
      const replicas = input.array(() => input.i32())
      input.array(() => input.i32()) // In sync
      input.array(() => input.i32()) // Offline
      return { error, partition, leader, leaderEpoch, replicas }
    })
    const rights = input.flexible ? input.i32() : -1
    return { error, name, id: id === NO_ID ? '' : id, internal, rights, partitions }
  })
  return { brokers, controller, topics }
}

export const metadataByIdResponse = (input: In): ClusterMetadata => metadataResponse(input.asFlexible())

// ---------------------------------------------------------------- offsets

export const EARLIEST = -2
export const LATEST = -1

/** `timestamp` in ms, EARLIEST or LATEST (the last stable offset, or with `uncommitted` the high watermark). */
export function listOffsetsRequest(
  topic: string,
  partitions: readonly number[],
  timestamp: number,
  uncommitted = false
): Buffer {
  const out = new Out()
    .i32(-1)
    .i8(uncommitted ? READ_UNCOMMITTED : READ_COMMITTED)
    .i32(1)
    .string(topic)
  return out.array(partitions, (partition) => out.i32(partition).i64(timestamp)).done()
}

/** Offset -1: no message at or after the time. */
export function listOffsetsResponse(
  input: In
): { partition: number; error: number; timestampMs: number; offset: number }[] {
  input.i32()
  return input.ofTopics(() => {
    return { partition: input.i32(), error: input.i16(), timestampMs: input.i64(), offset: input.i64() }
  })
}

// ---------------------------------------------------------------- fetch

interface FetchPart {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly offset: number
  /** Leader epoch of the record before `offset`; -1: unknown. The broker tells when its log parts from there. */
  readonly epoch: number
  /** Refused by a broker that knows of another; -1: unknown. */
  readonly leaderEpoch: number
  readonly maxBytes: number
}
interface FetchRequestLimits {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
}

const fetchHead = ({ maxWaitMs, minBytes, maxBytes }: FetchRequestLimits): Out =>
  new Out().i32(-1).i32(maxWaitMs).i32(minBytes).i32(maxBytes).i8(READ_COMMITTED).i32(0).i32(-1) // No fetch session

/** Parts of one topic need not be together: each becomes an element of its own, in the order given. */
export function fetchRequest(parts: readonly FetchPart[], limits: FetchRequestLimits): Buffer {
  const out = fetchHead(limits)
  out.array(parts, (part) => {
    out.string(part.topic).i32(1).i32(part.partition).i32(-1).i64(part.offset).i64(-1).i32(part.maxBytes)
  })
  return out.i32(0).done() // No forgotten topics
}

export function fetchByIdRequest(parts: readonly FetchPart[], limits: FetchRequestLimits): Buffer {
  const out = fetchHead(limits)
  out.compactArray(parts, (part) => {
    out.uuid(part.topicId).uvarint(2).i32(part.partition).i32(part.leaderEpoch).i64(part.offset).i32(part.epoch).i64(-1)
    out.i32(part.maxBytes).noTags().noTags()
  })
  return out.uvarint(1).compactString('').noTags().done() // No forgotten topics, no rack
}

export interface FetchedPart {
  /** Its id in an answer to a question by id. */
  readonly topic: string
  readonly partition: number
  readonly error: number
  /** The last stable offset: what a reader can get to. */
  readonly end: number
  readonly logStart: number
  /** The log goes another way from here on than it did when it was read; -1: it does not. */
  readonly diverged: number
  /** Producer id → first offset, ascending by offset, of transactions that were aborted. */
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[]
  /** Where the record batches lie in the response. */
  readonly recordsStart: number
  readonly recordsEnd: number
}
type Fetched = { readonly error: number; readonly parts: readonly FetchedPart[] }

const abortedOf = (input: In): { producerId: bigint; firstOffset: number } => {
  const at = input.take(8)
  return { producerId: input.buffer.readBigInt64BE(at), firstOffset: input.i64() }
}

function fetchedPart(input: In, topic: string) {
  const partition = input.i32()
  const error = input.i16()
  const highWatermark = input.i64()
  const stable = input.i64()
  return { topic, partition, error, end: stable >= 0 ? stable : highWatermark, logStart: input.i64() }
}

export function fetchResponse(input: In): Fetched {
  input.tags()
  input.i32()
  const error = input.i16()
  input.i32() // Session
  const parts = input.structs(() => {
    const topic = input.flexible ? input.uuid() : input.string()
    return input.array(() => {
      const part = fetchedPart(input, topic)
      const aborted = input.structs(() => abortedOf(input)).sort((a, b) => a.firstOffset - b.firstOffset)
      if (input.flexible) input.i32() // Replica to read from
      const length = Math.max(0, input.size())
      const recordsStart = input.take(length)
      const recordsEnd = recordsStart + length
      return { ...part, diverged: divergedAt(input), aborted, recordsStart, recordsEnd }
    })
  })
  return { error, parts: parts.flat() }
}

export const fetchByIdResponse = (input: In): Fetched => fetchResponse(input.asFlexible())

function divergedAt(input: In): number {
  let offset = -1
  input.tags((tag) => {
    if (tag !== 0) return
    input.i32() // Epoch
    offset = input.i64()
  })
  return offset
}

// ---------------------------------------------------------------- produce

/** Request in pieces, so that the batches are not copied. acks = all. */
export function produceRequest(
  batches: readonly { topic: string; partition: number; bytes: Uint8Array }[],
  timeoutMs: number
): Uint8Array[] {
  const head = new Out().string(null).i16(-1).i32(timeoutMs).i32(batches.length)
  const pieces: Uint8Array[] = []
  for (const { topic, partition, bytes } of batches) {
    const out = pieces.length === 0 ? head : new Out()
    out.string(topic).i32(1).i32(partition).i32(bytes.length)
    pieces.push(out.done(), bytes)
  }
  return pieces
}

/** What became of one batch. */
export interface ProduceResult {
  readonly topic: string
  readonly partition: number
  readonly error: number
  readonly offset: number
  /** Records for which the batch was refused, by their place in it; [] when the broker names none. */
  readonly refused: readonly number[]
  /** The broker's own words. */
  readonly message: string | null
}

export function produceResponse(input: In): ProduceResult[] {
  return input.ofTopics((topic) => {
    const result = { topic, partition: input.i32(), error: input.i16(), offset: input.i64() }
    input.i64() // Log append time
    input.i64() // Log start
    const named = input.array(() => ({ at: input.i32(), message: input.nullableString() }))
    const message = input.nullableString() ?? named[0]?.message ?? null
    return { ...result, refused: named.map(({ at }) => at), message }
  })
}

export const initProducerIdRequest = (): Buffer => new Out().string(null).i32(60_000).done()

export function initProducerIdResponse(input: In): { error: number; producerId: bigint; epoch: number } {
  input.i32()
  const error = input.i16()
  const producerId = input.buffer.readBigInt64BE(input.take(8))
  return { error, producerId, epoch: input.i16() }
}

// ---------------------------------------------------------------- settings of topics

const TOPIC_RESOURCE = 2
const SET = 0

export function alterConfigsRequest(topic: string, config: readonly (readonly [string, string])[]): Buffer {
  const out = new Out().i32(1).i8(TOPIC_RESOURCE).string(topic)
  return out
    .array(config, ([key, value]) => out.string(key).i8(SET).string(value))
    .bool(false)
    .done()
}

export function alterConfigsResponse(input: In): { error: number; message: string | null }[] {
  input.i32() // Throttle time
  return input.array(() => {
    const result = { error: input.i16(), message: input.nullableString() }
    input.i8()
    input.string()
    return result
  })
}
