// What is played: a recording, or a span of a topic; which messages of it, and what is known of them beforehand.
import { type Kafka } from '../../core/api/plugin.js'
import { decodeJson, schemaId, schemaIds, sourceIn } from '../../schemas/index.js'
import { readRecording } from './mcap/reader.js'
import { type LaneReport } from './lane.js'
import { type MergeSpan, readMerged } from './merge.js'
import { type RecordedMessage } from './recorded.js'

export interface Selection extends MergeSpan {
  /** Topics; all without any. */
  readonly topics: ReadonlySet<string>
  /** Source names; all without any. */
  readonly sources: ReadonlySet<string>
}

type TakeMessage = (message: RecordedMessage) => Promise<void> | undefined

/** One round; what of it was lost before it was read. */
export interface Played {
  /** Messages of a recording that are selected; undefined for a topic. */
  readonly total?: number
  /** Kafka time of the earliest selected message, ms; undefined where that is known only when it comes. */
  readonly firstMs?: number
  /** Its topics, also those of which nothing is selected. */
  readonly known: ReadonlySet<string>
  /** Topic → how many partitions it has at least. */
  readonly topics: ReadonlyMap<string, number>
  play(take: TakeMessage, signal: AbortSignal): Promise<readonly LaneReport[]>
}

const known = new Set(schemaIds)

/** The source that a message names; undefined for none. */
export function sourceName(value: Buffer | null): string | undefined {
  const id = value === null ? undefined : schemaId(value)
  if (value === null || id === undefined || !known.has(id)) return undefined
  try {
    return sourceIn(decodeJson(value, { maxElements: 0 }).message)
  } catch {
    return undefined // Not sound: it names nobody
  }
}

export function isSelected(message: RecordedMessage, { topics, sources, from, toMs = Infinity }: Selection): boolean {
  const { topic, timestampMs, value } = message
  if (topics.size > 0 && !topics.has(topic)) return false
  if (timestampMs > toMs || (typeof from === 'number' && timestampMs < from)) return false
  return sources.size === 0 || sources.has(sourceName(value) ?? '')
}

export interface LookedThrough {
  /** Aborted: what was found so far is given. */
  readonly signal: AbortSignal
  readonly heard: (note: string) => void
}

/** Goes through the file once, so that what is wrong with it is known before anything is sent. Throws FILE_READ. */
export async function recordingPlayed(
  file: string,
  selection: Selection,
  { signal, heard }: LookedThrough
): Promise<Played> {
  const topics = new Map<string, number>()
  const known = new Set<string>()
  let [total, firstMs] = [0, Infinity]
  for await (const message of readRecording(file, heard)) {
    if (signal.aborted) break
    known.add(message.topic)
    if (!isSelected(message, selection)) continue
    total++
    firstMs = Math.min(firstMs, message.timestampMs)
    topics.set(message.topic, Math.max(topics.get(message.topic) ?? 0, message.partition + 1))
  }
  return {
    total,
    topics,
    known,
    firstMs,
    play: async (take, signal) => {
      for await (const message of readRecording(file, () => undefined)) {
        if (signal.aborted) break
        if (!isSelected(message, selection)) continue
        const wait = take(message)
        if (wait !== undefined) await wait
      }
      return []
    }
  }
}

export function topicPlayed(
  kafka: Kafka,
  topic: string,
  partitions: number,
  selection: Selection,
  timeoutMs: number
): Played {
  return {
    topics: new Map([[topic, partitions]]),
    known: new Set([topic]),
    play: (take, signal) =>
      readMerged(kafka, {
        ...selection,
        topics: [topic],
        timeoutMs,
        signal,
        take: (message) => (isSelected(message, selection) ? take(message) : undefined),
        idle: () => Promise.resolve()
      })
  }
}
