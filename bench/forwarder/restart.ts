// Many PVs of which a tenth is missing, and an IOC that is killed and comes back: every put is accounted for.
import { startIoc } from '../../test/support/ioc.js'
import { testTopics } from '../../test/support/kafka.js'
import { until } from '../../test/support/forwarder/live.js'
import { accounts } from '../../test/support/forwarder/accounts.js'
import { startNexstream } from './candidates.js'
import { type Candidate, type Row, type Settings } from './cases.js'
import { memory } from './usage.js'

const PUTS = 10

/** Puts 1…n, kill -9, restart, puts 1…n again: all on the topic, with the gap told by connection messages. */
export async function restart(candidate: Candidate, settings: Settings): Promise<Row> {
  if (!candidate.startsWith('nexstream')) return { candidate, note: 'not measured' }
  const { brokers, pvs } = settings
  const missing = Math.round(pvs / 10)
  const names = Array.from({ length: pvs }, (_, i) => `R:${i}`)
  const present = names.slice(missing)
  const db = present.map((name) => `record(longout, "${name}") { field(PINI, "YES") }`).join('\n')
  const ioc = await startIoc({ kind: 'qsrv2', db })
  const { bench: topic } = await testTopics(['bench'], { brokers })
  const protocol = candidate === 'nexstream-ca' ? 'ca' : 'pva'
  const running = await startNexstream({ ...settings, iocs: [ioc], protocol, topic, names })
  const figure = async (name: string): Promise<number> => (await running.figures())?.[name] ?? 0
  const seen = async (count: number): Promise<boolean> => (await figure('updates')) >= count
  try {
    const startMs = Date.now()
    await until(() => seen(present.length), 120_000)
    const connectedMs = Date.now() - startMs
    await ioc.ramp(present, PUTS, 5)
    await until(() => seen(present.length * (1 + PUTS)), 60_000)
    await ioc.kill9()
    await until(async () => (await figure('connected')) === 0, 60_000)
    const killedMs = Date.now()
    await ioc.restart()
    await until(async () => (await figure('connected')) === present.length, 120_000)
    await until(() => seen(present.length * (2 + PUTS)), 60_000)
    const backMs = Date.now() - killedMs
    await ioc.ramp(present, PUTS, 5)
    await until(() => seen(present.length * (2 + 2 * PUTS)), 60_000)
    const { peakMb } = memory(running.pid)
    await running.stop()
    const found = await accounts(brokers, topic)
    const whole = [0, ...Array.from({ length: PUTS }, (_, i) => i + 1)]
    const expected = JSON.stringify([...whole, ...whole])
    const wrong = present.filter((name) => JSON.stringify(found.get(name)?.values) !== expected)
    const told = present.filter((name) => found.get(name)?.connections.slice(-3).join() === '2,3,2')
    return {
      candidate,
      pvs,
      missing,
      'connected s': Math.round(connectedMs / 100) / 10,
      'back s': Math.round(backMs / 100) / 10,
      puts: present.length * PUTS * 2,
      'PVs not whole': wrong.length,
      'gaps told': `${told.length}/${present.length}`,
      'peak MB': peakMb
    }
  } finally {
    await running.stop()
    await ioc.stop()
  }
}
