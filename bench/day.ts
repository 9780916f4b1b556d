// A day of an instrument in two hours: forwarder, file writer and histograms in one daemon. Does it stay whole, and does what it holds stay the same?
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startIoc } from '../test/support/ioc.js'
import { startKafka, testTopics } from '../test/support/kafka.js'
import { until } from '../test/support/forwarder/live.js'
import { startNexstream } from './forwarder/candidates.js'
import { cpuSeconds, memory } from './forwarder/usage.js'
import { FileReader, Files, type Instrument } from './day/files.js'
import { Histograms } from './day/histogram.js'
import { EventSender, LATE_MS, ValueLedger } from './day/ledger.js'
import { type Sample, sampleOf, trends } from './day/samples.js'
import { conditions } from './support/report.js'

const help = `node dist/bench/day.js [options]   (after npm run build; Linux)

PVs of a real IOC, half of them over Channel Access and half over pvAccess, each with --speed puts per second, and a
detector with 14 × --speed pulses per second, to a real Kafka; one daemon with forwarder, file writer and histogram
service. Every --job seconds a file of all of them is begun where the last one ended. Each finished file is read with h5py
and held against what was sent, value by value and time by time, and removed. Histograms of the detector live from the
first event to the last, and each file has one more for its window: all must have each event in its bin. Once a minute: what the daemon holds. Exit code 1 when
something is missing or there twice, or when what the daemon holds grows.

  --hours-virtual N  length of the day (default 24)
  --speed N          how much faster than life (default 12: 24 hours in two)
  --pvs N            PVs (default 200)
  --job N            seconds per file (default 30)
  --json FILE        all samples and results there
  --help
`

