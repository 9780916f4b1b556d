// A report that fits into a Kafka message, however many streams a job has; the whole one is in the file.
import { type Finding } from '../../core/api/plugin.js'
import { type JobEnd } from './thread/protocol.js'

type Report = NonNullable<JobEnd['report']>
/** Well below the largest message that a broker takes by default. */
const MAX_BYTES = 400_000

const trouble = ({ bad, written, out_of_order: late, note }: Report['streams'][number]): number =>
  Object.keys(bad).length > 0 ? 3 : note !== undefined || written === 0 ? 2 : late > 0 ? 1 : 0

/** The same report, or one that keeps the streams with most trouble and says how many it leaves out. */
export function shortened(report: Report): Report & { readonly left_out?: number } {
  const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))
  const total = size(report)
  if (total <= MAX_BYTES) return report
  let left = MAX_BYTES
  const fitting = <T>(list: readonly T[]): T[] => {
    const share = left / 2
    let used = 0
    const kept = list.filter((item) => (used += size(item) + 1) <= share)
    left -= Math.min(used, share)
    return kept
  }
  const problems = fitting(report.problems)
  const notes = fitting(report.notes)
  const topics = fitting(report.topics)
  const streams = fitting(report.streams.toSorted((a, b) => trouble(b) - trouble(a)))
  const without = fitting(report.without_data)
  return {
    ...report,
    problems,
    notes,
    topics,
    streams,
    without_data: without,
    left_out: report.streams.length - streams.length
  }
}

/** For dialects whose answers have room for words only. */
export function warnings(findings: readonly Finding[]): string {
  const list = findings.slice(0, 5).map(({ path, message }) => `${path} ${message}`)
  const more = findings.length > list.length ? `; and ${findings.length - list.length} more` : ''
  return list.length === 0 ? '' : `; ${findings.length} warnings: ${list.join('; ')}${more}`
}
