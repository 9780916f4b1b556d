// Kafka as services and writers see it: batch-shaped, with explicit buffer ownership.

export interface Kafka {
  /** False before the first broker answered, and while none answers. */
  readonly connected: boolean
  /** Those that there are not have no partitions. Rejects with KAFKA_AUTH where the user may not see one, or lacks `right`. */
  topics(names: readonly string[], right?: 'READ' | 'WRITE'): Promise<TopicInfo[]>
  /** `latest`: what readers get to; `written`: with what lies behind a transaction that is still open. */
  offsets(
    topic: string,
    partitions: readonly number[],
    at: 'earliest' | 'latest' | 'written' | { timestampMs: number }
  ): Promise<Map<number, number>>
  reader(options: ReaderOptions): Reader
  producer(options?: ProducerOptions): Producer
  /** Joins a group of equals, for as long as it takes; trouble is logged. */
  membership(options: MembershipOptions): Membership
  close(): Promise<void>
}
export interface MembershipOptions {
  readonly group: string
  /** What the others see; should stay the same when the process starts again. */
  readonly name: string
  /** A member that is silent for so long is taken to be dead; default 10 s, at least what the broker allows (6 s). */
  readonly sessionTimeoutMs?: number
  /** Called when someone came or went: after it everyone has been told the same. Not called while Kafka is away. */
  readonly onChange: (members: Members) => void
}
export interface Members {
  /** All members, in order; those of the same name are made different. */
  readonly names: readonly string[]
  /** This one among them. */
  readonly self: string
  /** True for exactly one of them. */
  readonly isLeader: boolean
  readonly generation: number
}
export interface Membership {
  /** Leaves: the others are told at once. */
  close(): Promise<void>
}
export interface TopicInfo {
  readonly name: string
  /** 0 partitions: the topic does not exist. */
  readonly partitions: readonly number[]
  /** Another one when a topic is deleted and made again; undefined where the broker has none (before Kafka 2.8). */
  readonly id?: string
  /** How many brokers keep it; undefined where it does not exist. */
  readonly replication?: number
}
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** The topic that the offset belongs to (`TopicInfo.id`); without it, the one that is there when reading begins. */
  readonly topicId?: string
}
export interface ReaderOptions {
  readonly assign: readonly Place[]
  /** Partitions that are added to these topics meanwhile are read, too, from their beginning. */
  readonly follow?: readonly string[]
  /** Partitions of those that somebody else reads. */
  readonly elsewhere?: readonly Pick<Place, 'topic' | 'partition'>[]
  /** What comes as it was sent lies in a SharedArrayBuffer, for other threads. */
  readonly shared?: boolean
  /** Per Fetch response; default 8 MiB. */
  readonly maxBytes?: number
  readonly minBytes?: number
  readonly maxWaitMs?: number
  readonly checkCrc?: boolean
  readonly signal?: AbortSignal
}
export interface Reader {
  /** The next records of one partition; null after close. Never throws for a broker that is away: it waits and reconnects. */
  next(): Promise<Batch | null>
  /** As `next`, but undefined when nothing came within the time. */
  poll(timeoutMs: number): Promise<Batch | null | undefined>
  /** Reads this partition, too, unless it is read already. `topicId`: as in Place; '' while it is not known. */
  add(topic: string, partition: number, offset: number, topicId: string): void
  seek(topic: string, partition: number, offset: number): void
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  close(): Promise<void>
}
/**
 * A topic made again while it is read goes on with the new one from its beginning, `madeAgain` in a batch without records
 * between them (its `nextOffset` is 0). Values are views of the network buffer, valid until `release()`.
 */
export interface Batch {
  readonly topic: string
  readonly partition: number
  /** Records; may be 0 (control records, compacted gaps): nextOffset has moved on all the same. */
  readonly count: number
  readonly highWatermark: number
  /** Offset to read after this batch. */
  readonly nextOffset: number
  /** Broken batches skipped on the way, by reason. */
  readonly skipped?: Readonly<Record<string, number>> | undefined
  /** Id of the new topic, and how many offsets of the old one were known and not read. */
  readonly madeAgain?: { readonly id: string; readonly unread: number } | undefined
  /**
   * Kafka lost a leader and the log goes another way from `at` on: so many offsets that were handed out are in Kafka no more,
   * and so many that it had told of were lost unread. What took their place follows.
   */
  readonly truncated?: { readonly at: number; readonly read: number; readonly unread: number } | undefined
  offset(i: number): number
  timestampMs(i: number): number
  /** The times are those at which the broker wrote (LogAppendTime), not the producers'. */
  readonly isAppendTime?: boolean
  value(i: number): Buffer | null
  /** All values lie in these bytes, for those who do without an object per record. */
  readonly bytes: DataView
  /** Where value i begins and ends in `bytes`; null ends before it begins. */
  valueStart(i: number): number
  valueEnd(i: number): number
  key(i: number): Buffer | null
  release(): void
}
export interface ProducerOptions {
  readonly lingerMs?: number
  readonly maxBatchBytes?: number
  readonly maxBufferedBytes?: number
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Given up after this long; default never (until close). */
  readonly deliveryTimeoutMs?: number
}
/** A value may be missing (null). */
export type MessageHeaders = readonly (readonly [name: string, value: Uint8Array | null])[]
export interface ProducerMessage {
  readonly topic: string
  /** Default: by hash of the key, or 0 without a key. */
  readonly partition?: number
  readonly key?: Uint8Array | string | null
  readonly value: Uint8Array | string | null
  readonly timestampMs?: number
  readonly headers?: MessageHeaders
}
export interface Producer {
  /**
   * Queues; false when `maxBufferedBytes` is reached: the message is queued all the same, wait for `drained`. Order per partition is
   * kept. Never throws: what comes after `close` is told to `onDelivered` as KAFKA_LOST.
   */
  send(message: ProducerMessage, onDelivered?: (error: Error | null, offset: number) => void): boolean
  readonly bufferedBytes: number
  drained(): Promise<void>
  /** Resolves when everything sent so far is acknowledged; rejects when some of it was lost. */
  flush(): Promise<void>
  close(): Promise<void>
}
/** How Kafka is spoken to: what the options of the client come to. */
export interface KafkaSettings {
  readonly brokers: readonly { readonly host: string; readonly port: number }[]
  readonly clientId: string
  readonly tls: TlsSettings | undefined
  readonly sasl: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string } | undefined
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  /** Look-ups and administration are given up after this long. */
  readonly timeoutMs: number
  /** Of what is read, where a reader does not say it. */
  readonly checkCrcs: boolean
}
type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512'
export interface TlsSettings {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly passphrase: string | undefined
  readonly servername: string | undefined
  readonly verify: boolean
}
