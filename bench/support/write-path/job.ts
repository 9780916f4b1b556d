// One write job as the daemon runs it, in a thread of this process: prints what it cost as JSON.
// node dist/bench/support/write-path/job.js TASK.json FILE [OPTIONS.json] [warm|rehearsed]; warm: the thread has done the same job before
import { readFileSync, rmSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { loadConfig } from '../../../core/config.js'
import { loadConfigured } from '../../../core/loader.js'
import { startThread, threadConfigOf } from '../../../core/thread.js'
import { type WriteJob } from '../../../plugins/service-filewriter/thread/job.js'
import { type WriteOptions, type WriteSpec } from '../../../plugins/service-filewriter/thread/protocol.js'
import { WriteThreads } from '../../../plugins/service-filewriter/thread/threads.js'
import { stopwatch } from '../report.js'
import { structureOf, type Task } from './workloads.js'

const [, , taskFile = '', file = '', changes = '{}', before = ''] = process.argv
const task = JSON.parse(readFileSync(taskFile, 'utf8')) as Task

/** The defaults of the service, with progress told more often so that the first value is seen. */
const options: WriteOptions = {
  beforeStartMs: 10_000,
  lateDataMs: 5000,
  checkpointMs: 2000,
  progressMs: 250,
  lookBackMs: null,
  lookBackBytes: 2 ** 32,
  lookFurtherBytes: 2 ** 36,
  seekByTime: true,
  onMissingTopic: 'fail',
  fetchBytes: 8 << 20,
  memoryBytes: 64 << 20,
  reportInFile: true,
  readOnly: true,
  sha256: false,
  compression: null,
  ...(JSON.parse(changes) as Partial<WriteOptions>)
}

const structure = JSON.stringify(structureOf(task))
// What the daemon has done long before a job starts
const loaded = loadConfig({ flags: { 'kafka.brokers': JSON.stringify(task.brokers), 'commands.topic': 'bench' } })
const config = threadConfigOf(loaded, await loadConfigured(loaded), ['converter', 'writer'])
const threads = new WriteThreads((entry) => startThread(config, entry))
const loading = stopwatch()
await threads.prepare()
const { cpu: load } = loading(1)

function startJob(jobId: string, path: string): WriteJob {
  const spec: WriteSpec = {
    jobId,
    structure,
    structureAt: '',
    leniency: 'strict',
    folder: dirname(path),
    fileName: basename(path),
    startNs: BigInt(task.startMs) * 1_000_000n,
    stopNs: BigInt(task.stopMs) * 1_000_000n,
    run: { runName: '', instrumentName: '', periods: null, detectorSpectrumMap: null },
    options
  }
  return threads.start(spec, (level, message) => console.error(level, message))
}

async function written({ done }: WriteJob): Promise<void> {
  const { report, message } = await done
  if (report === null || report.lost || report.written !== task.messages || report.problems.length > 0)
    throw new Error(`the job wrote ${report?.written} of ${task.messages} messages: ${message}`)
}

if (before === 'warm') {
  await written(startJob('before', `${file}.before`))
  rmSync(`${file}.before`)
}
let rehearsal = 0
if (before === 'rehearsed') {
  const rehearsing = stopwatch()
  if ((await threads.rehearse(Infinity)) === 0) throw new Error('the rehearsal failed')
  rehearsal = rehearsing(1).cpu
}
const stop = stopwatch()
const start = performance.now()
const job = startJob('bench', file)
let firstValue = NaN
const sizes: number[] = []
const watch = setInterval(() => {
  sizes.push(process.memoryUsage.rss())
  if (Number.isNaN(firstValue) && (job.progress?.written ?? 0) > 0) firstValue = (performance.now() - start) / 1000
}, 20)
await job.ready
const ready = (performance.now() - start) / 1000
await written(job)
clearInterval(watch)
const cost = stop(task.units)
await threads.close()
const quarters = [0, 1, 2, 3].map((k) =>
  Math.max(...sizes.slice(Math.floor((k * sizes.length) / 4), Math.floor(((k + 1) * sizes.length) / 4)))
)
console.log(JSON.stringify({ ...cost, load, rehearsal, ready, firstValue, quarters }))
