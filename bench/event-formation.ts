// What does event formation cost? CPU of the whole daemon per packet, from the socket to Kafka's acknowledgement, beside a loop in C; and how long it takes.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { freePorts } from '../plugins/tools-dev/fetched/ports.js'
import { startKafka } from '../test/support/kafka.js'
import { type BenchCase, benchCases, LOOP_US } from './support/event-formation/cases.js'
import { BenchDaemon } from './support/event-formation/daemon.js'
import { latencies } from './support/event-formation/latency.js'
import { median } from './support/report.js'
import { type SendOrder } from './support/event-formation/sender.js'
import { soak } from './support/event-formation/soak.js'
import { bareUs, type Yardstick, yardstick } from './support/event-formation/yardstick.js'

const help = `node dist/bench/event-formation.js [--rounds 5] [--seconds 4] [--cases NAME …] [--one-thread] [--dgram] [--latency [--pulses 280]]

Full packets of ${Object.keys(benchCases).join(', ')} at 15,000 a second (freia, timepix3: 5,000), from a process of its own, to the
real daemon and a Kafka on this machine. Per round and case, in turn: µs of CPU per packet of the whole daemon until Kafka has
acknowledged all, less what it needs when idle; µs of a loop in C that only receives, and of a program of Node that does no more.
The goal is that of the field's program, scaled by the loop. By thread: without that subtraction. Lost packets are those that the kernel and the ring had no room for.
--one-thread  receive_thread = false
--dgram       receive_by = "dgram"
--latency     ms from the last packet of a pulse (14 Hz) until a reader of the topic has all its events; goal 100
--soak N      N minutes of each case at --rate packets a second (5000): losses and memory each minute; exit code 1 when any was lost or memory grows`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    pulses: { type: 'string', default: '280' },
    cases: { type: 'string', multiple: true, default: Object.keys(benchCases) },
    'one-thread': { type: 'boolean', default: false },
    dgram: { type: 'boolean', default: false },
    latency: { type: 'boolean', default: false },
    soak: { type: 'string' },
    rate: { type: 'string', default: '5000' }
  }
})

const say = (line: string): void => console.log(line)
/** Part of its readouts goes into histograms, which do not tell when each was there. */
const HISTOGRAMS = 'cbm'
const WARM_PACKETS = 6000
const IDLE_MS = 3000
const SETTLE_MS = 300
const receiving = { receive_thread: !values['one-thread'], receive_by: values.dgram ? 'dgram' : 'auto' }

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

class Sender {
  private constructor(readonly child: ChildProcess) {}

  static async open(name: string, port: number): Promise<Sender> {
    const script = fileURLToPath(new URL('support/event-formation/sender.js', import.meta.url))
    const child = fork(script, [name, String(port)])
    await once(child, 'message')
    return new Sender(child)
  }

  async send(order: SendOrder): Promise<void> {
    this.child.send(order)
    await once(this.child, 'message')
  }

  close(): void {
    this.child.disconnect()
  }
}

interface Round {
  readonly us: number
  readonly loopUs: number | undefined
  /** Of a program of Node that only counts. */
  readonly bareUs: number
  readonly threadUs: Readonly<Record<string, number>>
  readonly idleShare: number
  readonly sent: number
  readonly lost: Readonly<Record<string, number>>
  readonly bytesPerEvent: number
}

/** ms of the threads of a detector, which are the new ones, and of the others. */
function threadsOf(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  others: ReadonlySet<number>
): Record<string, number> {
  const spent = [...after].map(([tid, ms]) => [tid, ms - (before.get(tid) ?? 0)] as const)
  const [forming = 0, receives = 0] = spent.filter(([tid]) => !others.has(tid)).map(([, ms]) => ms)
  const [main = 0, ...rest] = spent.filter(([tid]) => others.has(tid)).map(([, ms]) => ms)
  return { receiving: receives, forming, main, others: rest.reduce((sum, ms) => sum + ms, 0) }
}

