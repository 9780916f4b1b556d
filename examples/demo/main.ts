// `npm run demo`: EPICS values and neutron events through a real Kafka into a NeXus file, steered by JSON commands.
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { askOn } from '../../plugins/tools-daemon/kit/command-client.js'
import { bytes } from '../../plugins/tools-daemon/tool-kit.js'
import { scan } from '../../plugins/tools-topics/scan.js'
import { CodedError } from '../../core/api/errors.js'
import { connectKafka } from '../../core/kafka/client.js'
import { type Command, type Kafka, type Reply } from '../../core/api/plugin.js'
import { packageRoot } from '../../core/root.js'
import { type Ioc, startIoc } from '../../test/support/ioc.js'
import { startKafka } from '../../test/support/kafka.js'
import { python } from '../../test/support/python.js'
import { DaemonProcess, nexstream } from './daemon.js'
import { heading, running, step, tell } from './talk.js'
import { type Sent, showFile, verify } from './verify.js'

const usage = `Usage: npm run demo -- [--seconds N] [--verify] [--keep] [--out FOLDER]
  --seconds N    how long to measure (default 10)
  --keep         goes on until Ctrl-C, for a look at the page
  --verify       read the file back with h5py and compare every count and value
  --out FOLDER   where the file goes (default ./out)`

const folder = join(packageRoot, 'examples/demo')
const topics = { commandTopic: 'DEMO_commands', replyTopic: 'DEMO_status' }
/** Values that the demo puts into each PV; the temperature passes its alarm limits at 40 and 80. */
const PUTS = 100
const EVENTS_PER_PULSE = 2000
const PULSE_RATE = 14

/** Things to close, newest first, whatever happens. */
const cleanup: (() => Promise<unknown>)[] = []

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      verify: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      out: { type: 'string', default: 'out' },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  if (values.help) return tell(usage)
  const seconds = Number(values.seconds)
  if (!(seconds >= 1 && seconds <= 3600)) throw new CodedError('CLI_USAGE', '--seconds must be between 1 and 3600')
  const out = resolve(values.out)
  await mkdir(out, { recursive: true })

  heading('Preparing')
  await step('Python with EPICS and h5py (the first time this makes a venv, about a minute)', () => python())
  const broker = await step('Apache Kafka (the first time this fetches it)', () => startKafka(), (started) => ` by ${started.way}: ${started.brokers.join(',')}`) // prettier-ignore
  cleanup.push(() => broker.stop())
  const ioc = await step('an EPICS IOC', () => startIoc({ kind: 'ca', db: join(folder, 'demo.db'), macros: { P: 'SE:' } }), (started) => ` on ${started.caAddress}`) // prettier-ignore
  cleanup.push(() => ioc.stop())
  const env = { ...process.env, ...ioc.env, NEXSTREAM_BROKERS: broker.brokers.join(',') }
  const config = join(folder, 'demo.toml')
  await step('topics', () => nexstream(['provision', 'DEMO', '--config', config], env))
  const kafka = connectKafka({ brokers: broker.brokers })
  cleanup.push(() => kafka.close())
  const port = await freePort()
  const settings = [`services.filewriter.folder=${out}`, `reporters.web.port=${port}`]
  const daemon = await step('the nexstream daemon', () => startDaemon(kafka, [config, ...settings.flatMap((set) => ['--set', set])], out, env), ({ pid }) => ` pid ${pid}`) // prettier-ignore
  tell(`  see it at http://127.0.0.1:${port}/`)
  const plan = { seconds, out, verified: values.verify }
  await Promise.race([values.keep ? keepGoing(kafka, ioc, plan) : measure(kafka, ioc, daemon, plan), daemon.crash()])
}

/** The usual one of the page, or any. */
async function freePort(usual = 9465): Promise<number> {
  const server = createServer()
  const listening = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
    })
  const port = await listening(usual).catch(() => listening(0))
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startDaemon(
  kafka: Kafka,
  args: readonly string[],
  out: string,
  env: NodeJS.ProcessEnv
): Promise<DaemonProcess> {
  // prettier-ignore
  const daemon = new DaemonProcess(args, env, join(out, 'demo-daemon.log'))
  cleanup.push(() => daemon.stop())
  await Promise.race([firstStatus(kafka), daemon.crash()])
  return daemon
}

