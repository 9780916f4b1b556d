// What is measured: the daemon in a process of its own, and the same work in Python as the yardstick.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Control } from '../../test/support/control.js'
import { type Ioc, joinEnv } from '../../test/support/ioc.js'
import { testTopics } from '../../test/support/kafka.js'
import { python } from '../../test/support/python.js'

const root = new URL('../../../', import.meta.url)
const cli = fileURLToPath(new URL('dist/core/cli/main.js', root))

export interface Job {
  readonly brokers: readonly string[]
  readonly iocs: readonly Ioc[]
  readonly protocol: 'ca' | 'pva'
  readonly schema: string
  readonly topic: string
  readonly names: readonly string[]
}

export interface Running {
  readonly pid: number
  /** Figures of the status of the daemon; none for the yardstick. */
  figures(): Promise<Readonly<Record<string, number>> | undefined>
  stop(): Promise<void>
}

/** Also when this process is ended or throws. */
function dieWithUs(child: ChildProcess): void {
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}

/** Ends a child and waits for it; SIGKILL when it does not listen. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  await ended
  clearTimeout(timer)
}

export interface DaemonOptions {
  /** Options of the forwarder service. */
  readonly forwarder?: Readonly<Record<string, unknown>>
  /** Further arguments of node, e.g. `--cpu-prof`. */
  readonly nodeArgs?: readonly string[]
  /** Command and status topics of a daemon that ran before. */
  readonly topics?: { readonly commands: string; readonly status: string }
}

export interface DaemonRunning extends Running {
  readonly control: Control
  readonly topics: { readonly commands: string; readonly status: string }
  kill9(): Promise<void>
}

/** `nexstream run` with the forwarder service and the channels of these IOCs; heard over Kafka only. */
export async function startDaemonProcess(
  brokers: readonly string[],
  iocs: readonly Ioc[],
  options: DaemonOptions = {}
): Promise<DaemonRunning> {
  const topics = options.topics ?? (await testTopics(['commands', 'status'], { brokers }))
  const folder = await mkdtemp(join(tmpdir(), 'nexstream-bench-'))
  const config = join(folder, 'nexstream.json')
  const epics = {
    ca: { addr_list: iocs.map(({ caAddress }) => caAddress), auto_addr_list: false },
    pva: { addr_list: iocs.map(({ pvaAddress }) => pvaAddress), auto_addr_list: false }
  }
  await writeFile(
    config,
    JSON.stringify({
      kafka: { brokers },
      commands: { listen: [{ topic: topics.commands, dialects: ['json', 'fc00', 'forwarder-2018'] }] },
      status: { topic: topics.status },
      log: { level: 'warn' },
      services: { forwarder: options.forwarder ?? {} },
      plugins: [{ use: 'source-epics', options: epics }]
    })
  )
  const control = await Control.open(brokers, topics.commands, [topics.status])
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), cli, 'run', config], {
    stdio: ['ignore', 'inherit', 'inherit']
  })
  dieWithUs(child)
  const died = new Promise<never>((_, reject) =>
    child.once('exit', (code, signal) => reject(new Error(`the daemon ended with ${String(code ?? signal)}`)))
  )
  died.catch(() => undefined)
  const heard = control.json(({ type }) => type === 'nexstream_status', 'the first status of the daemon', 60_000)
  await Promise.race([heard, died])
  const close = async (): Promise<void> => {
    await control.close()
    await rm(folder, { recursive: true, force: true })
  }
  return {
    pid: child.pid!,
    control,
    topics,
    figures: async () => {
      const { result } = await control.send({ cmd: 'status', service: 'forwarder', page_size: 1 })
      control.said.length = 0
      return result as Record<string, number>
    },
    stop: async () => {
      await end(child)
      await close()
    },
    kill9: async () => {
      child.kill('SIGKILL')
      await died.catch(() => undefined)
      await close()
    }
  }
}

/** The daemon with the streams of the job. */
export async function startNexstream(job: Job, options: DaemonOptions = {}): Promise<DaemonRunning> {
  const running = await startDaemonProcess(job.brokers, job.iocs, options)
  const streams = job.names.map((channel) => ({
    ...{ channel, protocol: job.protocol },
    ...{ converter: job.schema, topic: job.topic }
  }))
  if (streams.length === 0) return running
  const { message, response } = await running.control.send({ cmd: 'start', service: 'forwarder', streams }, 60_000)
  if (response !== 'ACK') throw new Error(String(message))
  return running
}

/** caproto or p4p, ess-streaming-data-types and confluent-kafka: what the field's Python forwarder is made of. */
export async function startPython(job: Job): Promise<Running> {
  const script = fileURLToPath(new URL('bench/forwarder/yardstick.py', root))
  const child = spawn(await python(), [script, job.brokers.join(','), job.protocol, job.schema, job.topic], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, ...joinEnv(job.iocs) }
  })
  dieWithUs(child)
  child.stdin?.end(job.names.join('\n'))
  return { pid: child.pid!, figures: () => Promise.resolve(undefined), stop: () => end(child) }
}