async function roundOf(name: string, one: BenchCase, daemon: BenchDaemon, loop: Yardstick | undefined): Promise<Round> {
  const [port = 0, loopPort = 0, barePort = 0] = await freePorts(3)
  const packets = Math.round(Number(values.seconds) * one.packetsPerSecond)
  const order = { packets, rate: one.packetsPerSecond }
  const sender = await Sender.open(name, port)
  try {
    const others = new Set(daemon.threadMs().keys())
    await daemon.start(name, one, port, { ...receiving, receive_buffer_bytes: 4 << 20 })
    await sender.send({ packets: WARM_PACKETS, rate: one.packetsPerSecond / 2 })
    await sleep(1000)
    const before = daemon.cpuMs()
    await sleep(IDLE_MS)
    const idle = (daemon.cpuMs() - before) / IDLE_MS
    const since = [daemon.cpuMs(), performance.now(), daemon.threadMs()] as const
    await sender.send(order)
    await sleep(SETTLE_MS)
    const threadMs = threadsOf(since[2], daemon.threadMs(), others)
    const counts = await daemon.stop(name)
    const [cpu, wall] = [daemon.cpuMs() - since[0], performance.now() - since[1]]
    const { kernel = 0, queue = 0, buffer = 0, kafka = 0 } = counts.losses
    const came = counts.packets - WARM_PACKETS
    const sendTo = async (other: number): Promise<void> => {
      const another = await Sender.open(name, other)
      await another.send(order)
      another.close()
    }
    const loopUs = await loop?.measure(loopPort, packets, () => sendTo(loopPort))
    return {
      us: ((cpu - idle * wall) * 1000) / came,
      loopUs,
      bareUs: await bareUs(counts.received_by, barePort, packets, () => sendTo(barePort)),
      threadUs: Object.fromEntries(Object.entries(threadMs).map(([thread, ms]) => [thread, (ms * 1000) / came])),
      idleShare: idle,
      sent: packets,
      lost: { kernel, queue, buffer, kafka },
      bytesPerEvent: (counts.counters['producer.event.produce_bytes_ok']! - 300 * counts.messages) / counts.events
    }
  } finally {
    sender.close()
  }
}

function tell(name: string, { goalUs, peerUs, readouts }: BenchCase, rounds: readonly Round[]): void {
  const us = rounds.map((round) => round.us)
  const loops = rounds.flatMap(({ loopUs }) => loopUs ?? [])
  const scale = loops.length === 0 ? 1 : median(loops) / LOOP_US
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0)
  const lost = ['kernel', 'queue', 'buffer', 'kafka'].map((reason) => `${reason} ${sum((round) => round.lost[reason] ?? 0)}`) // prettier-ignore
  const bare = rounds.map((round) => round.bareUs)
  const threads = ['receiving', 'forming', 'main', 'others'].map((thread) => `${thread} ${median(rounds.map(({ threadUs }) => threadUs[thread] ?? 0)).toFixed(1)}`) // prettier-ignore
  const is = median(us) <= goalUs * scale ? 'reached' : 'NOT reached'
  say(
    `${name.padEnd(9)} ${String(readouts).padStart(4)} readouts: ${median(us).toFixed(1)} µs a packet (${Math.min(...us).toFixed(1)} to ${Math.max(...us).toFixed(1)}), ` +
      `by thread ${threads.join(', ')}; loop in C ${loops.length === 0 ? 'none' : `${median(loops).toFixed(2)} µs`}, Node alone ${median(bare).toFixed(2)}; goal ${(goalUs * scale).toFixed(1)} (${goalUs} × ${scale.toFixed(2)}), the field's ${(peerUs * scale).toFixed(1)}: ${is}; ` +
      `idle ${(100 * median(rounds.map(({ idleShare }) => idleShare))).toFixed(2)} % of a core; ${median(rounds.map(({ bytesPerEvent }) => bytesPerEvent)).toFixed(1)} bytes per event beside 300 per message; lost of ${sum(({ sent }) => sent)}: ${lost.join(', ')}`
  )
}

async function soakOf(name: string, one: BenchCase, daemon: BenchDaemon): Promise<number> {
  const [port = 0] = await freePorts(1)
  const sender = await Sender.open(name, port)
  try {
    const send = (order: SendOrder): Promise<void> => sender.send(order)
    return await soak({ name, one, minutes: Number(values.soak), rate: Number(values.rate), port, send, say }, daemon)
  } finally {
    sender.close()
  }
}

async function main(): Promise<void> {
  const chosen = values.cases.map((name) => {
    const one = benchCases[name]
    if (one === undefined) throw new Error(`no case ${name}; there are ${Object.keys(benchCases).join(', ')}`)
    return [name, one] as const
  })
  const kafka = await startKafka()
  const daemon = await BenchDaemon.open(kafka.brokers)
  const loop = values.latency || values.soak !== undefined ? undefined : await yardstick(say)
  try {
    if (values.soak !== undefined) {
      for (const [name, one] of chosen) process.exitCode ||= await soakOf(name, one, daemon)
      return
    }
    if (values.latency) {
      for (const [name, one] of chosen)
        if (name === HISTOGRAMS) say(`${name}: not all of its readouts come out as events`)
        else say(await latencies(name, one, daemon, kafka.brokers, Number(values.pulses)))
      return
    }
    const all = new Map<string, Round[]>(chosen.map(([name]) => [name, []]))
    for (let round = 0; round < Number(values.rounds); round++)
      for (const [name, one] of chosen) all.get(name)!.push(await roundOf(name, one, daemon, loop))
    for (const [name, one] of chosen) tell(name, one, all.get(name)!)
  } finally {
    loop?.close()
    await daemon.close()
    await kafka.stop()
  }
}

if (values.help) say(help)
else await main()
