// What does the page cost who writes files? The whole daemon writes a topic, with no page, with one served, and with one open in a browser.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Browser, type BrowserContext } from 'playwright-core'
import { connectKafka } from '../core/kafka/client.js'
import { DaemonProcess } from '../plugins/tools-dev/daemon-process.js'
import { openBrowser } from '../test/support/chromium.js'
import { Control } from '../test/support/control.js'
import { startKafka, testTopics } from '../test/support/kafka.js'
import { cpuSeconds, idleMeter, memory } from './forwarder/usage.js'
import { eventMessages } from './support/events.js'
import { conditions, type Cost, median, type Row, table } from './support/report.js'

const help = `node dist/bench/page.js [--gb 4] [--rounds 5] [--seconds 60] [--pages overview,jobs] [--brokers HOST:PORT]

CPU of the daemon's process (all threads) from the start command to the closed file: a topic of 1 MB ev44 messages is written as fast as it goes
(--gb), and as it comes from a simulated instrument (--seconds). Interleaved: without the reporter web, with it and nobody looking, with one
browser that looks at each of --pages. Goal: with the page open at most 2 % more than without the reporter.`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    gb: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '5' },
    pages: { type: 'string', default: 'overview,jobs' },
    brokers: { type: 'string' }
  }
})

/** Of a message of 1 MB. */
const EVENTS = 125_000
const GOAL = 1.02
const LOOK = { none: 'no reporter web', served: 'served, nobody looks', open: 'open in a browser' } as const
const structure = (topic: string, source: string): object => ({
  children: [
    {
      type: 'group',
      name: 'entry',
      attributes: { NX_class: 'NXentry' },
      children: [
        {
          type: 'group',
          name: 'events',
          attributes: { NX_class: 'NXevent_data' },
          children: [{ module: 'ev44', config: { topic, source } }]
        }
      ]
    }
  ]
})

interface Opened {
  readonly daemon: DaemonProcess
  readonly control: Control
  readonly look: BrowserContext | undefined
}

class PageBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'nexstream-bench-'))

  constructor(
    readonly brokers: string[],
    readonly topics: Readonly<Record<'commands' | 'status' | 'data' | 'live', string>>,
    readonly browser: Browser
  ) {}

  /** A daemon of its own writes all that is on the topic. */
  async backlog(how: keyof typeof LOOK, messages: number): Promise<Cost> {
    const opened = await this.#open(how)
    return this.#measured(opened, messages, async ({ control }) => {
      const window = { start_time: 1, stop_time: Date.now() }
      await this.#start(control, structure(this.topics.data, 'bench'), window)
    })
  }

  /** A daemon of its own writes what its simulator sends in that time. */
  async live(how: keyof typeof LOOK, seconds: number): Promise<Cost> {
    const opened = await this.#open(how)
    return this.#measured(opened, seconds, async ({ control }) => {
      const { live } = this.topics
      await this.#start(control, structure(live, 'amor_detector'), {})
      const options = { pulse_rate: 14, events_per_pulse: 100_000, pulses: 14 * seconds, seed: 1 }
      await ask(control, { cmd: 'start', service: 'simulator', job_id: 'beam', topic: live, monitor_topic: live, schema: 'ev44', options }) // prettier-ignore
      await control.json(({ event }) => event === 'simulation_done', 'the end of the beam', 2 * seconds * 1000 + 60_000)
      await ask(control, { cmd: 'stop', service: 'filewriter', job_id: 'bench' })
    })
  }

  async #start(control: Control, nexus: object, window: object): Promise<void> {
    await ask(control, { cmd: 'start', service: 'filewriter', job_id: 'bench', file_name: 'bench.nxs', nexus_structure: nexus, ...window }) // prettier-ignore
  }

  async #measured({ daemon, control, look }: Opened, units: number, work: (opened: Opened) => Promise<void>): Promise<Cost> {
    try {
      const [before, start] = [cpuSeconds(daemon.pid), performance.now()]
      await work({ daemon, control, look })
      const done = await control.json(({ event }) => event === 'writing_done', 'the closed file', 3_600_000)
      if (done['error_encountered'] === true) throw new Error(JSON.stringify(done))
      const [cpu, wall] = [cpuSeconds(daemon.pid) - before, (performance.now() - start) / 1000]
      return { cpu, wall, units, rss: memory(daemon.pid).peakMb * 2 ** 20 }
    } finally {
      await look?.close()
      await daemon.stop()
      await control.close()
      rmSync(join(this.folder, 'bench.nxs'), { force: true })
    }
  } // prettier-ignore

  async #open(how: keyof typeof LOOK): Promise<Opened> {
    const { commands, status } = this.topics
    const [config, log] = [join(this.folder, 'nexstream.toml'), join(this.folder, 'log')]
    const page = how === 'none' ? '' : `[reporters.web]\nport = 0\nstreams_per_client = 8\nhistogram_topics = []`
    writeFileSync(
      config,
      `[daemon]\nservice_id = "bench"\n[kafka]\nbrokers = ${JSON.stringify(this.brokers)}\n[commands]\ntopic = "${commands}"
[status]\ntopic = "${status}"\n[services.simulator]\n[services.filewriter]\nfolder = ${JSON.stringify(this.folder)}\nlate_data_ms = 0\n${page}`
    )
    const control = await Control.open(this.brokers, commands, [status])
    const daemon = new DaemonProcess([config], process.env, log)
    await Promise.race([control.json(({ type }) => type === 'nexstream_status', 'a status'), daemon.crash()])
    if (how !== 'open') return { daemon, control, look: undefined }
    const address = (): string | undefined => /page at (http:\S+)/.exec(readFileSync(log, 'utf8'))?.[1]
    await control.wait(() => address() !== undefined, 'the address of the page')
    const look = await this.browser.newContext()
    for (const name of values.pages.split(',')) {
      const page = await look.newPage()
      await page.goto(`${address() ?? ''}#/${name}`)
      await page.locator('main .card').first().waitFor()
    }
    return { daemon, control, look }
  }
}

