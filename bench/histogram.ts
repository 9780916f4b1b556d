// What does a live histogram cost? The whole daemon from topic to topic, beside confluent-kafka with numpy and with fast-histogram.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { connectKafka } from '../core/kafka/client.js'
import { DaemonProcess } from '../plugins/tools-dev/daemon-process.js'
import { Control } from '../test/support/control.js'
import { startKafka, testTopics } from '../test/support/kafka.js'
import { python } from '../test/support/python.js'
import { cpuSeconds, memory } from './forwarder/usage.js'
import { eventMessages, SIDE, TOP } from './support/events.js'
import { conditions, type Cost, costOf, median, type Row, table } from './support/report.js'

const help = `node dist/bench/histogram.js [--messages 400] [--events 125000] [--rounds 3] [--brokers HOST:PORT] [--python PATH]
                                [--most N] [--huge SECONDS] [--only NAME …]

One topic of ev44 messages; CPU of the whole process per event, from the command (or the start of Python) to the last histogram
on its topic. --python: an interpreter that has fast-histogram, too; without it that column is left out. --most: counts N events
once more, from a compressed topic, and looks whether each was counted. --huge: an image of 4096² doubles that changes for so long:
how often it is sent, and that it is not when nothing changes. What was reached stands beside each goal. All goals in one run:

  node dist/bench/histogram.js --messages 2000 --most 1e9 --huge 30 --only nexstream`

const yardstick = fileURLToPath(new URL('../../bench/histogram-yardstick.py', import.meta.url))
const BINS = 1000
/** Of the largest image that is asked for: 134 MB a message. */
const HUGE = 4096

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    messages: { type: 'string', default: '400' },
    events: { type: 'string', default: '125000' },
    rounds: { type: 'string', default: '3' },
    brokers: { type: 'string' },
    python: { type: 'string' },
    most: { type: 'string' },
    huge: { type: 'string' },
    only: { type: 'string', multiple: true }
  }
})

type Kind = 'tof' | 'image'
type Run = () => Promise<Cost>

async function fill(brokers: string[], topic: string, count: number, events: number, compression: 'none' | 'zstd') {
  const kafka = connectKafka({ brokers })
  const producer = kafka.producer({ compression, maxBatchBytes: 1_040_000 })
  const list = eventMessages(events)
  for (let i = 0; i < count; i++)
    if (!producer.send({ topic, partition: 0, value: list[i % list.length]! })) await producer.drained()
  await producer.close()
  await kafka.close()
}

