// Reads a span of a topic, message by message: the last n, from an offset, from a time, and on when following.
import {
  type Batch,
  CodedError,
  type Kafka,
  type ToolFlags,
  type ToolTarget,
  topicMissing
} from '../../core/api/plugin.js'
import { noTopic } from '../tools-daemon/tool-kit.js'

export interface TopicSpan {
  /** The last n of each partition; the default (10) when nothing else is given. */
  readonly last?: number
  readonly offset?: number
  /** Kafka time, ms. */
  readonly fromMs?: number
  readonly toMs?: number
  readonly follow?: boolean
  readonly partition?: number
  /** Give up when the broker says nothing for so long (not while following). */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** One message; key and value are views that the visitor must not keep. */
export interface Visited {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** What the visitor is told besides messages. */
export interface Visitor {
  /** At the beginning: how many messages there are at most, without those that are still to come. */
  total?(messages: number): void
  message(message: Visited): void
  /** After every batch; printing may wait here. `false` ends the scan. */
  batch?(): Promise<boolean | void>
  /** Once, when everything that was there at the beginning has been read. */
  caughtUp?(): Promise<void>
}

/** The topic of the address, which this sub-command cannot do without. Rejects with CLI_USAGE, TOPIC_MISSING. */
export async function needTopic(target: ToolTarget): Promise<string> {
  const { topic, kafka } = target
  if (topic === undefined) throw new CodedError('CLI_USAGE', 'no topic named; write host:port/topic')
  const [info] = await kafka.topics([topic])
  if (info === undefined || info.partitions.length === 0) throw await noTopic(topic, target)
  return topic
}

/** The partitions of a topic that exists. Throws TOPIC_MISSING. */
export async function partitionsOf(kafka: Kafka, topic: string): Promise<readonly number[]> {
  const [info] = await kafka.topics([topic])
  if (info === undefined || info.partitions.length === 0) throw topicMissing(`topic ${topic}`)
  return info.partitions
}

/** Earliest and next offset of each partition of a topic. */
export async function watermarks(
  kafka: Kafka,
  topic: string,
  partitions: readonly number[]
): Promise<Map<number, { low: number; high: number }>> {
  const [low, high] = await Promise.all([
    kafka.offsets(topic, partitions, 'earliest'),
    kafka.offsets(topic, partitions, 'latest')
  ])
  return new Map(partitions.map((p) => [p, { low: low.get(p) ?? 0, high: high.get(p) ?? 0 }]))
}

/** Visits the span in the order of arrival per partition. */
export async function scan(kafka: Kafka, topic: string, span: TopicSpan, visitor: Visitor): Promise<void> {
  const ends = new Map<number, number>()
  const assign: { topic: string; partition: number; offset: number }[] = []
  for (const [partition, { from, to }] of await bounds(kafka, topic, span)) {
    if (from < to) ends.set(partition, to)
    if (from < to || span.follow === true) assign.push({ topic, partition, offset: from })
  }
  visitor.total?.(
    assign.reduce((sum, { partition, offset }) => sum + Math.max(0, (ends.get(partition) ?? offset) - offset), 0)
  )
  if (ends.size === 0) await visitor.caughtUp?.()
  if (assign.length === 0) return
  const signal = span.signal
  const reader = kafka.reader({ assign, maxWaitMs: 200, ...(signal && { signal }) })
  try {
    let heard = Date.now()
    while (signal?.aborted !== true) {
      const batch = await reader.poll(500)
      if (batch === null) return
      if (batch === undefined) {
        if (span.follow !== true && Date.now() - heard > span.timeoutMs) throw silence(topic, span.timeoutMs)
        continue
      }
      heard = Date.now()
      const end = ends.get(batch.partition)
      visit(batch, visitor, span.follow === true ? Infinity : (end ?? 0), span)
      const done = end !== undefined && batch.nextOffset >= end
      const last = done && ends.delete(batch.partition) && ends.size === 0
      batch.release()
      if ((await visitor.batch?.()) === false) return
      if (last) await visitor.caughtUp?.()
      if (ends.size === 0 && span.follow !== true) return
    }
  } finally {
    await reader.close()
  }
}

const silence = (topic: string, timeoutMs: number): CodedError =>
  new CodedError(
    'COMMAND_TIMEOUT',
    `topic ${topic}: nothing came for ${timeoutMs} ms; is the broker alive? See --timeout`
  )

function visit(batch: Batch, visitor: Visitor, end: number, span: TopicSpan): void {
  for (let i = 0; i < batch.count; i++) {
    const offset = batch.offset(i)
    if (offset >= end) return
    const timestampMs = batch.timestampMs(i)
    if (span.toMs !== undefined && timestampMs > span.toMs) continue
    const { topic, partition } = batch
    visitor.message({ topic, partition, offset, timestampMs, key: batch.key(i), value: batch.value(i) })
  }
}

async function bounds(
  kafka: Kafka,
  topic: string,
  span: TopicSpan
): Promise<Map<number, { from: number; to: number }>> {
  const all = await partitionsOf(kafka, topic)
  const partitions = span.partition === undefined ? all : all.filter((partition) => partition === span.partition)
  if (partitions.length === 0)
    throw new CodedError('CLI_USAGE', `topic ${topic} has no partition ${span.partition}; it has ${all.join(', ')}`)
  const marks = await watermarks(kafka, topic, partitions)
  const since =
    span.fromMs === undefined ? undefined : await kafka.offsets(topic, partitions, { timestampMs: span.fromMs })
  return new Map(
    [...marks].map(([partition, { low, high }]) => {
      const wanted = since?.get(partition) ?? span.offset ?? (span.last === undefined ? low : high - span.last)
      return [partition, { from: Math.min(Math.max(wanted, low), high), to: high }]
    })
  )
}

/** Of --watch. Throws CLI_USAGE where nothing could be seen of it. */
export function isWatched({ watch, json }: ToolFlags): boolean {
  if (watch === true && json !== true && !process.stdout.isTTY)
    throw new CodedError('CLI_USAGE', '--watch repaints a terminal, and the output is none; --json prints what comes line by line, without --watch it is printed once') // prettier-ignore
  return watch === true
}
