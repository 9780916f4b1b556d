// How much CPU does the forwarder need from IOC to acknowledged by Kafka, and what is lost on the way?
// Yardstick: the same work in Python (caproto or p4p, ess-streaming-data-types, confluent-kafka), interleaved.
import { parseArgs } from 'node:util'
import { startKafka } from '../test/support/kafka.js'
import { type Candidate, candidates, connect, flood, images, rate, type Row, type Settings } from './forwarder/cases.js'
import { outage } from './forwarder/outage.js'
import { replay } from './forwarder/replay.js'
import { restart } from './forwarder/restart.js'

const cases = { rate, flood, connect, images, restart, outage, replay } as const

const help = `node dist/bench/forwarder.js [options]   (after npm run build; Linux, because CPU is read from /proc)

A real IOC and a real Kafka are started; the daemon runs in a process of its own, with everything it does.

  --case NAME          ${Object.keys(cases).join(', ')}; may be repeated (default rate)
                         rate     counters at 10 Hz: CPU, loss counted per PV, latency IOC → Kafka's log
                         flood    puts as fast as the IOC takes them
                         connect  time until all PVs are connected and their first values are in the log
                         images   pvAccess images of --size² uint16 at 10 Hz
                         replay   pvAccess counters at 10 Hz from a server of our own that costs next to nothing
                         restart  PVs of which a tenth is missing; the IOC is killed and comes back
                         outage   the same PVs put at 2 Hz, every tenth of them lossless; Kafka is killed for --seconds
  --candidates LIST    of ${candidates.join(', ')} (default all)
  --pvs N              number of PVs (default 200, that is 2,000 updates/s)
  --yardstick-pvs N    at most so many for Python (default 100)
  --seconds N          length of one measurement (default 10)
  --rounds N           interleaved rounds (default 1)
  --schema ID          f144 or f142; images: ad00, ADAr or NDAr (default f144, images ad00)
  --size N             width and height of the images (default 1024)
  --iocs N             the case rate shares its PVs among so many IOCs (default 1)
  --linger-ms N        option linger_ms of the daemon (default its own)
  --buffer-bytes N     option buffer_bytes of the daemon (default its own)
  --cpu-prof FOLDER    writes a CPU profile of the daemon there
  --json               one JSON object per line
  --help

For the targets: --pvs 5000 --seconds 120 --candidates nexstream-ca,nexstream-pva
Kafka away for a minute: --case outage --pvs 5000 --seconds 60 --candidates nexstream-ca,nexstream-pva
`

const { values } = parseArgs({
  options: {
    case: { type: 'string', multiple: true, default: ['rate'] },
    candidates: { type: 'string', default: candidates.join(',') },
    pvs: { type: 'string', default: '200' },
    'yardstick-pvs': { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '1' },
    schema: { type: 'string' },
    size: { type: 'string', default: '1024' },
    iocs: { type: 'string', default: '1' },
    'linger-ms': { type: 'string' },
    'buffer-bytes': { type: 'string' },
    'cpu-prof': { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})

function number(name: 'pvs' | 'yardstick-pvs' | 'seconds' | 'rounds' | 'size' | 'iocs'): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1`)
  return value
}

function optional(name: 'linger-ms' | 'buffer-bytes'): number | undefined {
  return values[name] === undefined ? undefined : Number(values[name])
}

function chosen(): { names: (keyof typeof cases)[]; list: Candidate[] } {
  const names = values.case.map((name) => {
    if (!Object.hasOwn(cases, name)) throw new Error(`--case ${name}: known are ${Object.keys(cases).join(', ')}`)
    return name as keyof typeof cases
  })
  const list = values.candidates.split(',').map((name) => {
    const found = candidates.find((candidate) => candidate === name)
    if (found === undefined) throw new Error(`--candidates ${name}: known are ${candidates.join(', ')}`)
    return found
  })
  return { names, list }
}

// Ctrl-C and kill end the servers and daemons that were started, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

async function main(): Promise<void> {
  const { names, list } = chosen()
  const rounds = number('rounds')
  const kafka = await startKafka({ own: true })
  try {
    for (const name of names) {
      const settings: Settings = {
        kafka,
        brokers: kafka.brokers,
        pvs: number('pvs'),
        seconds: number('seconds'),
        schema: values.schema ?? (name === 'images' ? 'ad00' : 'f144'),
        yardstickPvs: number('yardstick-pvs'),
        size: number('size'),
        iocs: number('iocs'),
        lingerMs: optional('linger-ms'),
        bufferBytes: optional('buffer-bytes'),
        cpuProfile: values['cpu-prof']
      }
      const rows: Row[] = []
      for (let round = 0; round < rounds; round++)
        for (const candidate of list) {
          const row = await cases[name](candidate, settings)
          rows.push(row)
          if (values.json) process.stdout.write(`${JSON.stringify({ case: name, round, ...row })}\n`)
          else process.stdout.write(`${name} ${JSON.stringify(row)}\n`)
        }
      if (!values.json) console.table(rows)
    }
  } finally {
    await kafka.stop()
  }
}

if (values.help) process.stdout.write(help)
else await main()
