// What the Kafka benches share: options, a broker, rounds of contestants in processes of their own, the report.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Codec, codecs } from '../../core/kafka/codecs.js'
import { startKafka } from '../../test/support/kafka.js'
import { python } from '../../test/support/python.js'
import { type Cost, type Row, conditions, costOf, table } from './report.js'

const yardstick = fileURLToPath(new URL('../../../bench/kafka-yardstick.py', import.meta.url))

/** What a contestant is to do; passed to its process as JSON. */
export interface Task {
  readonly brokers: string
  readonly topic: string
  readonly messages: number
  readonly bytes: number
  readonly codec: Codec
}
export type Contestant = (task: Task) => Promise<Cost>

export interface KafkaBench {
  /** `--help` without the options that all have. */
  readonly help: string
  /** Word of the yardstick's command line and of the report. */
  readonly verb: 'read' | 'produce'
  readonly messages: number
  readonly contestants: Readonly<Record<string, Contestant>>
  /** Makes the topic of one workload, or of one run. */
  topic(task: Omit<Task, 'topic'>, fresh: boolean): Promise<string>
}

const options = {
  help: { type: 'boolean' },
  messages: { type: 'string' },
  bytes: { type: 'string', multiple: true },
  codec: { type: 'string', multiple: true },
  rounds: { type: 'string', default: '3' },
  only: { type: 'string', multiple: true },
  brokers: { type: 'string' },
  json: { type: 'string' },
  run: { type: 'string' },
  task: { type: 'string' }
} as const

const usage = `
--messages  per run of 150 B; larger messages are fewer, so that no run is above 800 MB
--bytes     size of a message; may be given several times; default: 150 and 8150 (1,000 events)
--codec     ${codecs.join(', ')}; may be given several times; default: none
--rounds    repeats of each contestant, interleaved; default 3
--only      this contestant; may be given several times
--brokers   host:port,…; default: a broker of its own
--json      also write all figures there
Read the CPU: µs of all threads of the contestant's process, from connecting to the last message.`

export async function kafkaBench(bench: KafkaBench): Promise<void> {
  const { values } = parseArgs({ options })
  if (values.help) return void process.stdout.write(`${bench.help}\n${usage}\n`)
  if (values.run !== undefined && values.task !== undefined) {
    const cost = await bench.contestants[values.run]!(JSON.parse(values.task) as Task)
    return void process.stdout.write(`${JSON.stringify(cost)}\n`)
  }
  const kafka = values.brokers === undefined ? await startKafka({ own: true }) : undefined
  try {
    const brokers = values.brokers ?? kafka!.brokers.join(',')
    const results: unknown[] = []
    process.stdout.write(`${conditions()}\n`)
    const sizes = (values.bytes ?? ['150', '8150']).map(Number)
    const wanted = (values.codec ?? ['none']) as Codec[]
    for (const [bytes, codec] of sizes.flatMap((bytes) => wanted.map((codec) => [bytes, codec] as const))) {
      const messages = Math.min(Number(values.messages ?? bench.messages), Math.floor(8e8 / bytes))
      const names = [...Object.keys(bench.contestants), 'confluent-kafka (Python)']
      const rows = await rounds(bench, { brokers, messages, bytes, codec }, names, values)
      const title = `${bench.verb} ${messages} × ${bytes} B, ${codec}, µs CPU per message`
      process.stdout.write(`\n${table(title, rows, 1e6)}\n`)
      results.push({ verb: bench.verb, messages, bytes, codec, rows })
    }
    if (values.json !== undefined)
      writeFileSync(values.json, JSON.stringify({ conditions: conditions(), results }, null, 2))
  } finally {
    await kafka?.stop()
  }
}

async function rounds(
  bench: KafkaBench,
  workload: Omit<Task, 'topic'>,
  names: readonly string[],
  { rounds, only }: { rounds: string; only?: string[] | undefined }
): Promise<Row[]> {
  const rows = names
    .filter((name) => only === undefined || only.some((part) => name.includes(part)))
    .map((name) => ({ name, runs: [] as Cost[] }))
  const shared = await bench.topic(workload, false)
  for (let round = 0; round < Number(rounds); round++)
    for (const { name, runs } of rows) {
      const topic = shared === '' ? await bench.topic(workload, true) : shared
      const task = { ...workload, topic }
      if (name in bench.contestants)
        runs.push(await costOf(process.execPath, [process.argv[1]!, '--run', name, '--task', JSON.stringify(task)]))
      else {
        const { brokers, messages, bytes, codec } = task
        const args = [yardstick, bench.verb, brokers, topic, String(messages), String(bytes), codec]
        runs.push(await costOf(await python(), args))
      }
    }
  return rows
}
