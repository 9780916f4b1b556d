// The end-of-job report: what came, what was written, what was not and why. Plain JSON, snake_case.
import { type PlanLink } from './plan.js'
import { type TopicRoute } from './route.js'
import { openEndNs, type Counters, type StreamState, type TimeWindow } from './window.js'

export interface StreamReport {
  readonly path: string
  readonly module: string
  readonly topic: string
  readonly source: string
  readonly received: number
  readonly written: number
  readonly before_start: number
  readonly after_stop: number
  readonly repeated: number
  readonly out_of_order: number
  readonly first_time: string | null
  readonly last_time: string | null
  readonly longest_gap_s: number
  readonly longest_gap_from: string | null
  /** Not written, by reason. */
  readonly bad: Readonly<Record<string, number>>
  /** What the writer counted. */
  readonly counts: Readonly<Record<string, number>>
  readonly note?: string
}

export interface TopicReport {
  readonly topic: string
  /** When the structure says which. */
  readonly partitions?: readonly number[]
  readonly messages: number
  readonly bytes: number
  readonly other_schema: number
  readonly other_source: number
  readonly bad: Readonly<Record<string, number>>
}

export interface Report {
  /** More than 1: the job was run again from history after its daemon was lost. */
  readonly attempt: number
  readonly start_time: string
  readonly stop_time: string | null
  readonly messages: number
  readonly written: number
  readonly bytes: number
  readonly streams: readonly StreamReport[]
  readonly topics: readonly TopicReport[]
  /** Groups whose source sent nothing that belongs into the file. */
  readonly without_data: readonly string[]
  readonly problems: readonly string[]
  /** What else is worth knowing. */
  readonly notes: readonly string[]
  /** Something that belongs into the file is not in it. */
  readonly lost: boolean
}

/** ISO 8601 UTC with all nine digits. */
export function isoNs(timeNs: bigint): string {
  const ms = timeNs / 1_000_000n
  const rest = String(timeNs % 1_000_000n).padStart(6, '0')
  if (ms < 0n || ms > 8_640_000_000_000_000n) return String(timeNs)
  return new Date(Number(ms)).toISOString().replace('Z', `${rest}Z`)
}

const counters = (map: Counters): Record<string, number> => Object.fromEntries(map)
const total = (map: Counters): number => [...map.values()].reduce((sum, n) => sum + n, 0)

function streamReport(stream: StreamState): StreamReport {
  const { plan, written } = stream
  return {
    path: plan.group.path,
    module: plan.module,
    topic: plan.topic,
    source: plan.source,
    received: stream.received,
    written,
    before_start: stream.beforeStart,
    after_stop: stream.afterStop,
    repeated: stream.repeated,
    out_of_order: stream.outOfOrder,
    first_time: written > 0 ? isoNs(stream.firstNs) : null,
    last_time: written > 0 ? isoNs(stream.lastNs) : null,
    longest_gap_s: stream.longestGapNs / 1e9,
    longest_gap_from: stream.longestGapNs > 0 ? isoNs(stream.longestGapFromNs) : null,
    bad: counters(stream.bad),
    counts: counters(stream.counts),
    ...(stream.missing ? { note: 'the topic does not exist' } : {})
  }
}

/** Of the job as a whole. */
interface Words {
  readonly attempt: number
  readonly problems: readonly string[]
  readonly notes: readonly string[]
}

export function makeReport(
  window: TimeWindow,
  streams: readonly StreamState[],
  topics: readonly TopicRoute[],
  { attempt, problems, notes }: Words,
  unmadeLinks: readonly PlanLink[]
): Report {
  // companions that nobody feeds are not worth a line
  const data = streams.filter(
    ({ plan, received, kept }) => plan.topic !== '' && !(plan.companion && received === 0 && kept === null)
  )
  const empty = data.filter((stream) => stream.written === 0)
  const bad = topics.reduce((sum, topic) => sum + total(topic.bad), 0) + data.reduce((sum, s) => sum + total(s.bad), 0)
  const links = unmadeLinks.map(
    (link) => `link ${link.name}: its target ${link.target} was not made, as there were no data`
  )
  return {
    attempt,
    start_time: isoNs(window.startNs),
    stop_time: window.stopNs === openEndNs ? null : isoNs(window.stopNs),
    messages: topics.reduce((sum, topic) => sum + topic.messages, 0),
    written: data.reduce((sum, stream) => sum + stream.written, 0),
    bytes: topics.reduce((sum, topic) => sum + topic.bytes, 0),
    streams: data.map(streamReport),
    topics: topics.map((topic) => ({
      topic: topic.topic,
      ...(topic.partitions && { partitions: topic.partitions }),
      messages: topic.messages,
      bytes: topic.bytes,
      other_schema: topic.otherSchema,
      other_source: topic.otherSource,
      bad: counters(topic.bad)
    })),
    without_data: empty.map((stream) => stream.plan.group.path),
    problems: [...problems],
    notes: [...notes, ...links],
    lost: bad > 0 || problems.length > 0 || data.some((stream) => stream.missing)
  }
}

/** One sentence for people. */
export function sayReport(report: Report): string {
  const parts = [`${report.written} messages of ${report.streams.length} streams written`]
  if (report.without_data.length > 0) parts.push(`${report.without_data.length} streams without data`)
  const bad = [...report.streams, ...report.topics].flatMap(({ bad }) => Object.entries(bad))
  const reasons = new Map<string, number>()
  for (const [reason, n] of bad) reasons.set(reason, (reasons.get(reason) ?? 0) + n)
  for (const [reason, n] of reasons) parts.push(`${n} bad: ${reason}`)
  const lines = report.problems.slice(0, 3)
  return [parts.join(', '), ...lines].join('; ')
}
