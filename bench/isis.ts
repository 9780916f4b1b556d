// What do ISIS' boards and the aggregator cost? Datagrams → ev44, and ev44 of two boards → whole frames, sorted, as messages: one core, without sockets and Kafka.
import { parseArgs } from 'node:util'
import { eventCodec } from '../plugins/converter-events/codec.js'
import { FrameAggregate, type WholeFrame } from '../plugins/service-aggregator/aggregate.js'
import { frameMessages } from '../plugins/service-aggregator/messages.js'
import { encodeMessage, type Vector } from '../schemas/index.js'
import { formationOf } from '../test/event-formation/cases.js'
import { median } from './support/report.js'

const help = `node dist/bench/isis.js [--rounds 5] [--events 10000]

MB/s of event data (8 bytes an event, as the boards send it) on one core: boards form ev44 of datagrams of up to 9000 bytes, the
aggregator makes whole frames of the ev44 of two boards with --events each. Of CPU time, so others on the machine matter less. A loop that only copies the same bytes runs beside
them. The worst case of HRPD-X is 50 Mb/s, a node of ISIS takes 350 MB/s.`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    events: { type: 'string', default: '10000' }
  }
})

const EVENT_BYTES = 8
const HEADER_BYTES = 64
/** So many fit into a datagram. */
const DATAGRAM_EVENTS = 1100
const ROUND_MS = 2000
const NS = 1_000_000n
const say = (line: string): void => console.log(line)

/** Bytes of events in a second of CPU, MB, whatever else runs; `work` gives how many it did. */
function rate(work: () => number): number {
  let done = 0
  const begin = performance.now()
  const before = process.cpuUsage()
  while (performance.now() - begin < ROUND_MS) done += work()
  const { user, system } = process.cpuUsage(before)
  return done / (user + system)
}

const startNs = BigInt(Date.now()) * NS

function datagram(frame: number): Buffer {
  const now = new Date()
  const day = 1 + Math.floor((now.getTime() - Date.UTC(now.getUTCFullYear(), 0)) / 86_400_000)
  const bytes = Buffer.alloc(HEADER_BYTES + EVENT_BYTES * DATAGRAM_EVENTS)
  const words = [0xffffffff, 0xffffffff, 0, frame, (((now.getUTCFullYear() - 2000) << 24) | (day << 15) | (now.getUTCHours() << 10) | (now.getUTCMinutes() << 4)) >>> 0, 0, 0, DATAGRAM_EVENTS, 0, 0, 0, 0, 0, 2 * DATAGRAM_EVENTS + 16] // prettier-ignore
  for (const [i, word] of words.entries()) bytes.writeUInt32BE(word, 4 * i)
  for (let i = 0; i < DATAGRAM_EVENTS; i++) {
    bytes.writeUInt32BE((i * 7919) % 20_000_000, HEADER_BYTES + EVENT_BYTES * i)
    bytes.writeUInt32BE(((i % 8) << 26) | (i % 4096), HEADER_BYTES + EVENT_BYTES * i + 4)
  }
  return bytes
}

const channels = Array.from({ length: 8 }, (_, channel) => ({ channel, start: 256 * channel, length: 256 }))

async function boards(): Promise<() => number> {
  const config = { board: 'PC3544MS', channels }
  const { formation, messages } = await formationOf({ family: 'isis', config, packets: [], messages: [], counters: {} }, false) // prettier-ignore
  const packets = Array.from({ length: 100 }, (_, frame) => datagram(frame))
  return () => {
    for (const one of packets) formation.packet(one)
    messages.length = 0
    return packets.length * DATAGRAM_EVENTS * EVENT_BYTES
  }
}

const int32 = (values: Int32Array): Vector => ({ dtype: 'int32', length: values.length, bytes: new Uint8Array(values.buffer) }) // prettier-ignore

function aggregator(events: number): () => number {
  const codec = eventCodec('ev44')
  const times = Int32Array.from({ length: events }, (_, i) => (i * 7919) % 20_000_000)
  const ids = Int32Array.from(times, (_, i) => i)
  let id = 0n
  const take = (frame: WholeFrame): void => void frameMessages(frame, 'BENCH', () => id++)
  const aggregate = new FrameAggregate({ toleranceNs: 10n, waitMs: 0, mostFrames: 200, mostEvents: 100_000, take })
  let frame = 0n
  const messages = Array.from({ length: 20 }, () => {
    const timeNs = startNs + 20n * NS * frame++
    return { timeNs, value: encodeMessage('ev44', { source_name: 'b', message_id: frame, reference_time: [timeNs], reference_time_index: [0], time_of_flight: int32(times), pixel_id: int32(ids) }) } // prettier-ignore
  })
  let offsetNs = 0n
  return () => {
    // The same bytes at later times: frames that have gone would be late
    offsetNs += 1000n * NS
    for (const { timeNs, value } of messages) {
      const record = codec.decode(value)
      const referenceTime: Vector = { dtype: 'int64', length: 1, bytes: new Uint8Array(BigInt64Array.of(timeNs + offsetNs).buffer) } // prettier-ignore
      for (let board = 0; board < 2; board++) aggregate.events({ ...record, referenceTime }, 0)
      aggregate.pulse({ source: 'b', messageId: 0n, timestampNs: timeNs + offsetNs, vetos: 0, period: 0, protonCharge: 1 }, 0) // prettier-ignore
      aggregate.tick(1)
    }
    return messages.length * 2 * events * EVENT_BYTES
  }
}

function copies(events: number): () => number {
  const [from, to] = [new Uint8Array(EVENT_BYTES * events), new Uint8Array(EVENT_BYTES * events)]
  return () => {
    for (let i = 0; i < 100; i++) to.set(from)
    return 100 * EVENT_BYTES * events
  }
}

async function main(): Promise<void> {
  const events = Number(values.events)
  const works = { boards: await boards(), aggregator: aggregator(events), copy: copies(events) }
  const rates = new Map<string, number[]>(Object.keys(works).map((name) => [name, []]))
  for (const work of Object.values(works)) rate(work)
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [name, work] of Object.entries(works)) rates.get(name)!.push(rate(work))
  for (const [name, all] of rates) {
    const middle = median(all)
    const share = name === 'copy' ? '' : `; 50 Mb/s are ${((100 * 6.25) / middle).toFixed(2)} % of a core, 350 MB/s ${(350 / middle).toFixed(1)} cores` // prettier-ignore
    say(`${name.padEnd(10)} ${middle.toFixed(0)} MB/s (${Math.min(...all).toFixed(0)} to ${Math.max(...all).toFixed(0)})${share}`) // prettier-ignore
  }
}

if (values.help) say(help)
else await main()
