// The cases of the forwarder's bench: steady rates, a flood, connecting, images, IOCs that die.
import { type Ioc, startIoc } from '../../test/support/ioc.js'
import { type RunningKafka, testTopics } from '../../test/support/kafka.js'
import { until } from '../../test/support/forwarder/live.js'
import { audit, type Audit, endOf } from './audit.js'
import { type Running } from '../../test/support/forwarder/process.js'
import { type Job, startNexstream, startPython } from './candidates.js'
import { cpuSeconds, idleMeter, memory } from './usage.js'

export interface Settings {
  readonly kafka: RunningKafka
  readonly brokers: readonly string[]
  readonly pvs: number
  readonly seconds: number
  readonly schema: string
  /** PVs of the yardstick: more would only show how it drowns. */
  readonly yardstickPvs: number
  readonly size: number
  /** IOCs among which the PVs of the case `rate` are shared. */
  readonly iocs: number
  readonly lingerMs: number | undefined
  readonly bufferBytes: number | undefined
  readonly cpuProfile: string | undefined
}

export const candidates = ['nexstream-ca', 'nexstream-pva', 'python-ca', 'python-pva'] as const
export type Candidate = (typeof candidates)[number]

/** One row of a result. */
export type Row = Readonly<Record<string, string | number | null>>

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const round = (value: number, digits = 1): number => Math.round(value * 10 ** digits) / 10 ** digits
const protocolOf = (candidate: Candidate): 'ca' | 'pva' => (candidate.endsWith('-ca') ? 'ca' : 'pva')
const isOurs = (candidate: Candidate): boolean => candidate.startsWith('nexstream')

const namesOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `B:${i}`)

/** Counters that are processed ten times a second, or only when put. */
export const counters = (count: number, scan: string): string => countersOf(namesOf(count), scan)

const countersOf = (names: readonly string[], scan: string): string =>
  names
    .map((name) => `record(calc, "${name}") { field(CALC, "VAL+1") field(SCAN, "${scan}") field(PINI, "YES") }`)
    .join('\n')

const values = (count: number): string =>
  namesOf(count)
    .map((name) => `record(longout, "${name}") { field(PINI, "YES") }`)
    .join('\n')

