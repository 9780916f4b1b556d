// What is measured: the daemon in a process of its own, and the same work in Python as the yardstick.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  type DaemonOptions,
  type DaemonRunning,
  dieWithUs,
  end,
  type Running,
  startDaemonProcess
} from '../../test/support/forwarder/process.js'
import { type Ioc, joinEnv } from '../../test/support/ioc.js'
import { python } from '../../test/support/python.js'

const root = new URL('../../../', import.meta.url)

export interface Job {
  readonly brokers: readonly string[]
  readonly iocs: readonly Ioc[]
  readonly protocol: 'ca' | 'pva'
  readonly schema: string
  readonly topic: string
  readonly names: readonly string[]
}

/** The daemon with the streams of the job; `more`: further keys of a stream. */
export async function startNexstream(
  job: Job,
  options: DaemonOptions = {},
  more: (name: string) => Readonly<Record<string, unknown>> = () => ({})
): Promise<DaemonRunning> {
  const running = await startDaemonProcess(job.brokers, job.iocs, options)
  const streams = job.names.map((channel) => ({
    ...{ channel, protocol: job.protocol },
    ...{ converter: job.schema, topic: job.topic },
    ...more(channel)
  }))
  if (streams.length === 0) return running
  const { message, response } = await running.control.send({ cmd: 'start', service: 'forwarder', streams }, 60_000)
  if (response !== 'ACK') throw new Error(String(message))
  return running
}

/** Caproto or p4p, ess-streaming-data-types and confluent-kafka: what the field's Python forwarder is made of. */
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
