// Whether the daemon can do its work as it should now, and if not, why: one verdict for probes, metrics and people.
import { type DaemonSnapshot } from './api/plugin.js'

/** Reasons why not; none: it is ready. */
export function notReady({ state, kafka, services, jobs }: DaemonSnapshot, maxBehindMs: number): readonly string[] {
  const late = jobs.filter(({ behind_s: behind }) => typeof behind === 'number' && behind * 1000 > maxBehindMs)
  return [
    ...(state.startsWith('stop') ? ['the daemon ends'] : []),
    ...(kafka.connected ? [] : ['no Kafka broker answers']),
    ...Object.entries(services).flatMap(([id, { state: is, error, not_ready: reasons = [] }]) =>
      [...(is === 'faulty' ? [`faulty: ${String(error)}`] : []), ...reasons].map((why) => `service ${id}: ${why}`)
    ),
    ...late.map((job) => `job ${String(job['job_id'])}: ${String(job['behind_s'])} s behind (status.max_behind)`)
  ]
}
