// `nexstream run` with the forwarder service as a process of its own, steered over Kafka only.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Control } from '../control.js'
import { type Ioc } from '../ioc.js'
import { testTopics } from '../kafka.js'

const cli = fileURLToPath(new URL('../../../commands/cli/main.js', import.meta.url))

export interface Running {
  readonly pid: number
  /** Figures of the status of the daemon; none for the yardstick. */
  figures(): Promise<Readonly<Record<string, number>> | undefined>
  stop(): Promise<void>
}

/** Also when this process is ended or throws. */
export function dieWithUs(child: ChildProcess): void {
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}

/** Ends a child and waits for it; SIGKILL when it does not listen. */
export async function end(child: ChildProcess): Promise<void> {
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
  /** Command and status topics, when they are those of other daemons. */
  readonly topics?: { readonly commands: string; readonly status: string }
  readonly serviceId?: string
  /** More of the config, e.g. further services. */
  readonly config?: Readonly<Record<string, unknown>>
}

export interface DaemonRunning extends Running {
  readonly control: Control
  readonly topics: { readonly commands: string; readonly status: string }
  kill9(): Promise<void>
  /** The exit code, once it has ended. */
  readonly exited: Promise<number | null>
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
      daemon: options.serviceId === undefined ? {} : { service_id: options.serviceId },
      kafka: { brokers },
      commands: { listen: [{ topic: topics.commands, dialects: ['fc00', 'forwarder-2018', 'json'] }] },
      status: { topic: topics.status },
      log: { level: 'warn' },
      services: { forwarder: options.forwarder ?? {} },
      plugins: [{ use: 'source-epics', options: epics }],
      ...options.config
    })
  )
  const control = await Control.open(brokers, topics.commands, [topics.status])
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), cli, 'run', config], {
    stdio: ['ignore', 'inherit', 'inherit']
  })
  dieWithUs(child)
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const died = exited.then((code) => Promise.reject(new Error(`the daemon ended with ${String(code)}`)))
  died.catch(() => undefined)
  const { serviceId } = options
  const heard = control.json(
    ({ type, service_id: id }) => type === 'nexstream_status' && (serviceId === undefined || id === serviceId),
    'the first status of the daemon',
    90_000
  )
  await Promise.race([heard, died])
  const close = async (): Promise<void> => {
    await control.close()
    await rm(folder, { recursive: true, force: true })
  }
  return {
    pid: child.pid!,
    control,
    topics,
    exited,
    figures: async () => {
      const to = serviceId === undefined ? {} : { service_id: serviceId }
      const { result } = await control.send({ cmd: 'status', service: 'forwarder', page_size: 1, ...to })
      control.said.length = 0
      return result as Record<string, number>
    },
    stop: async () => {
      await end(child)
      await close()
    },
    kill9: async () => {
      child.kill('SIGKILL')
      await exited
      await close()
    }
  }
}
