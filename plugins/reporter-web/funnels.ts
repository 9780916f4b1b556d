// The way of the data as a funnel: how many came in, how many went on at each stage, and where the others stayed.
import { type DaemonSnapshot, type JobInfo, type Snapshot } from '../../core/api/plugin.js'
import { type FunnelLoss, type FunnelStage, type FunnelView } from './wire.js'

type Counts = readonly (readonly [reason: string, count: number])[]

/** What is not this job's: other sources, other schemas. */
const notOurs = new Set(['other_schema', 'other_source', 'other_period'])
const outside = new Set(['before_start', 'after_stop', 'repeated', 'before_window', 'after_window'])
/** Found while the bytes are looked at. */
const undecodable = new Set([
  'too_small', 'no_value', 'invalid_flatbuffer', 'length_mismatch', 'missing_field', 'unknown_schema', 'wrong_schema',
  'unknown_type', 'bad_json', 'codec', 'crc', 'old_format', 'records', 'corrupt_on_broker', 'converter_failed', 'broken'
]) // prettier-ignore

const sum = (losses: readonly FunnelLoss[]): number => losses.reduce((total, { count }) => total + count, 0)
const lossesIn = (counts: Counts, fits: (reason: string) => boolean): FunnelLoss[] =>
  counts
    .filter(([reason, count]) => count > 0 && fits(reason))
    .map(([reason, count]) => ({ reason, count, expected: notOurs.has(reason) || outside.has(reason) }))
    .toSorted((a, b) => Number(a.expected) - Number(b.expected) || b.count - a.count)

/** Received → decoded → in window → the last stage, whose count is known. */
function messagesFunnel(received: number, last: string, count: number, counts: Counts): FunnelStage[] {
  const decode = lossesIn(counts, (reason) => undecodable.has(reason) || notOurs.has(reason))
  const window = lossesIn(counts, (reason) => outside.has(reason))
  const rest = lossesIn(counts, (reason) => !undecodable.has(reason) && !notOurs.has(reason) && !outside.has(reason))
  const decoded = Math.max(0, received - sum(decode))
  return [
    { name: 'received', count: received, losses: [] },
    { name: 'decoded', count: decoded, losses: decode },
    // A message that several groups take counts once for each
    { name: 'in window', count: count + sum(rest), losses: window },
    { name: last, count, losses: rest }
  ]
}

const number = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** Of a job that writes or counts; undefined for others. */
export function funnelOf(job: JobInfo): FunnelView | undefined {
  const head = { id: String(job['job_id']), unit: 'messages' }
  if (job['service'] === 'filewriter' && job['messages'] !== undefined) {
    const counts = (job['not_written'] ?? []) as Counts
    const stages = messagesFunnel(number(job['messages']), 'written', number(job['written']), counts)
    return { ...head, title: 'File', stages }
  }
  if (job['service'] !== 'histogram') return undefined
  const losses = Object.entries((job['losses'] ?? {}) as Readonly<Record<string, number>>)
  const inWindow = number(job['messages'])
  const received = losses.reduce((total, [reason, n]) => total + (outside.has(reason) ? n : 0), inWindow)
  const counted = losses.reduce((total, [reason, n]) => total - (outside.has(reason) ? 0 : n), inWindow)
  return { ...head, title: 'Histograms', stages: messagesFunnel(received, 'counted', counted, losses) }
}

/** Of the forwarder: updates of PVs on their way to Kafka. */
export function forwarderFunnel(service: Snapshot): FunnelView {
  const of = (key: string): number => number(service[key])
  const loss = (reason: string, expected = false): FunnelLoss[] =>
    of(reason) > 0 ? [{ reason, count: of(reason), expected }] : []
  const refused = [...loss('older'), ...loss('ahead')]
  const unsent = [...loss('superseded'), ...loss('lost')]
  return {
    id: 'forwarder',
    title: 'EPICS to Kafka',
    unit: 'updates',
    stages: [
      { name: 'received', count: of('updates'), losses: [] },
      { name: 'in order', count: of('updates') - sum(refused), losses: refused },
      { name: 'encoded', count: of('messages'), losses: loss('convert_errors') },
      { name: 'in Kafka', count: of('acknowledged'), losses: unsent }
    ]
  }
}

/** The funnels of everything that runs, and of the last job that wrote when none does. */
export function funnelsOf({ services, jobs }: DaemonSnapshot): FunnelView[] {
  const forwarder = services['forwarder']
  const running = jobs.filter((job) => job['ended'] === null)
  const last = running.some((job) => job['service'] === 'filewriter') ? [] : jobs.filter((job) => job['service'] === 'filewriter').slice(0, 1) // prettier-ignore
  const ofJobs = [...running, ...last].flatMap((job) => funnelOf(job) ?? [])
  return [
    ...(forwarder !== undefined && number(forwarder['updates']) > 0 ? [forwarderFunnel(forwarder)] : []),
    ...ofJobs
  ]
}
