// What a daemon costs that has nothing to do: CPU, wake-ups and memory, with all services or with those that are named.
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startKafka, testTopics } from '../test/support/kafka.js'
import { startDaemonProcess } from '../test/support/forwarder/process.js'
import { cpuSeconds, memory } from './forwarder/usage.js'
import { conditions } from './support/report.js'

const all = ['filewriter', 'simulator', 'histogram', 'event_formation']
const help = `node dist/bench/idle.js [options]   (after npm run build; Linux)

A daemon with the forwarder and other services, joined to a pool of file writers, that nobody commands. Printed per thread:
CPU in percent of a core, and how often it woke up per second. Goal: less than 0.3 % of a core and 110 MB.

  --services A,B  beside the forwarder (default ${all.join(',')})
  --seconds N     how long it is watched (default 30)
  --settle N      how long it is left alone before (default 15)
  --help
`
const { values: options } = parseArgs({
  options: {
    services: { type: 'string', default: all.join(',') },
    seconds: { type: 'string', default: '30' },
    settle: { type: 'string', default: '15' },
    help: { type: 'boolean', default: false }
  }
})

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1000 * seconds))

interface Thread {
  readonly name: string
  /** ns on a core so far. */
  readonly ranNs: number
  readonly wakeUps: number
}

function threadsOf(pid: number): ReadonlyMap<string, Thread> {
  const threads = readdirSync(`/proc/${pid}/task`).map((id): [string, Thread] => {
    const of = (file: string): string => readFileSync(`/proc/${pid}/task/${id}/${file}`, 'utf8')
    const [ran] = of('schedstat').split(' ')
    const wakeUps = Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(of('status'))?.[1])
    return [id, { name: of('comm').trim(), ranNs: Number(ran), wakeUps }]
  })
  return new Map(threads)
}

async function idle(brokers: readonly string[]): Promise<void> {
  const [seconds, settle] = [Number(options.seconds), Number(options.settle)]
  const folder = await mkdtemp(join(tmpdir(), 'nexstream-idle-'))
  const topics = await testTopics(['commands', 'status', 'jobs'], { brokers })
  const names = options.services.split(',').filter(Boolean)
  const services: Record<string, object> = { forwarder: {} }
  for (const name of names) services[name] = name === 'filewriter' ? { folder } : {}
  const daemon = await startDaemonProcess(brokers, [], {
    topics,
    config: {
      commands: {
        listen: [
          { topic: topics.commands, dialects: ['json'] },
          { topic: topics.jobs, dialects: ['json'], group: topics.jobs }
        ]
      },
      services,
      reporters: { json: true, x5f2: true, prometheus: { port: 0 } }
    }
  })
  try {
    await pause(settle)
    const [before, cpu] = [threadsOf(daemon.pid), cpuSeconds(daemon.pid)]
    await pause(seconds)
    const after = threadsOf(daemon.pid)
    const percent = (100 * (cpuSeconds(daemon.pid) - cpu)) / seconds
    console.log(conditions())
    for (const [id, { name, ranNs, wakeUps }] of after) {
      const { ranNs: ranBefore = 0, wakeUps: before_ = 0 } = before.get(id) ?? {}
      const share = (ranNs - ranBefore) / 1e7 / seconds
      if (share < 0.001 && wakeUps === before_) continue
      console.log(
        `${name.padEnd(16)} ${share.toFixed(3).padStart(7)} %  ${((wakeUps - before_) / seconds).toFixed(1).padStart(7)} wake-ups/s`
      )
    }
    const { rssMb, peakMb } = memory(daemon.pid)
    console.log(
      `all              ${percent.toFixed(3).padStart(7)} % (goal 0.3), ${rssMb} MB (goal 110; at its highest ${peakMb}), ${names.length + 1} services`
    )
  } finally {
    await daemon.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

if (options.help) process.stdout.write(help)
else {
  const kafka = await startKafka()
  try {
    await idle(kafka.brokers)
  } finally {
    await kafka.stop()
  }
}
