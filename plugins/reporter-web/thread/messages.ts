// Messages of a topic for those who look at them: some of them in a list, one of them in full. Nothing is read but what is asked for.
import { type Batch, type Kafka, numberText, visible } from '../../../core/api/plugin.js'
import { type Converter, decodeJson, type Peek, readJson, schemaId } from '../../../schemas/index.js'
import { type MessagePage, type MessageRow, type MessageView, type Places, type TopicView } from '../wire.js'
import { type MessageQuestion } from './protocol.js'

/** Bytes of values that one list may read. */
const MOST_BYTES = 64_000_000
const FETCH_BYTES = 1_000_000
const PATIENCE_MS = 10_000
const SILENCE_MS = 2000
/** Of one message: bytes that are shown, elements of a list, characters of its tree. */
const HEAD_BYTES = 4096
const MOST_ELEMENTS = 200
const FEW_ELEMENTS = 10
const MOST_TREE = 1_000_000
const MOST_JSON = 256_000
const MOST_NAME = 120

interface Means {
  readonly kafka: Kafka
  readonly signal: AbortSignal
  readonly converter: (id: string) => Converter | undefined
}

/** Undefined: there is no such topic or message. Rejects with KAFKA_AUTH. */
export function answerOf(question: MessageQuestion, means: Means): Promise<unknown> {
  if (question.type === 'topic') return topicOf(question, means)
  return question.type === 'messages' ? pageOf(question, means) : messageOf(question, means)
}

async function topicOf(
  { topic, sinceMs }: Extract<MessageQuestion, { type: 'topic' }>,
  { kafka }: Means
): Promise<TopicView | undefined> {
  const [info] = await kafka.topics([topic], 'READ')
  const numbers = info?.partitions ?? []
  if (numbers.length === 0) return undefined
  const [low, high, since] = await Promise.all([
    kafka.offsets(topic, numbers, 'earliest'),
    kafka.offsets(topic, numbers, 'latest'),
    sinceMs === undefined ? undefined : kafka.offsets(topic, numbers, { timestampMs: sinceMs })
  ])
  const partitions = numbers.toSorted((a, b) => a - b).map((partition) => {
    const end = high.get(partition) ?? 0
    const first = { partition, low: low.get(partition) ?? 0, high: end }
    return since === undefined ? first : { ...first, since: Math.min(end, since.get(partition) ?? end) }
  }) // prettier-ignore
  return { topic, partitions }
}

/** One partition of a list. */
interface Stretch {
  readonly partition: number
  /** Read so far. */
  at: number
  readonly end: number
  readonly rows: MessageRow[]
  bytes: number
}

async function pageOf(
  question: Extract<MessageQuestion, { type: 'messages' }>,
  means: Means
): Promise<MessagePage | undefined> {
  const { topic, from, to, count } = question
  const view = await topicOf({ type: 'topic', topic }, means)
  if (view === undefined) return undefined
  const stretches = view.partitions.flatMap(({ partition, low, high }): Stretch[] => {
    const end = Math.min(high, to === undefined ? high : (to[partition] ?? 0))
    const at = Math.max(low, from === undefined ? end - count : (from[partition] ?? end))
    return at < end ? [{ partition, at, end, rows: [], bytes: 0 }] : []
  })
  const most = from === undefined ? Infinity : count
  const begin = stretches.map(({ partition, at }) => ({ topic, partition, offset: at }))
  if (begin.length > 0) await read(begin, stretches, { ...question, most, mostBytes: MOST_BYTES / begin.length }, means)
  const cut = stretches.some(({ at, end, rows }) => at < end && rows.length < most)
  const all = stretches.flatMap(({ rows }) => rows).toSorted((a, b) => a.time_ms - b.time_ms || a.partition - b.partition || a.offset - b.offset) // prettier-ignore
  if (from === undefined) return { rows: all.slice(-count), next: null, cut }
  const rows = all.slice(0, count)
  const isLast = all.length <= count && stretches.every(({ at, end }) => at >= end)
  return { rows, next: isLast ? null : placesAfter(stretches, new Set(rows)), cut }
}

/** Of each partition the first message that is not on the page. */
function placesAfter(stretches: readonly Stretch[], shown: ReadonlySet<MessageRow>): Places {
  return Object.fromEntries(
    stretches.map(({ partition, rows, at }) => [partition, rows.find((row) => !shown.has(row))?.offset ?? at])
  )
}

interface ReadLimits {
  readonly topic: string
  readonly schema: string
  /** Messages, and bytes, of one partition. */
  readonly most: number
  readonly mostBytes: number
}

/** Fills the stretches as far as the limits go. */
async function read(
  assign: readonly { topic: string; partition: number; offset: number }[],
  stretches: readonly Stretch[],
  limits: ReadLimits,
  { kafka, signal, converter }: Means
): Promise<void> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
  const reader = kafka.reader({ assign, maxBytes: FETCH_BYTES, maxWaitMs: 200, signal: until })
  const open = new Map(stretches.map((stretch) => [stretch.partition, stretch]))
  try {
    while (open.size > 0 && !until.aborted) {
      const batch = await reader.poll(SILENCE_MS)
      if (batch === null || batch === undefined) return
      const stretch = open.get(batch.partition)
      if (stretch !== undefined && !take(batch, stretch, limits, converter)) {
        open.delete(batch.partition)
        reader.pause(batch.topic, batch.partition)
      }
      batch.release()
    }
  } finally {
    await reader.close()
  }
}

