// `nexstream record`: topics into an MCAP file, for a span of time or until it is stopped.
import {
  CodedError,
  exitCodes,
  type Kafka,
  type ToolFlags,
  type ToolRun,
  type TopicInfo
} from '../../core/api/plugin.js'
import { bytes, moment } from '../tools-daemon/tool-kit.js'
import { type LaneReport } from './lane.js'
import { type MergeSpan, readMerged } from './merge.js'
import { compressions, type RecordingCompression, RecordingWriter } from './mcap/writer.js'
import { isRecording } from './recording-kit.js'
import { meter, untilStopped } from '../tools-daemon/tool-kit.js'

/** What a crash costs at most, ms. */
const FLUSH_MS = 2000

/** Exit code 5 when something of the span is not in the file. */
const record: ToolRun = async (words, flags, context) => {
  const { print, printJson, progress, say, timeoutMs } = context
  const topics = namesOf(words)
  const file = fileOf(flags)
  const compression = compressionOf(flags)
  const span = spanOf(flags, say)
  const { kafka } = context.connect(words[0])
  const stop = untilStopped()
  const show = meter(context, 'messages')
  try {
    // What is wrong with the topics is told before there is a file
    await topicsOf(kafka, topics)
    const writer = await RecordingWriter.create(file, compression)
    let flushedMs = performance.now()
    const flush = async (): Promise<void> => {
      await writer.flush()
      flushedMs = performance.now()
    }
    try {
      const lanes = await readMerged(kafka, {
        ...span,
        topics,
        timeoutMs,
        signal: stop.signal,
        begun: () =>
          say(`recording ${topics.join(', ')} into ${file}${span.toMs === undefined ? '; Ctrl-C ends it' : ''}`),
        take: (message) => {
          writer.add(message)
          return writer.isFull ? flush() : undefined
        },
        idle: async () => {
          show(() => ({ done: writer.messages, bytes: writer.bytes + writer.pending }))
          if (performance.now() - flushedMs > FLUSH_MS) await flush()
        }
      })
      await writer.close(metadataOf(lanes, span))
      progress('')
      const report = { file, bytes: writer.bytes, ...reportOf(lanes) }
      if (flags['json'] === true) await printJson(report)
      else await print(`${file}: ${report.messages} messages of ${topics.length} topics, ${bytes(writer.bytes)}`)
      for (const line of notesOf(lanes)) say(line)
      return report.lost ? exitCodes.findings : exitCodes.done
    } catch (error) {
      const kept = await writer.abandon()
      if (kept > 0) say(`${file}: ${kept} messages are in it; it is readable though it was not closed`)
      throw error
    }
  } finally {
    stop.done()
    progress('')
    await kafka.close()
  }
}

export default record

/** The first word may name brokers: `host:port/topic`. */
function namesOf(words: readonly (string | undefined)[]): string[] {
  const [first = ''] = words
  const home = first.slice(0, first.lastIndexOf('/') + 1)
  const names = words.map((word = '') => {
    const at = word.lastIndexOf('/') + 1
    if (at > 0 && word.slice(0, at) !== home)
      throw new CodedError('CLI_USAGE', `'${word}': the brokers are named once, by the first topic or by --brokers`)
    return word.slice(at)
  })
  if (names.includes('')) throw new CodedError('CLI_USAGE', 'no topic named; write host:port/topic')
  return [...new Set(names)]
}

/** Other tools know a recording by its name. */
function fileOf({ output }: ToolFlags): string {
  const file = String(output)
  if (!isRecording(file)) throw new CodedError('CLI_USAGE', `-o ${file}: the name of a recording ends in .mcap`)
  return file
}

function compressionOf({ compression = 'zstd' }: ToolFlags): RecordingCompression {
  const found = compressions.find((name) => name === compression)
  if (found === undefined)
    throw new CodedError('CLI_USAGE', `'${String(compression)}' is no compression; write ${compressions.join(', ')}`)
  return found
}

/** Times of both ends; Kafka's times. */
export function spanOf({ from, to }: ToolFlags, say: (line: string) => void): MergeSpan {
  const fromMs = from === 'start' ? from : typeof from === 'string' ? moment(from, say) : undefined
  const toMs = typeof to === 'string' ? moment(to, say) : undefined
  if (typeof fromMs === 'number' && toMs !== undefined && toMs < fromMs)
    throw new CodedError('CLI_USAGE', `--to ${String(to)} is before --from ${String(from)}`)
  if (fromMs === undefined && toMs !== undefined && toMs <= Date.now())
    throw new CodedError('CLI_USAGE', `--to ${String(to)} is in the past; say where to begin with --from`)
  return { ...(fromMs !== undefined && { from: fromMs }), ...(toMs !== undefined && { toMs }) }
}

/** Throws TOPIC_MISSING. */
export async function topicsOf(kafka: Kafka, topics: readonly string[]): Promise<TopicInfo[]> {
  const found = await kafka.topics(topics, 'READ')
  const missing = topics.filter((name) => (found.find((topic) => topic.name === name)?.partitions.length ?? 0) === 0)
  if (missing.length > 0)
    throw new CodedError('TOPIC_MISSING', `there is no topic ${missing.join(', ')}; see 'nexstream topics'`)
  return found
}

const sum = (lanes: readonly LaneReport[], of: (lane: LaneReport) => number): number =>
  lanes.reduce((total, lane) => total + of(lane), 0)
const broken = ({ skipped }: LaneReport): number => Object.values(skipped).reduce((total, n) => total + n, 0)

interface RecordReport {
  readonly messages: number
  readonly lost: boolean
  readonly partitions: readonly LaneReport[]
}

export function reportOf(lanes: readonly LaneReport[]): RecordReport {
  const lost = sum(lanes, (lane) => lane.expired + lane.gone + lane.badHeaders + lane.left + broken(lane)) > 0
  return { messages: sum(lanes, ({ messages }) => messages), lost, partitions: lanes }
}

/** What a partition did not give, in words. */
export function notesOf(lanes: readonly LaneReport[]): string[] {
  return lanes.flatMap((lane) => {
    const { expired, gone, empty, badHeaders, left, skipped } = lane
    const notes = [
      expired > 0 && `${expired} messages were deleted by retention before they were read`,
      gone > 0 && `${gone} messages were lost with the topic (made again) or with a leader`,
      badHeaders > 0 && `${badHeaders} messages have headers that cannot be read; they are without them`,
      left > 0 && `${left} offsets before the end were not read: it was stopped`,
      broken(lane) > 0 && `damaged batches passed over: ${JSON.stringify(skipped)}`,
      empty > 0 && `${empty} offsets hold no message (compaction, transactions)`
    ]
    return notes.flatMap((note) => (note === false ? [] : `${lane.topic}[${lane.partition}]: ${note}`))
  })
}

/** What stands in the file's metadata record `nexstream.recording`. */
function metadataOf(lanes: readonly LaneReport[], { from, toMs }: MergeSpan): Map<string, string> {
  const iso = (ms: number): string => new Date(ms).toISOString()
  return new Map([
    ['from', typeof from === 'number' ? iso(from) : (from ?? 'the beginning of the recording')],
    ['to', iso(Math.min(toMs ?? Infinity, Date.now()))],
    ['partitions', JSON.stringify(lanes)]
  ])
}
