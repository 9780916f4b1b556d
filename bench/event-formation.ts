// What does event formation cost? CPU of each packet in memory and from the socket, beside a loop that only receives, in the same run.
import { type ChildProcess, fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { formationOf, generatedPackets, recordedCase } from '../test/event-formation/cases.js'

const help = `node dist/bench/event-formation.js [--packets 30000] [--rate 15000] [--cases NAME …]

Packets as full as they can be, from the generator. Columns: readouts of a packet; µs of CPU per packet in memory (parse, events,
messages, no Kafka), ns per readout; µs from the socket (node:dgram) at the rate, of event formation and of a loop that only
receives; packets lost on the way.`

/** Cases whose family has a generator, with readouts that fill a packet. */
const full: Readonly<Record<string, number>> = {
  'caen-loki': 372,
  'cdt-dream': 558,
  cbm: 447,
  'vmm-freia': 223
}

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    packets: { type: 'string', default: '30000' },
    rate: { type: 'string', default: '15000' },
    cases: { type: 'string', multiple: true },
    sender: { type: 'string' }
  }
})
const packets = Number(values.packets)
const rate = Number(values.rate)

/** Packets of 50 pulses, again and again. */
const packetsOf = async (name: string): Promise<Uint8Array[]> => {
  const options = { seed: 1, pulses: 50, packets: 10, readouts: full[name] ?? 100, loss: 0, startNs: 1_700_000_000_000_000_000n } // prettier-ignore
  const all = await generatedPackets(recordedCase(name), options)
  return all.filter(({ readouts }) => readouts > 0).map(({ bytes }) => bytes)
}

const cpuUs = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since)
  return user + system
}

async function inMemory(name: string, list: readonly Uint8Array[]): Promise<number> {
  const { formation, messages } = await formationOf(recordedCase(name), false)
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      formation.packet(list[i % list.length]!)
      messages.length = 0
    }
  }
  run(3000)
  const since = process.cpuUsage()
  run(packets)
  return cpuUs(since) / packets
}

/** µs of CPU per packet that came, and the share that did not. */
async function fromSocket(name: string, take: (packet: Buffer) => void): Promise<[us: number, lost: number]> {
  const socket = createSocket('udp4')
  let count = 0
  socket.on('message', (packet) => {
    count++
    take(packet)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.setRecvBufferSize(4 << 20)
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['--sender', String(socket.address().port), '--packets', String(packets), '--rate', String(rate), '--cases', name]) // prettier-ignore
  await once(child, 'message')
  const since = process.cpuUsage()
  child.send('go')
  await once(child, 'exit')
  let before = -1
  while (before !== count) {
    before = count
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const us = cpuUs(since) / count
  socket.close()
  return [us, 1 - count / packets]
}

/** The child: sends at the rate, in steps of a millisecond. */
async function send(port: number, name: string): Promise<void> {
  const list = await packetsOf(name)
  const socket = createSocket('udp4')
  process.send?.('ready')
  await once(process, 'message')
  const start = performance.now()
  for (let sent = 0; sent < packets;) {
    const due = Math.min(packets, Math.floor(((performance.now() - start) * rate) / 1000))
    for (; sent < due; sent++) {
      const packet = list[sent % list.length]!
      if (sent < due - 1) socket.send(packet, port, '127.0.0.1')
      else await new Promise((resolve) => socket.send(packet, port, '127.0.0.1', resolve))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  socket.close()
  process.exit(0)
}

async function measure(name: string): Promise<void> {
  const list = await packetsOf(name)
  const readouts = full[name] ?? 100
  const us = await inMemory(name, list)
  const { formation, messages } = await formationOf(recordedCase(name), false)
  const [formed, lost] = await fromSocket(name, (packet) => {
    formation.packet(packet)
    messages.length = 0
  })
  const [received, lostThere] = await fromSocket(name, () => undefined)
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  console.log(
    `${name.padEnd(12)} ${String(readouts).padStart(5)} readouts  memory ${us.toFixed(1)} µs (${((1000 * us) / readouts).toFixed(0)} ns a readout)  ` +
      `socket ${formed.toFixed(1)} µs, lost ${percent(lost)}  only receive ${received.toFixed(1)} µs, lost ${percent(lostThere)}`
  )
}

if (values.help === true) console.log(help)
else if (values.sender !== undefined) await send(Number(values.sender), values.cases?.[0] ?? '')
else for (const name of values.cases ?? Object.keys(full)) await measure(name)
