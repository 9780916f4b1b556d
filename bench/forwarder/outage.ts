// Many PVs of which a tenth is missing, and Kafka that is killed and comes back: every put is on the topic or counted as superseded.
import { startIoc } from '../../test/support/ioc.js'
import { testTopics } from '../../test/support/kafka.js'
import { type Control } from '../../test/support/control.js'
import { until } from '../../test/support/forwarder/live.js'
import { audit } from './audit.js'
import { startNexstream } from './candidates.js'
import { type Candidate, type Row, type Settings, topicConfig } from './cases.js'
import { memory } from './usage.js'

const HZ = 2
const CALM_SECONDS = 10
/** Longest wait until all is told: connecting, and after the outage. */
const PATIENCE_MS = 180_000

interface Channel {
  readonly channel: string
  readonly updates?: number
  readonly streams: readonly { readonly superseded?: number; readonly lost?: number }[]
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function allChannels(control: Control, count: number): Promise<Channel[]> {
  const size = 1000
  const found: Channel[] = []
  for (let page = 0; page * size < count; page++) {
    const { result } = await control.send({ cmd: 'status', service: 'forwarder', page, page_size: size })
    found.push(...(result as { channels: Channel[] }).channels)
    control.said.length = 0
  }
  return found
}

/** Puts 1…n at 2 Hz, before, while and after Kafka is away; every tenth PV is lossless, of the others the newest value wins. */
export async function outage(candidate: Candidate, settings: Settings): Promise<Row> {
  if (!candidate.startsWith('nexstream')) return { candidate, note: 'not measured' }
  const { kafka, brokers, pvs, seconds } = settings
  const names = Array.from({ length: pvs }, (_, i) => `R:${i}`)
  const present = names.slice(Math.round(pvs / 10))
  const isLossless = (name: string): boolean => Number(name.slice(2)) % 10 === 0
  const db = present.map((name) => `record(longout, "${name}") { field(PINI, "YES") }`).join('\n')
  const ioc = await startIoc({ kind: 'qsrv2', db })
  const { bench: topic } = await testTopics(['bench'], { brokers, config: topicConfig })
  const protocol = candidate === 'nexstream-ca' ? 'ca' : 'pva'
  const job = { ...settings, iocs: [ioc], protocol, topic, names } as const
  const more = (name: string) => (isLossless(name) ? { lossless: true } : {})
  const { bufferBytes } = settings
  const running = await startNexstream(job, { forwarder: bufferBytes === undefined ? {} : { buffer_bytes: bufferBytes } }, more) // prettier-ignore
  const figure = async (name: string): Promise<number> => (await running.figures())?.[name] ?? 0
  try {
    await until(async () => (await figure('updates')) >= present.length, PATIENCE_MS)
    const n = (seconds + 2 * CALM_SECONDS) * HZ
    const puts = ioc.ramp(present, n, HZ)
    await pause(CALM_SECONDS * 1000)
    const killedMs = Date.now()
    await kafka.kill9(0)
    await pause(seconds * 1000)
    const { rssMb } = memory(running.pid)
    await kafka.restart(0)
    const backMs = Date.now()
    await puts
    const expected = present.length * (n + 1)
    await until(async () => (await figure('updates')) >= expected, PATIENCE_MS)
    await until(async () => (await figure('messages')) === (await figure('acknowledged')), PATIENCE_MS)
    const channels = await allChannels(running.control, names.length)
    const { peakMb } = memory(running.pid)
    const overloads = await figure('overloads')
    await running.stop()
    const found = await audit(brokers, topic, [0, 0], killedMs)
    let [superseded, gaps, wrong] = [0, 0, 0]
    for (const { channel, updates = 0, streams } of channels) {
      const seen = found.sources.get(channel)
      const counted = streams.reduce((sum, one) => sum + (one.superseded ?? 0), 0)
      superseded += counted
      gaps += seen?.lost ?? 0
      const there = present.includes(channel) ? n + 1 : 0
      const isWhole = (seen?.messages ?? 0) + counted === there && updates === there
      const isNewest = there === 0 || seen?.last === n
      if (!isWhole || !isNewest || (counted > 0 && isLossless(channel)) || seen?.again || seen?.restarts) wrong++
    }
    const again = [...found.sources.values()].map(({ firstSinceMs }) => firstSinceMs - backMs)
    return {
      candidate,
      pvs,
      missing: pvs - present.length,
      'away s': seconds,
      puts: present.length * n,
      'on the topic': found.messages,
      superseded,
      gaps,
      overloads,
      'PVs not accounted for': wrong,
      'all PVs again after s': Math.round(Math.max(0, ...again)) / 1000,
      'rss MB at the end of the outage': rssMb,
      'peak MB': peakMb
    }
  } finally {
    await running.stop()
    await ioc.stop()
  }
}
