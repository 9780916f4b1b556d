// Who sends how much, and when last: one row per source that a running job hears. The page makes rates of the counts.
import { type DaemonSnapshot, type JobInfo } from '../../core/api/plugin.js'
import { type DiagnosticsView, type RateRow } from './wire.js'

const number = (value: unknown): number => (typeof value === 'number' ? value : 0)
const timed = (ms: unknown): number | null => (typeof ms === 'number' && ms > 0 ? ms : null)

/** What the histogram service says of a source. */
interface Heard {
  readonly topic: string
  readonly source: string
  readonly pulses: number
  readonly events: number
  readonly last_pulse_ms: number
}

function rowsOf(job: JobInfo): RateRow[] {
  const id = String(job['job_id'])
  if (job['service'] === 'histogram') {
    const behind = typeof job['behind_s'] === 'number' ? job['behind_s'] : null
    return ((job['sources'] ?? []) as readonly Heard[]).map(
      ({ topic, source, pulses, events, last_pulse_ms: last }) => ({
        ...{ key: `${topic} ${source}`, source, from: topic, by: id },
        ...{ pulses, events, last_ms: timed(last), behind_s: behind }
      })
    )
  }
  if (job['service'] !== 'event_formation') return []
  const counts = { pulses: number(job['messages']), events: number(job['events']) }
  return [{ key: `detector ${id}`, source: id, from: 'packets', by: id, ...counts, last_ms: null, behind_s: null }]
}

/** A source that several jobs hear stands once, as the job knows it that has heard most. */
export function ratesOf({ jobs }: Pick<DaemonSnapshot, 'jobs'>): RateRow[] {
  const rows = new Map<string, RateRow>()
  for (const row of jobs.filter((job) => job['ended'] === null).flatMap(rowsOf)) {
    const before = rows.get(row.key)
    if (before === undefined || before.pulses < row.pulses) rows.set(row.key, row)
  }
  return [...rows.values()]
}

/** Of services that say `diagnostics` in their status, numbers by name. */
export function diagnosticsOf({ services }: Pick<DaemonSnapshot, 'services'>): DiagnosticsView[] {
  return Object.entries(services).flatMap(([service, { diagnostics }]) => {
    if (typeof diagnostics !== 'object' || diagnostics === null) return []
    const values = Object.entries(diagnostics).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number'
    )
    return values.length > 0 ? [{ service, values }] : []
  })
}
