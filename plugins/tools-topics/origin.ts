// Where messages come from: a topic in Kafka, or a recording of topics.
import { CodedError, type ToolContext } from '../../core/api/plugin.js'
import { isRecording, readRecording } from '../tools-recording/recording-kit.js'
import { needTopic, scan, type TopicSpan, type Visited, type Visitor } from './scan.js'

export interface OriginSpan extends TopicSpan {
  /** Only this topic of a recording. */
  readonly topic?: string
}

/** Between two moments where a visitor may wait. */
const BATCH = 256

/** Visits the span of the topic or of the recording that the address names; of a recording all topics unless one is named. */
export async function scanFrom(
  address: string | undefined,
  span: OriginSpan,
  visitor: Visitor,
  context: ToolContext
): Promise<void> {
  if (isRecording(address)) return scanRecording(address, span, visitor, context)
  if (span.topic !== undefined)
    throw new CodedError('CLI_USAGE', '--topic chooses a topic of a recording; name that of Kafka as host:port/topic')
  const target = context.connect(address)
  try {
    await scan(target.kafka, await needTopic(target), span, visitor)
  } finally {
    await target.kafka.close()
  }
}

async function scanRecording(
  file: string,
  span: OriginSpan,
  visitor: Visitor,
  { say }: Pick<ToolContext, 'say'>
): Promise<void> {
  if (span.follow === true) throw new CodedError('CLI_USAGE', `${file} is a recording: there is nothing to follow`)
  const skip = span.last === undefined ? new Map<string, number>() : await beforeLast(file, span, span.last)
  const seen = new Map<string, number>()
  let number = 0
  for await (const message of readRecording(file, say)) {
    if (!isWanted(message, span) || count(seen, message) <= (skip.get(placeOf(message)) ?? 0)) continue
    visitor.message(message)
    if (++number % BATCH === 0 && (await visitor.batch?.()) === false) return
  }
  await visitor.batch?.()
  await visitor.caughtUp?.()
}

const placeOf = ({ topic, partition }: Visited): string => `${topic} ${partition}`

function count(seen: Map<string, number>, message: Visited): number {
  const place = placeOf(message)
  const n = (seen.get(place) ?? 0) + 1
  seen.set(place, n)
  return n
}

/** How many of each partition come before its last n. */
async function beforeLast(file: string, span: OriginSpan, last: number): Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  for await (const message of readRecording(file, () => undefined)) if (isWanted(message, span)) count(seen, message)
  return new Map([...seen].map(([place, n]) => [place, n - last]))
}

function isWanted({ topic, partition, offset, timestampMs }: Visited, span: OriginSpan): boolean {
  if (span.topic !== undefined && topic !== span.topic) return false
  if (span.partition !== undefined && partition !== span.partition) return false
  if (timestampMs < (span.fromMs ?? -Infinity) || timestampMs > (span.toMs ?? Infinity)) return false
  return offset >= (span.offset ?? 0)
}