class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'nexstream-bench-'))

  constructor(
    readonly brokers: string[],
    readonly topics: Readonly<Record<'commands' | 'status' | 'data' | 'out' | 'most' | 'live', string>>
  ) {}

  histogram(kind: Kind, topic: string, id: string, more: object = {}): object {
    const shape = kind === 'tof' ? { tof_range: [0, TOP], num_bins: BINS } : { width: SIDE, height: SIDE }
    return { id, kind, data_topic: topic, topic: this.topics.out, data_type: 'int32', ...shape, ...more }
  }

  /** Works with a daemon of its own, whose processor time is counted. */
  async #with<T>(work: (control: Control, pid: number) => Promise<T>): Promise<T> {
    const { commands, status } = this.topics
    const config = join(this.folder, 'nexstream.toml')
    const builtin = ['service-histogram', 'converter-events', 'converter-histograms', 'reporter-json']
    const lines = [
      `[daemon]\nservice_id = "bench"\nbuiltin_plugins = ${JSON.stringify(builtin)}`,
      `[kafka]\nbrokers = ${JSON.stringify(this.brokers)}\n[commands]\ntopic = "${commands}"`,
      `[status]\ntopic = "${status}"\n[reporters]\nx5f2 = false\n[services.histogram]\nlate_data_ms = 0`
    ]
    writeFileSync(config, lines.join('\n'))
    const control = await Control.open(this.brokers, commands, [status])
    const daemon = new DaemonProcess([config], process.env, join(this.folder, 'log'))
    try {
      await Promise.race([control.json(({ type }) => type === 'nexstream_status', 'a status'), daemon.crash()])
      return await work(control, daemon.pid)
    } finally {
      await daemon.stop()
      await control.close()
    }
  }

  /** Counts all that is on a topic. */
  count(histograms: readonly object[], events: number): Promise<Cost> {
    return this.#with(async (control, pid) => {
      const [before, start] = [cpuSeconds(pid), performance.now()]
      await begin(control, histograms, { start_time: 1, stop_time: Date.now() })
      const done = await control.json(({ event }) => event === 'histogram_done', 'the end', 3_600_000)
      const cpu = cpuSeconds(pid) - before
      const rss = memory(pid).peakMb * 2 ** 20
      const report = done['report'] as { events: number; histograms: { sum: number }[] }
      const sums = report.histograms.map(({ sum }) => sum)
      if (sums.some((sum) => sum !== events)) throw new Error(`counted ${sums.join(', ')} of ${events} events`)
      return { cpu, wall: (performance.now() - start) / 1000, units: events, rss }
    })
  }

  /** An image that changes for some seconds, and then does not. */
  huge(seconds: number): Promise<{ readonly perSecond: number; readonly idle: number; readonly mb: number }> {
    return this.#with(async (control, pid) => {
      const { live } = this.topics
      const wide = { width: HUGE, height: HUGE, data_type: 'float64' }
      await begin(control, [this.histogram('image', live, 'huge', wide)], { job_id: 'huge' })
      const sent = async (): Promise<number> => {
        const { result } = await control.send({ cmd: 'status', service: 'histogram', job_id: 'huge' })
        return (result as { histograms: { sent: number }[] }).histograms[0]?.sent ?? 0
      }
      const list = eventMessages(10_000)
      const put = async (ms: number): Promise<void> => {
        for (let i = 0, start = performance.now(); performance.now() - start < ms; i++) {
          control.producer.send({ topic: live, partition: 0, value: list[i % list.length]! })
          await pause(50)
        }
      }
      await put(3000)
      const [first, start] = [await sent(), performance.now()]
      await put(seconds * 1000)
      const perSecond = ((await sent()) - first) / ((performance.now() - start) / 1000)
      await pause(5000)
      const quiet = await sent()
      await pause(5000)
      return { perSecond, idle: (await sent()) - quiet, mb: memory(pid).peakMb }
    })
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function begin(control: Control, histograms: readonly object[], more: object): Promise<void> {
  const answer = await control.send({ cmd: 'start', service: 'histogram', histograms, ...more })
  if (answer['response'] !== 'ACK') throw new Error(JSON.stringify(answer))
}

function contestants(bench: Bench, messages: number, events: number, interpreter: string): Record<string, Run> {
  const { data, out } = bench.topics
  const ours = (histograms: object[]) => () => bench.count(histograms, messages * events)
  const python = (kind: Kind, way: string) => () =>
    costOf(interpreter, [yardstick, bench.brokers.join(','), data, out, String(messages), kind, way])
  const five = Array.from({ length: 5 }, (_, i) => bench.histogram('tof', data, `tof${i}`))
  // Nothing of one is of use for another
  const others = Array.from({ length: 5 }, (_, i) =>
    bench.histogram('tof', data, `tof${i}`, { num_bins: BINS + 7 * i })
  )
  const huge = bench.histogram('image', data, 'image', { width: HUGE, height: HUGE, data_type: 'float64' })
  const fast = values.python !== undefined
  return {
    'tof: nexstream': ours([bench.histogram('tof', data, 'tof')]),
    'tof × 5: nexstream': ours(five),
    'tof × 5, other bins: nexstream': ours(others),
    'tof: numpy': python('tof', 'numpy'),
    ...(fast && { 'tof: fast-histogram': python('tof', 'fast-histogram') }),
    'image 1024²: nexstream': ours([bench.histogram('image', data, 'image')]),
    'image 4096², doubles: nexstream': ours([huge]),
    'image 1024²: numpy': python('image', 'numpy'),
    ...(fast && { 'image 1024²: fast-histogram': python('image', 'fast-histogram') })
  }
}