export const topicConfig = { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': '50000000' }

export async function newTopic(brokers: readonly string[]): Promise<string> {
  return (await testTopics(['bench'], { brokers, config: topicConfig })).bench
}

async function start(candidate: Candidate, job: Job, settings: Settings): Promise<Running> {
  if (!isOurs(candidate)) return startPython(job)
  const { cpuProfile, lingerMs } = settings
  const nodeArgs = cpuProfile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${cpuProfile}`]
  return startNexstream(job, { nodeArgs, forwarder: lingerMs === undefined ? {} : { linger_ms: lingerMs } })
}

/** Waits until nothing more arrives on the topic. */
async function still(brokers: readonly string[], topic: string): Promise<number> {
  for (let before = await endOf(brokers, topic); ;) {
    await pause(500)
    const now = await endOf(brokers, topic)
    if (now === before) return now
    before = now
  }
}

/** Waits until the topic has a value of every PV. */
export async function firstValues(settings: Settings, topic: string, count: number, timeoutMs: number): Promise<Audit> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await audit(settings.brokers, topic, [0, 0])
    if (found.sources.size >= count || Date.now() > deadline) return found
    await pause(200)
  }
}

/** Figures over `settings.seconds` of a running candidate. */
export async function window(
  settings: Settings,
  running: Running,
  topic: string
): Promise<Row & { from: number; to: number }> {
  const { brokers, seconds } = settings
  const idle = idleMeter()
  const [from, cpu, startMs] = [await endOf(brokers, topic), cpuSeconds(running.pid), performance.now()]
  await pause(seconds * 1000)
  const [to, spent, passed] = [
    await endOf(brokers, topic),
    cpuSeconds(running.pid) - cpu,
    (performance.now() - startMs) / 1000
  ]
  const { rssMb, peakMb } = memory(running.pid)
  return {
    from,
    to,
    'messages/s': Math.round((to - from) / passed),
    'cpu %': round((spent / passed) * 100),
    'updates/cpu-s': spent > 0 ? Math.round((to - from) / spent) : null,
    'rss MB': rssMb,
    'peak MB': peakMb,
    'machine idle %': round(idle() * 100, 0)
  }
}

export const latencyRow = ({ latencyMs }: Audit): Row => ({
  'p50 ms': latencyMs?.p50 ?? null,
  'p99 ms': latencyMs?.p99 ?? null,
  'max ms': latencyMs?.max ?? null
})

/** IOCs that count at 10 Hz, each with its share of the names. */
class Counting {
  private constructor(
    readonly iocs: readonly Ioc[],
    readonly shares: readonly (readonly string[])[]
  ) {}

  static async start(names: readonly string[], count: number): Promise<Counting> {
    const shares = Array.from({ length: count }, (_, i) => names.filter((_name, n) => n % count === i))
    const iocs = await Promise.all(
      shares.map((share) => startIoc({ kind: 'qsrv2', db: countersOf(share, '.1 second') }))
    )
    return new Counting(iocs, shares)
  }

  async stopScanning(): Promise<void> {
    const each = (i: number) => this.shares[i]!.map((name) => this.iocs[i]!.put(`${name}.SCAN`, 'Passive'))
    await Promise.all(this.iocs.flatMap((_, i) => each(i)))
  }

  /** Values that the IOCs made after the last one on the topic. */
  async missing({ sources }: Audit): Promise<number> {
    let missing = 0
    for (const [i, share] of this.shares.entries())
      for (const name of share) {
        const found = sources.get(name)
        if (found !== undefined) missing += Math.max(0, (await this.iocs[i]!.count(name)) - found.last)
      }
    return missing
  }

  async stop(): Promise<void> {
    await Promise.all(this.iocs.map((ioc) => ioc.stop()))
  }
}

/** PVs that count at 10 Hz: CPU, loss and latency of a steady load. */
export async function rate(candidate: Candidate, settings: Settings): Promise<Row> {
  const pvs = isOurs(candidate) ? settings.pvs : Math.min(settings.pvs, settings.yardstickPvs)
  const counting = await Counting.start(namesOf(settings.pvs), settings.iocs)
  const { iocs } = counting
  const names = namesOf(pvs)
  const topic = await newTopic(settings.brokers)
  const job: Job = { ...settings, iocs, protocol: protocolOf(candidate), topic, names }
  const running = await start(candidate, job, settings).catch(async (error: unknown) => {
    await counting.stop()
    throw error
  })
  try {
    await firstValues(settings, topic, pvs, 60_000)
    await pause(2000)
    const { from, to, ...figures } = await window(settings, running, topic)
    await counting.stopScanning()
    await still(settings.brokers, topic)
    const status = await running.figures()
    await running.stop()
    const found = await audit(settings.brokers, topic, [from, to])
    const missing = await counting.missing(found)
    return {
      candidate,
      pvs,
      silent: pvs - found.sources.size,
      ...figures,
      lost: found.lost + missing,
      ...latencyRow(found),
      ...(status === undefined
        ? {}
        : {
            // 0 beside a loss: it never came to us (an IOC joins what it cannot send in time)
            'received but not sent': status['updates']! - found.messages,
            refused: status['older']! + status['ahead']!,
            superseded: status['superseded']!
          })
    }
  } finally {
    await running.stop()
    await counting.stop()
  }
}

/** Puts as fast as the IOC takes them: nothing we received may be lost, the newest value must be there. */
export async function flood(candidate: Candidate, settings: Settings): Promise<Row> {
  const pvs = Math.min(settings.pvs, isOurs(candidate) ? 100 : 10)
  const names = namesOf(pvs)
  const ioc = await startIoc({ kind: 'qsrv2', db: values(pvs) })
  const topic = await newTopic(settings.brokers)
  const job: Job = { ...settings, iocs: [ioc], protocol: protocolOf(candidate), topic, names }
  const running = await start(candidate, job, settings).catch(async (error: unknown) => {
    await ioc.stop()
    throw error
  })
  try {
    await firstValues(settings, topic, pvs, 60_000)
    const cpu = cpuSeconds(running.pid)
    const from = await endOf(settings.brokers, topic)
    const started = performance.now()
    const deadline = started + settings.seconds * 1000
    let n = 0
    for (const step = 200; performance.now() < deadline; n += step) await ioc.ramp(names, step, 0, n + 1)
    const [passed, endMs] = [(performance.now() - started) / 1000, Date.now()]
    const to = await still(settings.brokers, topic)
    const spent = cpuSeconds(running.pid) - cpu
    const status = await running.figures()
    const { peakMb } = memory(running.pid)
    await running.stop()
    const found = await audit(settings.brokers, topic, [from, to])
    const newest = [...found.sources.values()].filter(({ last }) => last === n).length
    return {
      candidate,
      pvs,
      'posted/s': Math.round((n * pvs) / passed),
      'messages/s': Math.round((to - from) / passed),
      'updates/cpu-s': Math.round((to - from) / spent),
      'merged by the server': n * pvs - (to - from),
      'received but not sent': status === undefined ? null : status['updates']! - found.messages,
      superseded: status?.['superseded'] ?? null,
      'newest arrived': `${newest}/${pvs}`,
      'after ms': Math.max(...[...found.sources.values()].map(({ lastAppendMs }) => lastAppendMs)) - endMs,
      ...latencyRow(found),
      'peak MB': peakMb
    }
  } finally {
    await running.stop()
    await ioc.stop()
  }
}

/** Until every PV is connected and its first value is in Kafka's log, from the start command on. */
export async function connect(candidate: Candidate, settings: Settings): Promise<Row> {
  const pvs = isOurs(candidate) ? settings.pvs : Math.min(settings.pvs, settings.yardstickPvs)
  const ioc = await startIoc({ kind: 'qsrv2', db: counters(settings.pvs, 'Passive') })
  const topic = await newTopic(settings.brokers)
  const job: Job = { ...settings, iocs: [ioc], protocol: protocolOf(candidate), topic, names: namesOf(pvs) }
  // The daemon is up when the command comes; Python needs its time to start: not counted.
  const running = await start(candidate, { ...job, names: isOurs(candidate) ? [] : job.names }, settings)
  try {
    const startMs = Date.now()
    if ('control' in running) await sendStreams(running as Awaited<ReturnType<typeof startNexstream>>, job)
    const found = await firstValues(settings, topic, pvs, 60_000)
    const times = [...found.sources.values()].map(({ firstAppendMs }) => firstAppendMs).toSorted((a, b) => a - b)
    const origin = isOurs(candidate) ? startMs : times[0]!
    return {
      candidate,
      pvs,
      connected: found.sources.size,
      'half s': round((times[times.length >> 1]! - origin) / 1000, 2),
      'all s': round((times.at(-1)! - origin) / 1000, 2),
      'rss MB': memory(running.pid).rssMb
    }
  } finally {
    await running.stop()
    await ioc.stop()
  }
}

async function sendStreams({ control }: Awaited<ReturnType<typeof startNexstream>>, job: Job): Promise<void> {
  const { protocol, schema: converter, topic } = job
  const streams = job.names.map((channel) => ({ channel, protocol, converter, topic }))
  const { response, message } = await control.send({ cmd: 'start', service: 'forwarder', streams }, 60_000)
  if (response !== 'ACK') throw new Error(String(message))
}

/** Images of size² uint16 at 10 Hz over pvAccess. */
export async function images(candidate: Candidate, settings: Settings): Promise<Row> {
  const { size, seconds, brokers } = settings
  if (protocolOf(candidate) === 'ca') return { candidate, note: 'images are pvAccess' }
  const ioc = await startIoc({ kind: 'p4p', macros: { P: 'I:' }, image: [size, size] })
  const topic = await newTopic(brokers)
  const own = { ...settings, schema: isOurs(candidate) ? settings.schema : 'ad00' }
  const job: Job = { ...own, brokers, iocs: [ioc], protocol: 'pva', topic, names: ['I:image'] }
  const running = await start(candidate, job, settings)
  try {
    await until(async () => (await endOf(brokers, topic)) > 0)
    await pause(2000)
    const [cpu, from] = [cpuSeconds(running.pid), await still(brokers, topic)]
    const frames = seconds * 10
    await ioc.call('frames', { name: 'I:image', n: frames, hz: 10 })
    const arrived = (await still(brokers, topic)) - from
    const spent = cpuSeconds(running.pid) - cpu
    return {
      candidate,
      schema: job.schema,
      frames,
      arrived,
      'cpu ms/frame': round((spent * 1000) / Math.max(1, arrived), 2),
      'MB/s': round((arrived * size * size * 2) / 1e6 / seconds),
      'peak MB': memory(running.pid).peakMb
    }
  } finally {
    await running.stop()
    await ioc.stop()
  }
}