/** The daemon reports once it listens. */
async function firstStatus(kafka: Kafka): Promise<void> {
  let seen = false
  const begin = Date.now()
  const signal = AbortSignal.timeout(60_000)
  await scan(
    kafka,
    topics.replyTopic,
    { last: 0, follow: true, timeoutMs: 60_000, signal },
    {
      message: ({ timestampMs, value }) => {
        if (timestampMs >= begin - 1000 && value?.includes('nexstream_status') === true) seen = true
      },
      batch: async () => Promise.resolve(!seen)
    }
  )
  if (!seen) throw new CodedError('COMMAND_TIMEOUT', 'the daemon did not report within 60 s')
}

/** Sends a real command on the command topic and shows what went over the wire. */
async function tellDaemon(kafka: Kafka, command: Command): Promise<Reply> {
  const { nexus_structure: structure, streams, histograms, ...rest } = command
  const shown = { ...rest, ...(structure !== undefined && { nexus_structure: '{…}' }), ...(streams !== undefined && { streams: '[…]' }), ...(histograms !== undefined && { histograms: '[…]' }) } // prettier-ignore
  tell(`→ ${JSON.stringify(shown)}`)
  const answer = await askOn(kafka, topics, command, 30_000)
  tell(`← ${answer.response} ${answer.status} ${answer.message}`)
  if (answer.response === 'ERR') throw new Error(`the daemon refused: ${answer.message}`)
  return answer
}

interface Plan {
  readonly seconds: number
  readonly out: string
  readonly verified: boolean
}

/** Everything that runs while it measures; without `pulses` the events never end. Gives the name of the file. */
async function begin(kafka: Kafka, pulses?: number): Promise<string> {
  const name = `demo-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.nxs`
  const structure = JSON.parse(readFileSync(join(folder, 'structure.json'), 'utf8')) as unknown
  await tellDaemon(kafka, { cmd: 'start', service: 'forwarder', msg_id: 'demo-forward', streams })
  await tellDaemon(kafka, { cmd: 'start', service: 'filewriter', msg_id: 'demo-write', job_id: 'demo-file', file_name: name, nexus_structure: structure }) // prettier-ignore
  await tellDaemon(kafka, { cmd: 'start', service: 'histogram', msg_id: 'demo-see', job_id: 'demo-histograms', histograms }) // prettier-ignore
  await tellDaemon(kafka, { cmd: 'start', service: 'simulator', msg_id: 'demo-events', job_id: 'demo-events', topic: 'DEMO_events', monitor_topic: 'DEMO_monitor', schema: 'ev44', options: { seed: 42, pulse_rate: PULSE_RATE, events_per_pulse: EVENTS_PER_PULSE, ...(pulses !== undefined && { pulses }) } }) // prettier-ignore
  return name
}

/** Until somebody ends it. */
async function keepGoing(kafka: Kafka, ioc: Ioc, plan: Plan): Promise<void> {
  heading('Measuring until Ctrl-C')
  await begin(kafka)
  for (;;) await ioc.ramp(['SE:TEMP', 'SE:FIELD', 'SE:MOTOR'], PUTS, PUTS / plan.seconds)
}

async function measure(kafka: Kafka, ioc: Ioc, daemon: DaemonProcess, plan: Plan): Promise<void> {
  heading('Measuring')
  const name = await begin(kafka, Math.max(1, Math.round(plan.seconds * PULSE_RATE)))
  const watch = watchJobs(kafka, plan.seconds)
  await ioc.ramp(['SE:TEMP', 'SE:FIELD', 'SE:MOTOR'], PUTS, PUTS / plan.seconds)
  const run = await jobEnd(kafka, 'demo-events')
  watch.close()
  await tellDaemon(kafka, { cmd: 'stop', service: 'filewriter', msg_id: 'demo-stop', job_id: 'demo-file' })
  const file = await step('the file is being finished', () => jobEnd(kafka, 'demo-file'))
  await tellDaemon(kafka, { cmd: 'stop', service: 'histogram', msg_id: 'demo-see-stop', job_id: 'demo-histograms' })
  await tellDaemon(kafka, { cmd: 'stop', service: 'forwarder', msg_id: 'demo-forward-off', all: true })
  const code = await step('the daemon stops', () => daemon.stop())
  if (code !== 0) throw new Error(`the daemon ended with ${String(code)}; see ${join(plan.out, 'demo-daemon.log')}`)
  if (run['state'] !== 'done')
    throw new Error(`the run of events is ${String(run['state'])}: ${String(run['message'])}`)
  if (file['state'] !== 'done') throw new Error(`the file is ${String(file['state'])}: ${String(file['message'])}`)
  const channels = run['channels'] as Sent['channels']
  const path = join(plan.out, name)
  await showFile(path)
  if (plan.verified) {
    const text = await step('reading back with h5py', () => verify(path, { puts: PUTS, channels }))
    tell(text)
  }
  lookAt(relative(process.cwd(), path))
}

