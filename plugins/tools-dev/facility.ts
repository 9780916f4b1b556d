// A small facility on one machine: a broker, an IOC, the daemon with a virtual instrument; steered by JSON commands on Kafka only.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CodedError,
  type Command,
  errorText,
  type JobInfo,
  type Kafka,
  type Reply,
  type ToolContext
} from '../../core/api/plugin.js'
import { askOn } from '../tools-daemon/tool-kit.js'
import { type RunningKafka, startKafka } from './broker/start.js'
import { DaemonProcess, nexstream } from './daemon-process.js'
import { freePorts, usualPort } from './fetched/ports.js'
import { type OwnerGuard } from './guard.js'
import { type Ioc } from './ioc/server.js'
import { startSoftIoc } from './ioc/soft-ioc.js'
import { type FacilityKind } from './kinds.js'
import { readyBy } from './ready.js'
import { samples, samplesIn } from './samples.js'
import { type Steps } from './steps.js'

const START_MS = 60_000
const ASK_MS = 2000
const AGAIN_MS = 200
const PAGE_PORT = 9465
const BROKER_PORT = 9092
const TOKEN = 'DEV_PAGE_TOKEN'

export interface FacilityOptions {
  /** Its topics begin with it. */
  readonly instrument: string
  readonly kind: FacilityKind
  /** Config, structure and the daemon's log: made there, and used when they are there already. */
  readonly folder: string
  /** Where the daemon writes files. */
  readonly files: string
  /** Where a broker of our own keeps its data. */
  readonly brokerData?: string
  /** Addresses host:port; default those of NEXSTREAM_BROKERS, else one of our own. */
  readonly brokers?: readonly string[]
  /** How long brokers that are named may be away. */
  readonly patienceMs?: number
  /** Ends what we start when we are killed. */
  readonly guard: OwnerGuard
  /** 0: any that is free; default the usual one, or any. */
  readonly pagePort?: number
  /** Without an IOC there is nothing to see: no simulated channels in its place. */
  readonly needsIoc?: boolean
  /** Lines of the daemon's log. */
  readonly heard?: (line: string) => void
  readonly connect: ToolContext['connect']
  readonly steps: Steps
}

interface FacilityParts {
  readonly broker: RunningKafka | { readonly brokers: readonly string[] }
  readonly kafka: Kafka
  /** Undefined: channels are simulated. */
  readonly ioc: Ioc | undefined
  readonly daemon: DaemonProcess
  /** Its address. */
  readonly page: string
  /** With it the page takes commands; undefined: the config says something else. */
  readonly token: string | undefined
}

/** A running facility. `close` ends everything that was started, newest first. */
export class DevFacility implements FacilityParts {
  readonly broker: FacilityParts['broker']
  readonly kafka: Kafka
  readonly ioc: Ioc | undefined
  readonly daemon: DaemonProcess
  readonly page: string
  readonly token: string | undefined
  readonly config: string
  readonly log: string
  readonly #cleanup: (() => Promise<unknown>)[]

  constructor(
    readonly options: FacilityOptions,
    { broker, kafka, ioc, daemon, page, token }: FacilityParts,
    cleanup: (() => Promise<unknown>)[]
  ) {
    this.broker = broker
    this.kafka = kafka
    this.ioc = ioc
    this.daemon = daemon
    this.page = page
    this.token = token
    this.config = configIn(options.folder)
    this.log = logIn(options.folder)
    this.#cleanup = cleanup
  }

  /** Sends a real command on the command topic and tells what went over the wire. Rejects when it is refused. */
  async ask(command: Command): Promise<Reply> {
    const { tell } = this.options.steps
    const { nexus_structure: structure, streams, histograms, ...rest } = command
    const long = { ...(structure !== undefined && { nexus_structure: '{…}' }), ...(streams !== undefined && { streams: '[…]' }), ...(histograms !== undefined && { histograms: '[…]' }) } // prettier-ignore
    tell(`→ ${JSON.stringify({ ...rest, ...long })}`)
    const answer = await this.askQuietly(command)
    tell(`← ${answer.response} ${answer.status} ${answer.message}`)
    if (answer.response === 'ERR') throw new CodedError('COMMAND_FAILED', `the daemon refused: ${answer.message}`)
    return answer
  }

  askQuietly(command: Command): Promise<Reply> {
    return askOn(this.kafka, topicsOf(this.options.instrument), command, START_MS)
  }