/** False: nothing more is wanted of this partition. */
function take(batch: Batch, stretch: Stretch, { schema, most, mostBytes: bytes }: ReadLimits, converter: Means['converter']): boolean {
  for (let i = 0; i < batch.count; i++) {
    const offset = batch.offset(i)
    if (offset >= stretch.end || stretch.rows.length >= most || stretch.bytes > bytes) return false
    stretch.at = offset + 1
    stretch.bytes += batch.value(i)?.length ?? 0
    const row = rowOf(batch, i, converter)
    if (schema === '' || row.schema === schema) stretch.rows.push(row)
  }
  stretch.at = Math.max(stretch.at, Math.min(stretch.end, batch.nextOffset))
  return stretch.at < stretch.end
} // prettier-ignore

const name = (bytes: Uint8Array): string =>
  visible(Buffer.from(bytes.subarray(0, 4 * MOST_NAME)).toString('utf8').slice(0, MOST_NAME)) // prettier-ignore

function rowOf(batch: Batch, i: number, converter: Means['converter']): MessageRow {
  const [value, key] = [batch.value(i), batch.key(i)]
  const schema = value === null ? null : kindOf(value)
  return {
    partition: batch.partition,
    offset: batch.offset(i),
    time_ms: batch.timestampMs(i),
    key: key === null ? null : name(key),
    schema,
    source: value === null || schema === null || schema === 'json' ? null : sourceOf(value, converter(schema)),
    bytes: value?.length ?? null
  }
}

const isJson = (value: Uint8Array): boolean => value[0] === 0x7b || value[0] === 0x5b

/** A FlatBuffer may begin as JSON does: its id decides. */
function kindOf(value: Uint8Array): string | null {
  const id = schemaId(value)
  if (isJson(value) && (id === undefined || !/^[a-zA-Z0-9]{4}$/.test(id))) return 'json'
  return id ?? null
}

const peeked: Peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }

function sourceOf(value: Buffer, converter: Converter | undefined): string | null {
  try {
    converter?.peek(value, peeked)
    return converter === undefined ? null : name(value.subarray(peeked.sourceStart, peeked.sourceEnd))
  } catch {
    return null // What is wrong with it is shown with the message
  }
}

async function messageOf(
  { topic, partition, offset }: Extract<MessageQuestion, { type: 'message' }>,
  means: Means
): Promise<MessageView | undefined> {
  const view = await topicOf({ type: 'topic', topic }, means)
  const bounds = view?.partitions.find((one) => one.partition === partition)
  if (bounds === undefined || offset < bounds.low || offset >= bounds.high) return undefined
  const until = AbortSignal.any([means.signal, AbortSignal.timeout(PATIENCE_MS)])
  const reader = means.kafka.reader({ assign: [{ topic, partition, offset }], maxBytes: FETCH_BYTES, signal: until })
  try {
    for (let batch = await reader.next(); batch !== null && !until.aborted; batch = await reader.next()) {
      for (let i = 0; i < batch.count; i++)
        if (batch.offset(i) === offset) return { ...rowOf(batch, i, means.converter), ...contentOf(batch.value(i)) }
      if (batch.nextOffset > offset) return undefined // Compacted, or a mark of Kafka's own
      batch.release()
    }
    return undefined
  } finally {
    await reader.close()
  }
}

type Content = Pick<MessageView, 'head' | 'tree' | 'error'>

/** Never throws for bad bytes: they are what somebody looks for here. */
export function contentOf(value: Buffer | null): Content {
  if (value === null) return { head: '', tree: null, error: 'no value (tombstone)' }
  const head = value.subarray(0, HEAD_BYTES).toString('base64')
  try {
    return { head, tree: treeOf(value), error: null }
  } catch (error) {
    return { head, tree: null, error: (error as Error).message }
  }
}

function treeOf(value: Buffer): unknown {
  if (kindOf(value) === 'json') {
    if (value.length > MOST_JSON) throw new Error(`JSON of more than ${MOST_JSON} bytes is not shown as a tree`)
    return fewer(readJson(value.toString('utf8')))
  }
  for (const maxElements of [MOST_ELEMENTS, FEW_ELEMENTS]) {
    const { message } = decodeJson(value, { maxElements })
    if (JSON.stringify(message).length <= MOST_TREE) return message
  }
  throw new Error('too large to be shown as a tree')
}

/** With the digits of numbers as they were sent, and lists cut as those of other messages. */
function fewer(value: unknown): unknown {
  const digits = numberText(value)
  if (digits !== undefined) return digits
  if (Array.isArray(value)) {
    const shown = value.slice(0, MOST_ELEMENTS).map(fewer)
    return value.length > MOST_ELEMENTS ? [...shown, `… ${value.length - MOST_ELEMENTS} more`] : shown
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fewer(item)]))
}
