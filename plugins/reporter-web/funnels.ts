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

const sum = (losses: readonly { readonly count: number }[]): number =>
  losses.reduce((total, { count }) => total + count, 0)
const lossesIn = (counts: Counts, fits: (reason: string) => boolean): FunnelLoss[] =>
  counts
    .filter(([reason, count]) => count > 0 && fits(reason))
    .map(([reason, count]) => ({ reason, count, expected: notOurs.has(reason) || outside.has(reason) }))
    .toSorted((a, b) => Number(a.expected) - Number(b.expected) || b.count - a.count)

type Gains = FunnelStage['gains']

/** The next stage. What its losses and gains do not say of the step is told by the reasons `more` and `fewer`: every step adds up. */
function after(
  before: FunnelStage,
  stage: Omit<FunnelStage, 'gains'> & { readonly gains?: Gains },
  { more, fewer }: { readonly more: string; readonly fewer: string }
): FunnelStage {
  const { losses, gains = [] } = stage
  const rest = stage.count - (before.count - sum(losses) + sum(gains))
  return {
    ...stage,
    gains: rest > 0 ? [...gains, { reason: more, count: rest }] : gains,
    losses: rest < 0 ? [...losses, { reason: fewer, count: -rest, expected: true }] : losses
  }
}

/** Received → decoded → in window → the last stage, whose count is known. */
function messagesFunnel(received: number, last: string, count: number, counts: Counts): FunnelStage[] {
  const decode = lossesIn(counts, (reason) => undecodable.has(reason) || notOurs.has(reason))
  const window = lossesIn(counts, (reason) => outside.has(reason))
  const rest = lossesIn(counts, (reason) => !undecodable.has(reason) && !notOurs.has(reason) && !outside.has(reason))
  const step = { more: 'taken_by_several', fewer: 'on_the_way' }
  const first: FunnelStage = { name: 'received', count: received, losses: [], gains: [] }
  const decoded = after(first, { name: 'decoded', count: Math.max(0, received - sum(decode)), losses: decode }, step)
  // A message that several groups take counts once for each
  const inWindow = after(decoded, { name: 'in window', count: count + sum(rest), losses: window }, step)
  return [first, decoded, inWindow, { name: last, count, losses: rest, gains: [] }]
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
  if (job['service'] === 'event_formation') return { ...head, ...formationFunnel(job) }
  if (job['service'] !== 'histogram') return undefined
  const losses = Object.entries((job['losses'] ?? {}) as Readonly<Record<string, number>>)
  const inWindow = number(job['messages'])
  const received = losses.reduce((total, [reason, n]) => total + (outside.has(reason) ? n : 0), inWindow)
  const counted = losses.reduce((total, [reason, n]) => total - (outside.has(reason) ? 0 : n), inWindow)
  return { ...head, title: 'Histograms', stages: messagesFunnel(received, 'counted', counted, losses) }
}

/** Of a detector: packets, and the events that they become on their way to Kafka. */
function formationFunnel(job: JobInfo): Pick<FunnelView, 'title' | 'unit' | 'stages'> {
  const of = (key: string): number => number(job[key])
  const { kernel = 0, queue = 0, missing = 0, faults = 0, buffer = 0, kafka = 0 } = (job['losses'] ?? {}) as Readonly<Record<string, number>> // prettier-ignore
  const loss = (reason: string, count: number): FunnelLoss[] => (count > 0 ? [{ reason, count, expected: false }] : [])
  // Those that are missing in the sequence may have been lost here
  const underWay = Math.max(0, missing - kernel - queue)
  const lost = [...loss('missing', underWay), ...loss('kernel', kernel), ...loss('queue', queue)]
  const sent: FunnelStage = { name: 'sent', count: of('packets') + sum(lost), losses: [], gains: [] }
  const received: FunnelStage = { name: 'received', count: of('packets'), losses: lost, gains: [] }
  const formed = { name: 'events', count: of('events'), losses: loss('faults', faults) }
  const events = after(received, formed, { more: 'events_of_packets', fewer: 'no_event' })
  const inKafka = { name: 'in Kafka', count: of('delivered_events'), losses: [...loss('buffer', buffer), ...loss('kafka', kafka)] } // prettier-ignore
  const last = after(events, inKafka, { more: 'beside_values', fewer: 'on_the_way' })
  return { title: 'Detector', unit: 'packets, then events', stages: [sent, received, events, last] }
}

/** Of the forwarder: updates of PVs, and the messages that they become on their way to Kafka. */
export function forwarderFunnel(service: Snapshot): FunnelView {
  const of = (key: string): number => number(service[key])
  const loss = (reason: string): FunnelLoss[] =>
    of(reason) > 0 ? [{ reason, count: of(reason), expected: false }] : []
  const refused = [...loss('older'), ...loss('ahead')]
  const received: FunnelStage = { name: 'received', count: of('updates'), losses: [], gains: [] }
  const inOrder: FunnelStage = { name: 'in order', count: received.count - sum(refused), losses: refused, gains: [] }
  const again = of('repeated') > 0 ? [{ reason: 'repeated_values', count: of('repeated') }] : []
  // One update may go to several streams; alarms and connections have messages of their own
  const encoded = after(
    inOrder,
    {
      name: 'encoded',
      count: of('messages'),
      losses: [...loss('convert_errors'), ...loss('superseded')],
      gains: again
    },
    { more: 'beside_values', fewer: 'no_message' }
  )
  const inKafka = { name: 'in Kafka', count: of('acknowledged'), losses: loss('lost') }
  const stages = [received, inOrder, encoded, after(encoded, inKafka, { more: 'beside_values', fewer: 'on_the_way' })]
  return { id: 'forwarder', title: 'EPICS to Kafka', unit: 'updates, then messages', stages }
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