  /** Everything that runs while it measures; without `pulses` the events never end. Gives the name of the file. */
  async begin({ perPulse, pulses }: { readonly perPulse?: number; readonly pulses?: number } = {}): Promise<string> {
    const name = `demo-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.nxs`
    const structure = JSON.parse(await readFile(join(this.options.folder, 'structure.json'), 'utf8')) as unknown
    const { instrument, kind } = this.options
    const topic = (which: string): string => `${instrument}_${which}`
    const simulation = kind.simulation(topic, perPulse ?? kind.perPulse)
    const options = { seed: 42, pulse_rate: kind.pulseRate, ...(simulation['options'] as object), ...(pulses !== undefined && { pulses }) } // prettier-ignore
    await this.ask({ cmd: 'start', service: 'forwarder', msg_id: 'demo-forward', streams: streamsOf(instrument, this.ioc !== undefined) }) // prettier-ignore
    await this.ask({ cmd: 'start', service: 'filewriter', msg_id: 'demo-write', job_id: 'demo-file', file_name: name, run_name: '1', instrument_name: instrument, nexus_structure: structure }) // prettier-ignore
    await this.ask({ cmd: 'start', service: 'histogram', msg_id: 'demo-see', job_id: 'demo-histograms', histograms: kind.histograms(topic) }) // prettier-ignore
    await this.ask({ cmd: 'start', service: 'simulator', msg_id: 'demo-events', job_id: 'demo-events', ...simulation, options }) // prettier-ignore
    return name
  }

  /** The job as the daemon tells of it. */
  async job(id: string): Promise<JobInfo> {
    const answer = await this.askQuietly({ cmd: 'jobs', job_id: id })
    const [job] = (answer.result ?? []) as readonly JobInfo[]
    if (job === undefined) throw new Error(`job ${id}: ${answer.message}`)
    return job
  }

  /** Asks until the job has ended. */
  async jobEnd(id: string): Promise<JobInfo> {
    const deadline = Date.now() + START_MS
    for (;;) {
      const job = await this.job(id)
      if (job['ended'] !== null) return job
      if (Date.now() > deadline)
        throw new CodedError('COMMAND_TIMEOUT', `job ${id} has not ended after ${START_MS / 1000} s`)
      await sleep(AGAIN_MS)
    }
  }

  /** Rejects with COMMAND_FAILED when the daemon or a broker of our own ends before it is told to. */
  async lost(): Promise<never> {
    const broker = 'died' in this.broker ? [this.broker.died] : []
    const failed = (cause: unknown): never => {
      throw new CodedError('COMMAND_FAILED', errorText(cause), { cause })
    }
    return Promise.race([this.daemon.crash(), ...broker]).catch(failed)
  }

  /** Ends events and file in good order: a daemon that just stops would say that the file ends early. */
  async endFile(): Promise<void> {
    await this.askQuietly({ cmd: 'stop', service: 'simulator', job_id: 'demo-events' })
    await this.askQuietly({ cmd: 'stop', service: 'filewriter', job_id: 'demo-file' })
    await this.jobEnd('demo-file')
  }

