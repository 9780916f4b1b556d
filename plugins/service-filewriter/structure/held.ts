// What Kafka holds of the streams of a file, read through the routes of a write job: the times of all that belongs into its window.
import { type Batch, CodedError, type Kafka } from '../../../core/api/plugin.js'
import {
  converterOf,
  element,
  type EventRecord,
  type LogRecord,
  type MuonEvents,
  splitPulses
} from '../../../schemas/index.js'
import { MessageTimes } from './gaps.js'
import { type WriterParts } from './parts.js'
import { type PlanStream, routeKey } from './plan.js'
import { openConverter } from './recorder.js'
import { TopicRoute } from './route.js'
import { StreamState, type TimeWindow } from './window.js'

/** Kafka's times may be so much before or after those in the messages. */
const LEEWAY_MS = 60_000
const POLL_MS = 500

interface TimedBy {
  /** Below the group of the module; '' for itself. */
  readonly below: '' | '/value_log' | '/detector_1'
  readonly dataset: 'time' | 'event_time_zero'
}

const events: TimedBy = { below: '', dataset: 'event_time_zero' }
const times: Readonly<Record<string, TimedBy>> = {
  f142: { below: '', dataset: 'time' },
  f144: { below: '', dataset: 'time' },
  IXseblock: { below: '/value_log', dataset: 'time' },
  ...{ ev42: events, ev43: events, ev44: events, aev2: events },
  muon_run: { below: '/detector_1', dataset: 'event_time_zero' }
}

/** The dataset of a file that has a time for each message of the module; undefined for modules of which only messages are counted. */
export const timedBy = ({ part }: Pick<PlanStream, 'part'>): TimedBy | undefined =>
  Object.hasOwn(times, part.id) ? times[part.id] : undefined

export interface HeldStream {
  readonly state: StreamState
  readonly times: MessageTimes
}

/** A topic of which Kafka has deleted what was before a moment. */
interface CutTopic {
  readonly topic: string
  /** Kafka's time of the first message that is there; undefined when there is none at all. */
  readonly firstMs: number | undefined
}

export interface HeldStreams {
  readonly streams: readonly HeldStream[]
  readonly cut: readonly CutTopic[]
  readonly missingTopics: readonly string[]
}

interface HeldOptions {
  readonly kafka: Kafka
  readonly parts: WriterParts
  readonly window: TimeWindow
  readonly stopMs: number
  readonly signal: AbortSignal
  /** Gives up when the broker says nothing for so long. */
  readonly timeoutMs: number
  /** Messages that were read, of how many there are at most. */
  readonly progress: (done: number, total: number) => void
}

/** Throws KAFKA_UNREACHABLE and the like, COMMAND_TIMEOUT. */
export async function heldInKafka(plans: readonly PlanStream[], options: HeldOptions): Promise<HeldStreams> {
  const { parts, window, signal } = options
  const context = { jobId: 'gaps', signal, log: () => undefined, count: () => undefined }
  const routes = new Map<string, TopicRoute>()
  const streams = plans.map((plan): HeldStream => {
    const key = routeKey(plan.topic, plan.partitions)
    const route = routes.get(key) ?? new TopicRoute(plan.topic, () => undefined, plan.partitions)
    routes.set(key, route)
    const [state, times] = [new StreamState(plan, window), new MessageTimes()]
    if (timedBy(plan) !== undefined)
      state.writer = { write: (record) => note(record as LogRecord | EventRecord | MuonEvents, times) }
    const converters = plan.part.accepts.flatMap((id) => {
      const part = converterOf(parts, id)
      return part === undefined ? [] : [[id, openConverter(part, context, parts)] as const]
    })
    route.add(state, new Map(converters))
    return { state, times }
  })
  const spans = await spansOf([...routes.values()], options)
  await readSpans(spans, options)
  const cut = new Map<string, CutTopic>()
  for (const { route, isCut, firstMs } of spans)
    if (isCut && (firstMs ?? Infinity) > Number(window.startNs / 1_000_000n)) cut.set(route.topic, { topic: route.topic, firstMs }) // prettier-ignore
  const found = new Set(spans.map(({ route }) => route))
  const missingTopics = [...new Set([...routes.values()].filter((route) => !found.has(route)).map(({ topic }) => topic))] // prettier-ignore
  return { streams, cut: [...cut.values()], missingTopics }
}