async function ask(control: Control, command: Readonly<Record<string, unknown>>): Promise<void> {
  const answer = await control.send(command)
  if (answer['response'] !== 'ACK') throw new Error(JSON.stringify(answer))
}

async function fill(brokers: string[], topic: string, count: number): Promise<void> {
  const kafka = connectKafka({ brokers })
  const producer = kafka.producer({ maxBatchBytes: 1_040_000 })
  const list = eventMessages(EVENTS)
  for (let i = 0; i < count; i++)
    if (!producer.send({ topic, partition: 0, value: list[i % list.length]! })) await producer.drained()
  await producer.close()
  await kafka.close()
}

/** Goal beside figure. */
function verdict(rows: readonly Row[]): string {
  const cpu = ({ runs }: Row): number => median(runs.map((run) => run.cpu / run.units))
  const [none, , open] = rows as [Row, Row, Row]
  const ratio = cpu(open) / cpu(none)
  return `with the page open: ${((ratio - 1) * 100).toFixed(1)} % more CPU (goal: < 2 %): ${ratio < GOAL ? 'met' : 'not met'}`
}

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(`${help}\n`)
  const [gb, seconds, rounds] = [values.gb, values.seconds, values.rounds].map(Number) as [number, number, number]
  const kafka = values.brokers === undefined ? await startKafka({ own: true }) : undefined
  const brokers = values.brokers?.split(',') ?? kafka!.brokers
  const topics = await testTopics(['commands', 'status', 'data', 'live'], { brokers })
  const browser = await openBrowser()
  const bench = new PageBench(brokers, topics, browser)
  try {
    const messages = Math.round(gb * 1000)
    await fill(brokers, topics.data, messages)
    const idle = idleMeter()
    const ways = Object.keys(LOOK) as (keyof typeof LOOK)[]
    const rowsOf = (): (Row & { readonly runs: Cost[] })[] => ways.map((way) => ({ name: LOOK[way], runs: [] }))
    const [backlog, live] = [rowsOf(), rowsOf()]
    for (let round = 0; round < rounds; round++)
      for (const [i, way] of ways.entries()) {
        if (messages > 0) backlog[i]!.runs.push(await bench.backlog(way, messages))
        if (seconds > 0) live[i]!.runs.push(await bench.live(way, seconds))
      }
    process.stdout.write(`${conditions()}; the machine was idle for ${(100 * idle()).toFixed(0)} % of the time\n`)
    if (messages > 0) process.stdout.write(`\n${table(`${gb} GB, ms CPU per MB`, backlog, 1000)}\n\n${verdict(backlog)}\n`)
    if (seconds > 0) process.stdout.write(`\n${table(`14 × 100,000 events/s, ms CPU per s`, live, 1000)}\n\n${verdict(live)}\n`)
  } finally {
    await browser.close()
    rmSync(bench.folder, { recursive: true, force: true })
    await kafka?.stop()
  }
} // prettier-ignore

await main()
