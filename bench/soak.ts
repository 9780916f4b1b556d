// Does the forwarder stay whole and small for hours? A steady load, with IOC and command changes between; memory and loss over time.
import { parseArgs } from 'node:util'
import { audit, endOf } from './forwarder/audit.js'
import { startNexstream } from './forwarder/candidates.js'
import { counters } from './forwarder/cases.js'
import { cpuSeconds, memory } from './forwarder/usage.js'
import { startIoc } from '../test/support/ioc.js'
import { freePorts } from '../plugins/tools-dev/fetched/ports.js'
import { startKafka, testTopics } from '../test/support/kafka.js'

const help = `node dist/bench/soak.js [options]   (after npm run build; Linux)

Counters at 10 Hz over Channel Access and pvAccess to a real Kafka, one daemon. Every five seconds the whole
list is sent again, with one stream more or less. At the end every value of every PV is counted: gaps, repetitions.
Exit code 1 when something is lost or memory grew by more than --growth MB between the second and the last tenth of the time:
resident memory less V8's young generation, which is 2 to 48 MB large as V8 likes, and both as the daemon's metrics have them.

  --minutes N    how long (default 2; for a record 30)
  --pvs N        PVs per protocol (default 250, that is 5,000 updates/s together)
  --growth MB    growth of memory that is still called flat (default 20)
  --json         one JSON object at the end
  --help
`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    pvs: { type: 'string', default: '250' },
    growth: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})

interface Sample {
  readonly minute: number
  readonly rssMb: number
  /** V8's young generation. */
  readonly youngMb: number
  readonly cpu: number
  readonly messages: number
}

const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / Math.max(1, list.length)
const say = (text: string): boolean => process.stderr.write(`${text}\n`)

/** Resident memory and V8's young generation, by the daemon's own metrics. */
async function memoryOf(port: number): Promise<Pick<Sample, 'rssMb' | 'youngMb'>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const megabytes = (name: string): number => {
    const line = text.split('\n').find((one) => one.startsWith(`${name} `))
    if (line === undefined) throw new Error(`no ${name} among the metrics of the daemon`)
    return Number(line.slice(name.length)) / 2 ** 20
  }
  const young = ['new', 'new_large_object'].map((space) =>
    megabytes(`nodejs_heap_space_size_total_bytes{space="${space}"}`)
  )
  return { rssMb: megabytes('process_resident_memory_bytes'), youngMb: young[0]! + young[1]! }
}

async function soak(brokers: readonly string[], minutes: number, pvs: number): Promise<Record<string, unknown>> {
  const ioc = await startIoc({ kind: 'qsrv2', db: counters(pvs, '.1 second') })
  const { ca, pva, other } = await testTopics(['ca', 'pva', 'other'], {
    brokers,
    config: { 'message.timestamp.type': 'LogAppendTime' }
  })
  const names = Array.from({ length: pvs }, (_, i) => `B:${i}`)
  const stream = (channel: string, protocol: string, topic: string) => ({ channel, protocol, converter: 'f144', topic })
  const list = [...names.map((name) => stream(name, 'ca', ca)), ...names.map((name) => stream(name, 'pva', pva))]
  const [port] = await freePorts(1)
  const daemon = await startNexstream(
    { brokers, iocs: [ioc], protocol: 'ca', schema: 'f144', topic: ca, names: [] },
    { config: { reporters: { json: {}, prometheus: { port } } } }
  )
  const { control, pid } = daemon
  const samples: Sample[] = []
  try {
    await control.send({ cmd: 'config', service: 'forwarder', streams: list }, 60_000)
    const startMs = performance.now()
    const cpu = cpuSeconds(pid)
    for (let passed = 0; passed < minutes; passed = (performance.now() - startMs) / 60_000) {
      await new Promise((resolve) => setTimeout(resolve, 5000))
      const extra = stream(names[samples.length % pvs]!, 'ca', other)
      const odd = samples.length % 2 === 1
      await control.send({ cmd: 'config', service: 'forwarder', streams: odd ? [...list, extra] : list }, 60_000)
      control.said.length = 0
      const messages = (await endOf(brokers, ca)) + (await endOf(brokers, pva))
      const used = await memoryOf(port!)
      samples.push({ minute: Math.round(passed * 100) / 100, ...used, cpu: cpuSeconds(pid) - cpu, messages })
      if (samples.length % 12 === 0)
        say(
          `${samples.at(-1)!.minute} min: ${Math.round(used.rssMb)} MB, ${Math.round(used.youngMb)} of it young; ${messages} messages`
        )
    }
    const status = (await daemon.figures())!
    const { peakMb } = memory(pid)
    await daemon.stop()
    const audits = [await audit(brokers, ca, [0, Infinity]), await audit(brokers, pva, [0, Infinity])]
    const tenth = Math.max(1, Math.floor(samples.length / 10))
    // The first tenth is warming up
    const early = samples.slice(tenth, 2 * tenth)
    const late = samples.slice(-tenth)
    const rss = (list: readonly Sample[]): number => mean(list.map(({ rssMb }) => rssMb))
    const settled = (list: readonly Sample[]): number => mean(list.map(({ rssMb, youngMb }) => rssMb - youngMb))
    const last = samples.at(-1)!
    return {
      minutes: last.minute,
      pvs: 2 * pvs,
      messages: audits.reduce((sum, found) => sum + found.messages, 0),
      lost: audits.map(({ lost }) => lost),
      again: audits.map(({ again }) => again),
      silent: audits.map(({ sources }) => pvs - sources.size),
      superseded: status['superseded'],
      refused: status['older']! + status['ahead']!,
      'updates/cpu-s': Math.round(last.messages / last.cpu),
      latency_ms: audits.map(({ latencyMs }) => latencyMs),
      rss_mb: { early: Math.round(rss(early)), late: Math.round(rss(late)), peak: peakMb },
      without_young_mb: { early: Math.round(settled(early)), late: Math.round(settled(late)) },
      growth_mb: Math.round((settled(late) - settled(early)) * 10) / 10
    }
  } finally {
    await daemon.stop()
    await ioc.stop()
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

if (values.help) process.stdout.write(help)
else {
  const kafka = await startKafka()
  try {
    const result = await soak(kafka.brokers, Number(values.minutes), Number(values.pvs))
    const { lost, silent, growth_mb: growth } = result as { lost: number[]; silent: number[]; growth_mb: number }
    const reasons = [
      ...(lost.some((count) => count > 0) ? ['values are lost'] : []),
      ...(silent.some((count) => count > 0) ? ['PVs are silent'] : []),
      ...(growth > Number(values.growth) ? [`memory grew by ${growth} MB`] : [])
    ]
    const verdict = reasons.length === 0 ? 'good: nothing lost, memory flat' : `bad: ${reasons.join(', ')}`
    process.stdout.write(`${JSON.stringify({ ...result, verdict }, null, values.json ? undefined : 2)}\n`)
    if (reasons.length > 0) process.exitCode = 1
  } finally {
    await kafka.stop()
  }
}
