// The end-of-job report: what came, what was written, what was not and why. Plain JSON, snake_case.
import { type LeftOut } from './left-out.js'
import { type PlanLink } from './plan.js'
import { sayReason, strayWeight, weightOf, type Verdict, type Weight } from './reasons.js'
import { type TopicRoute } from './route.js'
import { countIn, OPEN_END_NS, type Counters, type StreamState, type TimeWindow } from './window.js'

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
  /** The first one of what was counted, e.g. which value did not fit, when. */
  readonly first?: Readonly<Record<string, string>>
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

export interface JobReport {
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
  readonly verdict: Verdict
  /** Something that belongs to a stream of the job is not in the file: `verdict` is `lost`. */
  readonly lost: boolean
  /** What was counted over all streams and topics, by reason (reasons.ts): what is missing in the file … */
  readonly losses: Readonly<Record<string, number>>
  /** … and what is only worth a word. */
  readonly warnings: Readonly<Record<string, number>>
}

/** ISO 8601 UTC with all nine digits. */
export function isoNs(timeNs: bigint): string {
  const ms = timeNs / 1_000_000n
  const rest = String(timeNs % 1_000_000n).padStart(6, '0')
  if (ms < 0n || ms > 8_640_000_000_000_000n) return String(timeNs)
  return new Date(Number(ms)).toISOString().replace('Z', `${rest}Z`)
}

const counters = (map: ReadonlyMap<string, number>): Record<string, number> => Object.fromEntries(map)

interface Judged {
  readonly losses: Counters
  readonly warnings: Counters
}

/** Sorts everything that was counted by what it means for the file. */
export function judge(streams: readonly StreamState[], topics: readonly TopicRoute[]): Judged {
  const judged: Judged = { losses: new Map(), warnings: new Map() }
  const add = (reason: string, n: number, weight: Weight): void => {
    if (weight !== 'note') countIn(weight === 'lost' ? judged.losses : judged.warnings, reason, n)
  }
  for (const { bad, otherSchema, otherSource } of topics) {
    const shared = otherSchema + otherSource > 0
    for (const [reason, n] of bad) add(reason, n, strayWeight(reason, shared))
  }
  for (const { bad, said } of streams) {
    const { counts, weights } = said
    for (const [reason, n] of bad) add(reason, n, weightOf(reason))
    for (const [reason, n] of counts) add(reason, n, weightOf(reason, weights.get(reason)))
  }
  return judged
}

/** Why messages are not in the file, whether they should be or not. */
export function notWritten(streams: readonly StreamState[], topics: readonly TopicRoute[]): [string, number][] {
  const all: Counters = new Map()
  const add = (reason: string, n: number): void => {
    if (n > 0) countIn(all, reason, n)
  }
  for (const { bad, otherSchema, otherSource } of topics) {
    for (const [reason, n] of bad) add(reason, n)
    add('other_schema', otherSchema)
    add('other_source', otherSource)
  }
  for (const { bad, beforeStart, afterStop, repeated, begun, kept } of streams) {
    for (const [reason, n] of bad) add(reason, n)
    // The last one before the start is in the file
    add('before_start', beforeStart - (begun && kept !== null ? 1 : 0))
    add('after_stop', afterStop)
    add('repeated', repeated)
  }
  return [...all]
}

export function verdictOf({ losses, warnings }: Judged, problems: readonly string[]): Verdict {
  if (losses.size > 0 || problems.length > 0) return 'lost'
  return warnings.size > 0 ? 'warnings' : 'complete'
}

/** Of the same report, after more has come to light. */
export const withProblems = (report: JobReport, problems: readonly string[]): JobReport =>
  problems.length === 0 ? report : { ...report, problems: [...problems], verdict: 'lost', lost: true }

/** One line per topic that was not there, with the sources that wanted it. */
function missingTopics(streams: readonly StreamState[]): string[] {
  const sources = new Map<string, Set<string>>()
  for (const { missing, plan } of streams)
    if (missing) sources.set(plan.topic, (sources.get(plan.topic) ?? new Set()).add(plan.source))
  return [...sources].map(
    ([topic, names]) => `topic '${topic}' does not exist: nothing of ${someOf([...names].map((name) => `'${name}'`))}`
  )
}

/** A lenient job misses the data of streams that it leaves out. */
export function sayLeftOut(streams: readonly LeftOut[]): string[] {
  if (streams.length === 0) return []
  const names = streams.map(
    ({ module, topic, source, at }) => `${module} of source '${source}', topic '${topic}' (${at})`
  )
  return [`${several(streams.length, 'stream')} left out: ${someOf(names)}`]
}

const several = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

/** At most five names. */
export function someOf(names: readonly string[]): string {
  const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
  return names.slice(0, 5).join(', ') + more
}

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
    counts: counters(stream.said.counts),
    ...(stream.said.firsts.size > 0 && { first: Object.fromEntries(stream.said.firsts) }),
    ...(stream.missing ? { note: `topic '${plan.topic}' does not exist` } : {})
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
): JobReport {
  // Companions that nobody feeds are not worth a line
  const data = streams.filter(
    ({ plan, received, kept }) => plan.topic !== '' && !(plan.companion && received === 0 && kept === null)
  )
  const empty = data.filter((stream) => stream.written === 0)
  const judged = judge(data, topics)
  const all = [...problems, ...missingTopics(data)]
  const verdict = verdictOf(judged, all)
  const links = unmadeLinks.map(
    (link) => `link ${link.name}: its target ${link.target} was not made, as there were no data`
  )
  return {
    attempt,
    start_time: isoNs(window.startNs),
    stop_time: window.stopNs === OPEN_END_NS ? null : isoNs(window.stopNs),
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
    problems: all,
    notes: [...notes, ...links],
    verdict,
    lost: verdict === 'lost',
    losses: counters(judged.losses),
    warnings: counters(judged.warnings)
  }
}

const words: Readonly<Record<Verdict, string>> = {
  complete: 'complete',
  warnings: 'complete with warnings',
  lost: 'data lost'
}

function sayFirst(streams: readonly StreamReport[], reason: string): string {
  const stream = streams.find(({ first }) => first?.[reason] !== undefined)
  return stream === undefined ? '' : `, first ${stream.first?.[reason]} in ${stream.path}`
}

/** One sentence for people: the verdict first, then what is missing, then the rest. */
export function sayReport(report: JobReport): string {
  const counted = (what: Readonly<Record<string, number>>): string[] =>
    Object.entries(what).map(([reason, n]) => sayReason(reason, n))
  const more = report.problems.length > 3 ? [`and ${several(report.problems.length - 3, 'more problem')}`] : []
  const missing = [...report.problems.slice(0, 3), ...more, ...counted(report.losses).map((text) => `lost: ${text}`)]
  const written = [`${several(report.written, 'message')} of ${several(report.streams.length, 'stream')} written`]
  if (report.without_data.length > 0) written.push(`${several(report.without_data.length, 'stream')} without data`)
  const warnings = Object.entries(report.warnings).map(
    ([reason, n]) => sayReason(reason, n) + sayFirst(report.streams, reason)
  )
  return [
    `${words[report.verdict]}: ${written.join(', ')}`,
    ...missing,
    ...(warnings.length === 0 ? [] : [`warnings: ${warnings.join(', ')}`])
  ].join('; ')
}
