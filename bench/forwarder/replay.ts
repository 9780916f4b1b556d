// pvAccess at full rate where a real IOC would need the machine for itself: counters of a server that costs little.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { dieWithUs, end } from '../../test/support/forwarder/process.js'
import { until } from '../../test/support/forwarder/live.js'
import { type Ioc } from '../../test/support/ioc.js'
import { audit } from './audit.js'
import { startNexstream } from './candidates.js'
import { firstValues, latencyRow, newTopic, type Candidate, type Row, type Settings, window } from './cases.js'

interface Told {
  readonly port: number
  readonly puts: number
  readonly cpuS: number
  readonly maxQueued: number
  readonly maxLateMs: number
}

/** `--pvs` counters at 10 Hz, evenly spread over time; what the server sent must all be on the topic. */
export async function replay(candidate: Candidate, settings: Settings): Promise<Row> {
  if (candidate !== 'nexstream-pva') return { candidate, note: 'replay is pvAccess' }
  const { brokers, pvs, lingerMs } = settings
  const script = fileURLToPath(new URL('./replay-server.js', import.meta.url))
  const server = spawn(process.execPath, [script, String(pvs), '10'], { stdio: ['pipe', 'pipe', 'inherit'] })
  dieWithUs(server)
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  const told = async (): Promise<Told> => JSON.parse((await lines.next()).value as string) as Told
  const topic = await newTopic(brokers)
  const address = `127.0.0.1:${(await told()).port}`
  const iocs = [{ caAddress: '127.0.0.1:9', pvaAddress: address }] as unknown as Ioc[]
  const names = Array.from({ length: pvs }, (_, i) => `B:${i}`)
  const job = { ...settings, iocs, protocol: 'pva', topic, names } as const
  const forwarder = lingerMs === undefined ? {} : { linger_ms: lingerMs }
  const running = await startNexstream(job, { forwarder })
  try {
    await firstValues(settings, topic, pvs, 60_000)
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const { from, to, ...figures } = await window(settings, running, topic)
    server.stdin.write('stop\n')
    const { puts, cpuS, maxQueued, maxLateMs } = await told()
    // What is still on its way: in the network, and before Kafka
    const done = ({ updates, messages, acknowledged }: Readonly<Record<string, number>>): boolean =>
      updates! >= puts && messages === acknowledged
    await until(async () => done((await running.figures())!), 120_000)
    const status = (await running.figures())!
    await running.stop()
    const found = await audit(brokers, topic, [from, to])
    return {
      candidate,
      pvs,
      ...figures,
      puts,
      'neither sent nor counted': puts - found.messages - status['superseded']!,
      lost: found.lost,
      superseded: status['superseded']!,
      ...latencyRow(found),
      'server cpu s': Math.round(cpuS * 10) / 10,
      'server late ms': Math.round(maxLateMs),
      'server queued kB': Math.round(maxQueued / 1000)
    }
  } finally {
    await running.stop()
    await end(server)
  }
}
