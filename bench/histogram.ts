// What does a live histogram cost? The whole daemon from topic to topic, beside confluent-kafka with numpy and with fast-histogram.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { connectKafka } from '../core/kafka/client.js'
import { DaemonProcess } from '../plugins/tools-dev/daemon-process.js'
import { encodeMessage } from '../schemas/index.js'
import { Control } from '../test/support/control.js'
import { startKafka, testTopics } from '../test/support/kafka.js'
import { python } from '../test/support/python.js'
import { random } from '../test/support/random.js'
import { cpuSeconds, memory } from './forwarder/usage.js'
import { conditions, type Cost, costOf, type Row, table } from './support/report.js'

const help = `node dist/bench/histogram.js [--messages 400] [--events 125000] [--rounds 3] [--brokers HOST:PORT] [--python PATH]
                                [--most N] [--only NAME …]

One topic of ev44 messages; CPU of the whole process per event, from the command (or the start of Python) to the last histogram
on its topic. --python: an interpreter that has fast-histogram, too; without it that column is left out. --most: counts N events
once more, from a compressed topic, and looks whether each was counted.`

const yardstick = fileURLToPath(new URL('../../bench/histogram-yardstick.py', import.meta.url))
const BINS = 1000
const TOP = 71_428_571
const SIDE = 1024
/** Of the largest image that is asked for: 134 MB a message. */
const HUGE = 4096
/** Messages that differ. */
const KINDS = 16

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    messages: { type: 'string', default: '400' },
    events: { type: 'string', default: '125000' },
    rounds: { type: 'string', default: '3' },
    brokers: { type: 'string' },
    python: { type: 'string' },
    most: { type: 'string' },
    only: { type: 'string', multiple: true }
  }
})

type Kind = 'tof' | 'image'
type Run = () => Promise<Cost>

function message(below: (n: number) => number, events: number): Buffer {
  const time_of_flight = Int32Array.from({ length: events }, () => below(TOP))
  const pixel_id = Int32Array.from({ length: events }, () => 1 + below(SIDE * SIDE))
  return encodeMessage('ev44', {
    ...{
      source_name: 'bench',
      message_id: 1n,
      reference_time: [1_700_000_000_000_000_000n],
      reference_time_index: [0]
    },
    ...{ time_of_flight: time_of_flight as unknown as Uint8Array, pixel_id: pixel_id as unknown as Uint8Array }
  })
}

async function fill(brokers: string[], topic: string, count: number, events: number, compression: 'none' | 'zstd') {
  const kafka = connectKafka({ brokers })
  const producer = kafka.producer({ compression, maxBatchBytes: 1_040_000 })
  const below = random(1)
  const list = Array.from({ length: KINDS }, () => message(below, events))
  for (let i = 0; i < count; i++)
    if (!producer.send({ topic, partition: 0, value: list[i % KINDS]! })) await producer.drained()
  await producer.close()
  await kafka.close()
}

class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'nexstream-bench-'))

  constructor(
    readonly brokers: string[],
    readonly topics: Readonly<Record<'commands' | 'status' | 'data' | 'out' | 'most', string>>
  ) {}

  histogram(kind: Kind, topic: string, id: string, more: object = {}): object {
    const shape = kind === 'tof' ? { tof_range: [0, TOP], num_bins: BINS } : { width: SIDE, height: SIDE }
    return { id, kind, data_topic: topic, topic: this.topics.out, data_type: 'int32', ...shape, ...more }
  }

  /** A daemon of its own counts all that is on a topic. */
  async count(histograms: readonly object[], events: number): Promise<Cost> {
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
      const before = cpuSeconds(daemon.pid)
      const start = performance.now()
      const window = { start_time: 1, stop_time: Date.now() }
      const answer = await control.send({ cmd: 'start', service: 'histogram', histograms, ...window })
      if (answer['response'] !== 'ACK') throw new Error(JSON.stringify(answer))
      const done = await control.json(({ event }) => event === 'histogram_done', 'the end', 3_600_000)
      const cpu = cpuSeconds(daemon.pid) - before
      const rss = memory(daemon.pid).peakMb * 2 ** 20
      const report = done['report'] as { events: number; histograms: { sum: number }[] }
      const sums = report.histograms.map(({ sum }) => sum)
      if (sums.some((sum) => sum !== events)) throw new Error(`counted ${sums.join(', ')} of ${events} events`)
      return { cpu, wall: (performance.now() - start) / 1000, units: events, rss }
    } finally {
      await daemon.stop()
      await control.close()
    }
  }
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
  const topics = await testTopics(['commands', 'status', 'data', 'out', 'most'], { brokers, config })
  const bench = new Bench(brokers, topics)
  try {
    await fill(brokers, topics.data, messages, events, 'none')
    const all = Object.entries(contestants(bench, messages, events, values.python ?? (await python())))
    const rows: (Row & { readonly runs: Cost[]; readonly run: Run })[] = all
      .filter(([name]) => values.only === undefined || values.only.some((part) => name.includes(part)))
      .map(([name, run]) => ({ name, run, runs: [] }))
    for (let round = 0; round < rounds; round++) for (const { run, runs } of rows) runs.push(await run())
    process.stdout.write(`${conditions()}\n\n${table(`${messages} × ${events} events, ns CPU per event`, rows, 1e9)}\n`)
    if (values.most === undefined) return
    const count = Math.ceil(Number(values.most) / events)
    await fill(brokers, topics.most, count, events, 'zstd')
    const { cpu, wall } = await bench.count([bench.histogram('tof', topics.most, 'tof')], count * events)
    process.stdout.write(`\n${count * events} events counted exactly: ${cpu} CPU s, ${wall.toFixed(1)} s\n`)
  } finally {
    rmSync(bench.folder, { recursive: true, force: true })
    await kafka?.stop()
  }
}

await main()
