// How long the last readouts of a pulse take until a reader of the topic has them: later than Kafka's acknowledgement, and no earlier.
import { createSocket } from 'node:dgram'
import { connectKafka } from '../../../core/kafka/client.js'
import { decodeJson } from '../../../schemas/index.js'
import { freePorts } from '../../../plugins/tools-dev/fetched/ports.js'
import { type BenchCase, packetsOf } from './cases.js'
import { type BenchDaemon } from './daemon.js'

const PERIOD_MS = 1000 / 14
const PACKETS = 10
const PATIENCE_MS = 30_000

/** Events of an ev44 message; of others none. */
function eventsIn(value: Buffer | null): number {
  if (value === null) return 0
  const { file_identifier: id, message } = decodeJson(value)
  return id === 'ev44' ? (message['time_of_flight'] as unknown[]).length : 0
}

export async function latencies(
  name: string,
  one: BenchCase,
  daemon: BenchDaemon,
  brokers: readonly string[],
  pulses: number
): Promise<string> {
  const [port = 0] = await freePorts(1)
  const list = await packetsOf(one, 50, PACKETS)
  const perPulse = list.length / 50
  await daemon.start(name, one, port, {})
  const kafka = connectKafka({ brokers: [...brokers] })
  const { events: topic } = daemon.topics
  const from = await kafka.offsets(topic, [0], 'latest')
  const reader = kafka.reader({ assign: [...from].map(([partition, offset]) => ({ topic, partition, offset })), maxWaitMs: 1000 }) // prettier-ignore
  /** When so many events were there. */
  const seen: (readonly [events: number, ms: number])[] = []
  let events = 0
  const reading = (async () => {
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
      const now = performance.now()
      for (let i = 0; i < batch.count; i++) events += eventsIn(batch.value(i))
      seen.push([events, now])
      batch.release()
    }
  })()
  const socket = createSocket('udp4')
  const ends: number[] = []
  const start = performance.now()
  for (let pulse = 0; pulse < pulses; pulse++) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, start + pulse * PERIOD_MS - performance.now())))
    for (let i = 0; i < perPulse; i++)
      await new Promise((resolve) => socket.send(list[(pulse * perPulse + i) % list.length]!, port, '127.0.0.1', resolve)) // prettier-ignore
    ends.push(performance.now())
  }
  socket.close()
  const counts = await daemon.stop(name)
  const until = performance.now() + PATIENCE_MS
  while (events < counts.events && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
  await reader.close()
  await reading
  await kafka.close()
  if (events !== counts.events) throw new Error(`${name}: ${events} of ${counts.events} events were read`)
  // The same number of each pulse: pulses are equal but for chance, so the share that has come tells which pulse is whole
  const took = ends.map((end, pulse) => {
    const whole = Math.ceil(((pulse + 1) * counts.events) / pulses)
    const [, ms = Infinity] = seen.find(([n]) => n >= whole) ?? []
    return ms - end
  })
  const sorted = took.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN).toFixed(1) // prettier-ignore
  return `${name.padEnd(9)} from the last packet of a pulse to a reader of the topic: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms of ${pulses} pulses; goal 100`
}