const goal = (what: string, wanted: string, figure: string, isMet: boolean): string =>
  `| ${what} | ${wanted} | ${figure} | ${isMet ? 'met' : 'not met'} |`

/** What was asked for beside what was reached, of those that ran. */
function goals(rows: readonly Row[]): string[] {
  const ns = (name: string): number | undefined => {
    const runs = rows.find((row) => row.name === name)?.runs
    return runs === undefined ? undefined : median(runs.map(({ cpu, units }) => (cpu / units) * 1e9))
  }
  const [one, five, image] = ['tof: nexstream', 'tof × 5: nexstream', 'image 1024²: nexstream'].map(ns)
  const speed = (what: string, cost: number | undefined, least: number): string[] =>
    cost === undefined ? [] : [goal(what, `≥ ${least} million events per CPU-second`, `${(1000 / cost).toFixed(0)} million`, 1000 / cost >= least)] // prettier-ignore
  const ratio = one === undefined || five === undefined ? undefined : five / one
  return [
    ...speed('one TOF histogram', one, 100),
    ...speed('image of 1024²', image, 60),
    ...(ratio === undefined ? [] : [goal('five TOF histograms', '≤ 2 × one', `${ratio.toFixed(2)} × one`, ratio <= 2)])
  ]
}

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(`${help}\n`)
  const [messages, events, rounds] = [values.messages, values.events, values.rounds].map(Number) as [
    number,
    number,
    number
  ]
  const kafka = values.brokers === undefined ? await startKafka({ own: true }) : undefined
  const brokers = values.brokers?.split(',') ?? kafka!.brokers
  const config = { 'max.message.bytes': '100000000' }
  const topics = await testTopics(['commands', 'status', 'data', 'out', 'most', 'live'], { brokers, config })
  const bench = new Bench(brokers, topics)
  try {
    await fill(brokers, topics.data, messages, events, 'none')
    const all = Object.entries(contestants(bench, messages, events, values.python ?? (await python())))
    const rows: (Row & { readonly runs: Cost[]; readonly run: Run })[] = all
      .filter(([name]) => values.only === undefined || values.only.some((part) => name.includes(part)))
      .map(([name, run]) => ({ name, run, runs: [] }))
    for (let round = 0; round < rounds; round++) for (const { run, runs } of rows) runs.push(await run())
    process.stdout.write(`${conditions()}\n\n${table(`${messages} × ${events} events, ns CPU per event`, rows, 1e9)}\n`)
    const reached = goals(rows)
    if (values.most !== undefined) {
      const count = Math.ceil(Number(values.most) / events)
      await fill(brokers, topics.most, count, events, 'zstd')
      // Throws when there is one more or less
      const { cpu, wall } = await bench.count([bench.histogram('tof', topics.most, 'tof')], count * events)
      reached.push(goal(`${count * events} events`, 'each counted', `all: ${cpu.toFixed(1)} CPU s, ${wall.toFixed(1)} s`, true)) // prettier-ignore
    }
    if (values.huge !== undefined) {
      const { perSecond, idle, mb } = await bench.huge(Number(values.huge))
      // Every other beat of 500 ms may fall into the next span
      reached.push(goal('image of 4096² doubles that changes', 'sent twice a second', `${perSecond.toFixed(2)} per s`, perSecond >= 1.9)) // prettier-ignore
      reached.push(goal('the same without changes', 'not sent', `${idle} in 5 s`, idle === 0))
      reached.push(goal('memory of that daemon', '≤ 600 MB', `${mb} MB`, mb <= 600))
    }
    process.stdout.write(`\n| | goal | reached | |\n|---|---|---|---|\n${reached.join('\n')}\n`)
  } finally {
    rmSync(bench.folder, { recursive: true, force: true })
    await kafka?.stop()
  }
}

await main()