const { values: options } = parseArgs({
  options: {
    'hours-virtual': { type: 'string', default: '24' },
    speed: { type: 'string', default: '12' },
    pvs: { type: 'string', default: '200' },
    job: { type: 'string', default: '30' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false }
  }
})
const [HOURS, SPEED, PVS, JOB_MS] = [Number(options['hours-virtual']), Number(options.speed), Number(options.pvs), 1000 * Number(options.job)] // prettier-ignore
/** A job lives on while late data may come. */
const MAX_JOBS = Math.max(16, Math.ceil(480_000 / JOB_MS))
/** Pulses of the source per second. */
const PULSES = 14
/** Little enough that a day does not fill the disk, much more than a file needs. */
const retention = { 'retention.ms': '600000', 'segment.ms': '120000', 'segment.bytes': '67108864' }

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
const say = (text: string): boolean => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`)
const round = (value: number): number => Math.round(value * 10) / 10

interface Day {
  readonly instrument: Instrument
  readonly pid: number
  readonly probe: string
}

/** Jobs one on the heels of the other, and a sample a minute, always at the same moment of a job. */
async function live({ instrument, pid, probe }: Day, files: Files, samples: Sample[]): Promise<void> {
  const jobs = Math.max(1, Math.floor((HOURS * 3600_000) / SPEED / JOB_MS))
  const beginMs = Date.now() + 2000
  const perMinute = Math.max(1, Math.round(60_000 / JOB_MS))
  for (let job = 0; job < jobs; job++) {
    const startMs = beginMs + job * JOB_MS
    await pause(startMs - Date.now())
    files.start(startMs, startMs + JOB_MS)
    if (job % perMinute !== perMinute - 1) continue
    // The file before is finished by now
    await pause(startMs + 0.7 * JOB_MS - Date.now())
    const sample = await sampleOf(pid, probe, (Date.now() - beginMs) / 60_000)
    samples.push(sample)
    const { control, values, histograms } = instrument
    control.said.splice(0, control.said.length - 200)
    say(
      `${round(sample.minute)} min: rss ${sample.rssMb} (young ${round(sample.youngMb)}), heap ${round(sample.heapMb)}, ` +
        `external ${round(sample.externalMb)}, buffers ${round(sample.arrayBuffersMb)} MB; other threads heap ${round(sample.threadHeapMb)} (young ${round(sample.threadYoungMb)}), external ${round(sample.threadExternalMb)} MB; ${sample.fds} fds, ${sample.sockets} sockets, ` +
        `${sample.threads} threads, ${sample.handleCount} handles; ${files.good} of ${job + 1} files good, ${files.troubles.length} not; ` +
        `${values.messages} values on the topic, ${values.gaps} gaps; ${histograms.counted} events counted, ${histograms.messages} histograms; a pulse waits ${round(instrument.events.waitsMs / 1000)} s; load ${round(sample.load)}`
    )
    for (const trouble of [...files.troubles.slice(-3), ...values.misread.slice(-3), ...histograms.troubles.slice(-3)])
      say(`  ${trouble}`)
  }
  await pause(beginMs + jobs * JOB_MS - Date.now())
  await files.done()
}

async function day(brokers: readonly string[]): Promise<Readonly<Record<string, unknown>> & { bad: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-day-'))
  const probe = join(folder, 'probe.sock')
  process.env['SOAK_PROBE'] = probe
  const names = Array.from({ length: PVS }, (_, i) => `DAY:${i}`)
  const db = names.map((name) => `record(longout, "${name}") { field(PINI, "YES") }`).join('\n')
  const ioc = await startIoc({ kind: 'qsrv2', db })
  const topics = await testTopics(['pvs', 'events', 'histograms'], { brokers, config: retention })
  const late = { late_data_ms: LATE_MS }
  const services = { forwarder: {}, filewriter: { folder, max_jobs: MAX_JOBS, ...late }, histogram: late }
  const daemon = await startNexstream(
    { brokers, iocs: [ioc], protocol: 'ca', schema: 'f144', topic: topics.pvs, names },
    {
      config: { services, reporters: { json: true } },
      nodeArgs: ['--expose-gc', '--import', new URL('day/probe.js', import.meta.url).href]
    },
    (name) => ({ protocol: names.indexOf(name) < PVS / 2 ? 'ca' : 'pva' })
  )
  const values = new ValueLedger(brokers, topics.pvs)
  const { control, pid } = daemon
  const histograms = new Histograms(control, brokers, topics.events, topics.histograms)
  await histograms.start()
  const events = new EventSender(brokers, topics.events, 'detector', PULSES * SPEED)
  const reader = await FileReader.start()
  const instrument = { control, reader, values, events, histograms, names, pvTopic: topics.pvs, folder }
  const [files, samples]: [Files, Sample[]] = [new Files(instrument), []]
  try {
    await until(() => values.sources === PVS, 120_000)
    const [startMs, cpu] = [Date.now(), cpuSeconds(pid)]
    const n = Math.round(HOURS * 3600)
    const ramp = ioc.ramp(names, n, SPEED)
    await live({ instrument, pid, probe }, files, samples)
    await events.end()
    await histograms.finish(events)
    const puts = await ramp
    const minutes = round((Date.now() - startMs) / 60_000)
    const figure = async (): Promise<Readonly<Record<string, number>>> => (await daemon.figures())!
    await until(async () => (await figure())['acknowledged'] === (await figure())['messages'], 60_000)
    const status = await figure()
    await until(() => values.messages >= status['updates']! - status['superseded']!, 60_000).catch(() => undefined)
    const flat = trends(samples)
    const missing = status['updates']! - values.messages
    return {
      conditions: conditions(),
      minutes,
      'load of the machine': round(samples.reduce((sum, { load }) => sum + load, 0) / samples.length),
      puts,
      'updates seen by the daemon': status['updates'],
      'merged by the IOC': puts + PVS - status['updates']!,
      'values on the topic': values.messages,
      'values twice': values.again,
      'misread by this program': values.misread,
      superseded: status['superseded'],
      pulses: events.sent,
      histograms: {
        messages: histograms.messages,
        'events counted': histograms.counted,
        troubles: histograms.troubles
      },
      files: {
        good: files.good,
        values: files.values,
        pulses: files.pulses,
        events: files.events,
        'pulses that came when the file was closed': files.late,
        troubles: files.troubles
      },
      'CPU seconds of the daemon': Math.round(cpuSeconds(pid) - cpu),
      'peak MB': memory(pid).peakMb,
      trends: flat,
      samples,
      bad: [
        ...(missing !== 0 || values.again > 0 || status['lost']! > 0 ? [`${missing} values not on the topic, ${values.again} twice`] : []), // prettier-ignore
        ...(files.troubles.length > 0 ? [`${files.troubles.length} files are not what was sent`] : []),
        ...histograms.troubles,
        ...(events.lost > 0 ? ['the detector could not send'] : []),
        ...flat.filter((trend) => !trend.flat).map(({ name, growth }) => `${name} grew by ${growth}`)
      ]
    }
  } finally {
    await daemon.stop()
    await ioc.stop()
    await reader.close()
    await values.close()
    await histograms.close()
    await events.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

if (options.help) process.stdout.write(help)
else {
  const kafka = await startKafka({ own: true })
  try {
    const { bad, samples, trends: table, ...result } = await day(kafka.brokers)
    const verdict = bad.length === 0 ? 'good: every file as sent, nothing grows' : `bad: ${bad.join('; ')}`
    if (options.json !== undefined)
      writeFileSync(options.json, JSON.stringify({ ...result, verdict, trends: table, samples }, null, 2))
    process.stdout.write(`${JSON.stringify({ ...result, verdict }, null, 2)}\n`)
    process.stdout.write(
      '| held by the daemon | first | last | least | most | growth | limit |\n|---|---|---|---|---|---|---|\n'
    )
    for (const { name, first, last, least, most, growth, limit } of table as ReturnType<typeof trends>)
      process.stdout.write(`| ${name} | ${first} | ${last} | ${least} | ${most} | ${growth} | ${limit} |\n`)
    if (bad.length > 0) process.exitCode = 1
  } finally {
    await kafka.stop()
  }
}