  /** The exit code of the daemon. */
  async close(): Promise<number | null> {
    const code = this.daemon.stop()
    await closeAll(this.#cleanup, this.options.steps)
    return code
  }
}

const topicsOf = (instrument: string) => ({
  commandTopic: `${instrument}_commands`,
  replyTopic: `${instrument}_status`
})
const configIn = (folder: string): string => join(folder, 'nexstream.toml')
const logIn = (folder: string): string => join(folder, 'daemon.log')

async function closeAll(cleanup: (() => Promise<unknown>)[], { tell }: Steps): Promise<void> {
  for (let end = cleanup.pop(); end !== undefined; end = cleanup.pop())
    await end().catch((error: unknown) => tell(`cleaning up: ${errorText(error)}`))
}

/** The channels of the IOC, by their names. */
export const channels = ['SE:TEMP', 'SE:FIELD', 'SE:MOTOR'] as const

/** What each becomes, and its shape where there is no IOC. */
const forwarded = [
  { converter: 'f142', topic: 'sample_env', source_options: { shape: 'sine', offset: 50, amplitude: 45, period: 60, units: 'K', high: 40, hihi: 80, rate: 2 } },
  { converter: 'f144', topic: 'sample_env', source_options: { shape: 'sine', offset: 0, amplitude: 1, period: 40, units: 'T', rate: 2 } },
  { converter: 'f144', topic: 'motion', source_options: { shape: 'counter', units: 'steps', rate: 2 } }
] // prettier-ignore

const streamsOf = (instrument: string, hasIoc: boolean): readonly unknown[] =>
  forwarded.map(({ converter, topic, source_options }, i) => ({
    channel: channels[i],
    ...(hasIoc ? { protocol: 'ca' } : { protocol: 'sim', source_options }),
    converter,
    topic: `${instrument}_${topic}`,
    lossless: true
  }))

/** Starts everything; when something does not come up, what had is ended again. Rejects with CodedError KAFKA_NONE and others. */
export async function startFacility(options: FacilityOptions): Promise<DevFacility> {
  const cleanup: (() => Promise<unknown>)[] = []
  try {
    return await startUp(options, cleanup)
  } catch (error) {
    await closeAll(cleanup, options.steps)
    throw error
  }
}

async function startUp(options: FacilityOptions, cleanup: (() => Promise<unknown>)[]): Promise<DevFacility> {
  const { instrument, folder, files, connect, steps, heard, guard } = options
  const { step, tell } = steps
  // What is started here shall not take the config of another daemon
  delete process.env['NEXSTREAM_CONFIG']
  const text = await samplesIn(folder, files, instrument, options.kind)
  const broker = await brokerOf(options)
  if ('stop' in broker) cleanup.push(() => broker.stop())
  const ioc = await iocOf(options)
  if (ioc !== undefined) cleanup.push(() => ioc.stop())
  // Whoever keeps the config may have a token of his own
  const token = /\btoken_(file|env)\b/.test(text) ? undefined : randomBytes(24).toString('base64url')
  const env = { ...process.env, ...ioc?.env, NEXSTREAM_BROKERS: broker.brokers.join(','), [TOKEN]: token }
  const config = configIn(folder)
  await step('topics', () => nexstream(['provision', '--config', config, '--timeout', '60s'], env))
  const { kafka } = connect(broker.brokers[0])
  cleanup.push(() => kafka.close())
  const [port = 0] = options.pagePort === 0 ? await freePorts(1) : [options.pagePort ?? (await usualPort(PAGE_PORT))]
  const writes = token === undefined ? [] : ['reporters.web.commands=true', `reporters.web.token_env=${TOKEN}`]
  const settings = [`services.filewriter.folder=${files}`, `reporters.web.port=${port}`, ...writes]
  const args = [config, ...settings.flatMap((set) => ['--set', set])]
  const daemon = await step('the nexstream daemon', async () => {
    const started = new DaemonProcess(args, env, logIn(folder), heard, 'a')
    cleanup.push(() => started.stop())
    await guard.watch('daemon', started.pid, started.exited)
    await Promise.race([untilItAnswers(kafka, instrument), started.crash()])
    return started
  }, ({ pid }) => ` pid ${pid}`) // prettier-ignore
  const page = `http://127.0.0.1:${port}/`
  tell(`  see it at ${page}`)
  return new DevFacility(options, { broker, kafka, ioc, daemon, page, token }, cleanup)
}

async function brokerOf({
  brokers,
  brokerData,
  connect,
  patienceMs,
  steps
}: FacilityOptions): Promise<RunningKafka | { readonly brokers: readonly string[] }> {
  if (brokers !== undefined) {
    await steps.step(`the brokers ${brokers.join(',')}`, () => readyBy(connect, patienceMs)(brokers.slice(0, 1), 1))
    return { brokers }
  }
  const port = await usualPort(BROKER_PORT)
  const kept = brokerData === undefined ? {} : { dataFolder: brokerData }
  return steps.step('Apache Kafka (the first time this fetches it)', () => startKafka({ port, ...kept }, readyBy(connect)), (started) => ` by ${started.way}: ${started.brokers.join(',')}`) // prettier-ignore
}

/** Without Python its channels are simulated. */
async function iocOf({ steps, needsIoc, guard }: FacilityOptions): Promise<Ioc | undefined> {
  try {
    return await steps.step('an EPICS IOC (the first time this makes a Python environment for it)', () => startSoftIoc(join(samples, 'ioc.db'), { P: 'SE:' }, join(guard.folder, 'ioc')), (started) => ` on ${started.caAddress}`) // prettier-ignore
  } catch (error) {
    if (needsIoc === true) throw error
    steps.tell(`  no IOC: ${errorText(error)}`)
    steps.tell('  its channels are simulated by the daemon instead')
    return undefined
  }
}

/** It hears commands only once it is there. */
async function untilItAnswers(kafka: Kafka, instrument: string): Promise<void> {
  for (const end = Date.now() + START_MS; ;)
    try {
      await askOn(kafka, topicsOf(instrument), { cmd: 'status' }, ASK_MS)
      return
    } catch (error) {
      if (Date.now() > end) throw error
    }
}