const streams = [
  { channel: 'SE:TEMP', converter: 'f142', topic: 'DEMO_sample_env', lossless: true },
  { channel: 'SE:FIELD', converter: 'f144', topic: 'DEMO_sample_env', lossless: true },
  { channel: 'SE:MOTOR', converter: 'f144', topic: 'DEMO_motion', lossless: true }
]

/** AMOR's detector has 256 × 256 pixels; a pulse period of 14 Hz in ns. */
const amor = { data_topic: 'DEMO_events', source: 'amor_detector', topic: 'DEMO_histograms' }
const image = { first_pixel: 1, width: 256, height: 256 }
const times = { tof_range: [0, 71_428_571], num_bins: 200 }
const histograms = [
  { id: 'detector', kind: 'image', ...amor, ...image },
  { id: 'spectrum', kind: 'tof', ...amor, ...times },
  { id: 'beam', kind: 'roi', ...amor, ...image, ...times, regions: [{ name: 'specular', rectangle: [96, 96, 64, 64] }] }
]

type JobInfo = Readonly<Record<string, unknown>>

async function jobOf(kafka: Kafka, id: string): Promise<JobInfo> {
  const answer = await askOn(kafka, topics, { cmd: 'jobs', job_id: id }, 10_000)
  const [job] = (answer.result ?? []) as readonly JobInfo[]
  if (job === undefined) throw new Error(`job ${id}: ${answer.message}`)
  return job
}

/** Asks until the job has ended. */
async function jobEnd(kafka: Kafka, id: string): Promise<JobInfo> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const job = await jobOf(kafka, id)
    if (job['ended'] !== null) return job
    if (Date.now() > deadline) throw new CodedError('COMMAND_TIMEOUT', `job ${id} has not ended after 60 s`)
    await new Promise((wake) => setTimeout(wake, 200))
  }
}

/** A running line of the file's progress; logs get none. */
function watchJobs(kafka: Kafka, seconds: number): { close(): void } {
  const begin = Date.now()
  let busy = false
  const timer = setInterval(() => {
    if (busy || !process.stdout.isTTY) return
    busy = true
    const show = (job: JobInfo): void => {
      const messages = Number(job['messages'] ?? job['written'] ?? 0)
      const size = Number(job['file_bytes'] ?? job['bytes'] ?? 0)
      running(`${Math.round((Date.now() - begin) / 1000)} of ${seconds} s: ${messages} messages, ${bytes(size)}`)
    }
    // A progress line that fails to come is no fault of the measurement
    void jobOf(kafka, 'demo-file').then(show, () => undefined).finally(() => (busy = false)) // prettier-ignore
  }, 1000)
  return { close: () => clearInterval(timer) }
}

function lookAt(path: string): void {
  heading('Look at it')
  tell(`  npx nexstream show ${path}`)
  tell(`  python3 -c "import h5py; print(list(h5py.File('${path}')['entry']))"`)
  tell(`  https://h5web.panosc.eu/h5wasm  (drop the file there), or load it in scippnexus, Mantid or NeXpy`)
}

async function close(): Promise<void> {
  for (let end = cleanup.pop(); end !== undefined; end = cleanup.pop())
    await end().catch((error: unknown) =>
      tell(`cleaning up: ${error instanceof Error ? error.message : String(error)}`)
    )
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143]
] as const)
  // prettier-ignore
  process.once(signal, () => {
    tell('stopping …')
    void close().then(() => process.exit(code))
  })

try {
  await main()
  await close()
} catch (error) {
  tell(`✗ ${error instanceof CodedError ? `${error.code}: ` : ''}${error instanceof Error ? error.message : String(error)}`) // prettier-ignore
  await close()
  process.exitCode = 1
}