/** One for each pulse, with its events, or one for the message. */
function note(record: LogRecord | EventRecord | MuonEvents, times: MessageTimes): void {
  if ('frame' in record) return times.add(record.frame.timestampNs, record.time.length)
  if (!('referenceTime' in record)) return times.add(record.timestampNs)
  for (const { referenceTime, timeOfFlight } of splitPulses(record))
    times.add(BigInt(element(referenceTime, 0)), timeOfFlight.length)
}

interface Span {
  readonly route: TopicRoute
  readonly partition: number
  readonly from: number
  readonly to: number
  /** Kafka has deleted something before `from`. */
  readonly isCut: boolean
  firstMs: number | undefined
}

async function spansOf(routes: readonly TopicRoute[], { kafka, window, stopMs }: HeldOptions): Promise<Span[]> {
  const infos = await kafka.topics([...new Set(routes.map(({ topic }) => topic))])
  const all: Span[] = []
  for (const route of routes) {
    const there = infos.find(({ name }) => name === route.topic)?.partitions ?? []
    const partitions = route.partitions?.filter((partition) => there.includes(partition)) ?? there
    if (partitions.length === 0) continue
    const at = (timestampMs: number): Promise<Map<number, number>> =>
      kafka.offsets(route.topic, partitions, { timestampMs: Math.max(0, timestampMs) })
    const startMs = Number(window.startNs / 1_000_000n)
    const [from, to, earliest, latest] = await Promise.all([
      at(startMs - LEEWAY_MS),
      at(stopMs + LEEWAY_MS),
      kafka.offsets(route.topic, partitions, 'earliest'),
      kafka.offsets(route.topic, partitions, 'latest')
    ])
    for (const partition of partitions) {
      const [low, high] = [earliest.get(partition) ?? 0, latest.get(partition) ?? 0]
      const begin = Math.max(low, from.get(partition) ?? low)
      all.push({ route, partition, from: begin, to: Math.min(high, to.get(partition) ?? high), isCut: low > 0 && begin === low, firstMs: undefined }) // prettier-ignore
    }
  }
  return all
}

async function readSpans(spans: readonly Span[], { kafka, signal, timeoutMs, progress }: HeldOptions): Promise<void> {
  // prettier-ignore
  const total = spans.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0)
  const open = new Map(spans.filter(({ from, to }) => from < to).map((span) => [`${span.route.topic} ${span.partition}`, span])) // prettier-ignore
  if (open.size === 0) return
  const assign = [...open.values()].map(({ route: { topic }, partition, from }) => ({ topic, partition, offset: from }))
  const reader = kafka.reader({ assign, maxWaitMs: 200, signal })
  let [done, heardMs] = [0, performance.now()]
  try {
    while (open.size > 0 && !signal.aborted) {
      const batch = await reader.poll(POLL_MS)
      if (batch === null) break
      if (batch === undefined) {
        if (performance.now() - heardMs > timeoutMs)
          throw new CodedError(
            'COMMAND_TIMEOUT',
            `nothing came for ${timeoutMs} ms; is the broker alive? See --timeout`
          )
        continue
      }
      heardMs = performance.now()
      const place = `${batch.topic} ${batch.partition}`
      const span = open.get(place)
      if (span !== undefined) push(batch, span)
      done += batch.count
      progress(Math.min(done, total), total)
      if (span !== undefined && batch.nextOffset >= span.to) open.delete(place)
      batch.release()
    }
  } finally {
    await reader.close()
  }
}

function push(batch: Batch, span: Span): void {
  for (let i = 0; i < batch.count && batch.offset(i) < span.to; i++) {
    span.firstMs ??= batch.timestampMs(i)
    span.route.push(batch.value(i))
  }
}
