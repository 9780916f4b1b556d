// What does a write job cost, from Kafka to the closed file? Yardsticks: the raw pair (Fetch + plain writes) and h5py.
// All run on the same messages in the same Kafka, each in a process of its own, interleaved; see --help.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startKafka } from '../test/support/kafka.js'
import { python, runPython } from '../test/support/python.js'
import { conditions, type Cost, costOf, median, type Row, table } from './support/report.js'
import { plot, type Panel } from './support/write-path/plot.js'
import { preload } from './support/write-path/preload.js'
import { messageSize, sourceCount, type Task, type Workload, workloads } from './support/write-path/workloads.js'

const help = `node dist/bench/write-path.js [--workload NAME …] [--size N] [--rounds 3] [--folder DIR …] [--json FILE]
node dist/bench/write-path.js --curves FILE.svg [--most-gb 1] [--json FILE]

CPU seconds of all threads, messages preloaded in a real Kafka, page cache warm. A job begins in a thread that the daemon has loaded before. Workloads and the meaning of --size:
  events-1p     GB of ev44 in 1 MB messages, one partition (1)
  events-4t     the same over 4 topics (1)
  lz4-4t        the same, compressed in Kafka (1)
  zstd-4t       the same by zstd (1)
  small-logs    values per source, 1,000 sources on one topic (1000)
  many-sources  values per source, 5,000 sources, structure of 5,000 groups (200)
  small-events  messages of 1,000 events (100000)
  slow-disk     GB of backlog (2), each write as slow as on a disk of --disk-mb-s (100)
--workload   may be given several times; default: all
--rounds     repeats of each contestant, interleaved
--folder     where files are written; may be given several times; default: /dev/shm and the temporary folder
--option     an option of the job as KEY=JSON, e.g. fetchBytes=4194304; may be given several times
--no-h5py    without the yardsticks in Python
--curves     cost against file size, number of PVs and message size, as a picture
--json       also write all figures there`

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const jobProgram = here('support/write-path/job.js')
const rawProgram = here('support/write-path/raw.js')
const slowDisk = new URL('support/slow-disk.js', import.meta.url).href
const h5pyScript = here('../../test/support/python/hdf5/write_path.py')
/** h5py one by one takes minutes for a million log values. */
const MOST_APPENDS = 5000
const scales = { GB: 1, value: 1e6, message: 1e6 }
const words = { GB: 's of CPU per GB', value: 'µs of CPU per value', message: 'µs of CPU per message' }

const { values } = parseArgs({
  allowNegative: true,
  options: {
    workload: { type: 'string', multiple: true },
    size: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', multiple: true },
    option: { type: 'string', multiple: true, default: [] },
    'disk-mb-s': { type: 'string', default: '100' },
    h5py: { type: 'boolean', default: true },
    curves: { type: 'string' },
    'most-gb': { type: 'string', default: '1' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h' }
  }
})

interface JobCost extends Cost {
  /** Seconds until the structure stands and until the first value is written. */
  /** CPU seconds of loading the code into the thread, before the job; not in `cpu`. */
  readonly load?: number
  /** CPU seconds of a rehearsal; not in `cpu`, either. */
  readonly rehearsal?: number
  readonly ready?: number
  readonly firstValue?: number
  /** Largest resident size in each quarter of the job, bytes. */
  readonly quarters?: readonly number[]
}
interface JobRow extends Row {
  readonly runs: readonly JobCost[]
}
type Way = (task: string, file: string) => Promise<JobCost>

const jobOptions = (): string =>
  JSON.stringify(
    Object.fromEntries(values.option.map((text) => [text.split('=', 1)[0], JSON.parse(text.replace(/^[^=]*=/, ''))]))
  )
const job: Way = (task, file) => costOf(process.execPath, [jobProgram, task, file, jobOptions()])
const warmJob: Way = (task, file) => costOf(process.execPath, [jobProgram, task, file, jobOptions(), 'warm'])
const rehearsedJob: Way = (task, file) => costOf(process.execPath, [jobProgram, task, file, jobOptions(), 'rehearsed'])
const raw: Way = (task, file) => costOf(process.execPath, [rawProgram, task, file])
const rawChecked: Way = (task, file) => costOf(process.execPath, [rawProgram, task, file, 'crc'])
const h5py =
  (what: string, most: number): Way =>
  async (task, file) =>
    costOf(await python(), [h5pyScript, what, task, file, String(most)])
const throttled: Way = (task, file) =>
  costOf(process.execPath, ['--import', slowDisk, jobProgram, task, file, jobOptions()], {
    SLOW_DISK_MB_S: values['disk-mb-s']
  })

function waysOf(workload: Workload): Record<string, Way> {
  if (workload.name === 'slow-disk') return { 'nexstream, slow disk': throttled, 'nexstream, this disk': job }
  const most = workload.kind === 'logs' ? MOST_APPENDS : Number.MAX_SAFE_INTEGER
  const py = { 'h5py, batched': h5py('batch', most * 20), 'h5py, a message at a time': h5py('append', most) }
  return {
    'raw Fetch + raw writes': raw,
    'the same, checksums checked': rawChecked,
    nexstream: job,
    'nexstream, rehearsed': rehearsedJob,
    'nexstream, not its first job': warmJob,
    ...(values.h5py ? py : {})
  }
}

/** The same content, whoever wrote it. */
async function sameContent(task: string, files: readonly string[]): Promise<void> {
  const found = await Promise.all(files.map((file) => runPython(h5pyScript, ['check', task, file])))
  if (new Set(found).size !== 1) throw new Error(`the files differ: ${found.join(' ')}`)
}

async function measure(
  task: Task,
  ways: Readonly<Record<string, Way>>,
  rounds: number,
  parent: string
): Promise<JobRow[]> {
  const rows = Object.keys(ways).map((name) => ({ name, runs: [] as JobCost[] }))
  for (let round = 0; round < rounds; round++) {
    const folder = mkdtempSync(join(parent, 'nexstream-bench-'))
    try {
      const taskFile = join(folder, 'task.json')
      writeFileSync(taskFile, JSON.stringify(task))
      for (const { name, runs } of rows) {
        const file = join(folder, `${name.replace(/\W/g, '')}.nxs`)
        const cost = await ways[name]?.(taskFile, file)
        if (cost !== undefined) runs.push(cost)
        // Every one has the whole disk; two are kept for a look at their content
        const compared = round === 0 && ['nexstream', 'h5py, batched'].includes(name) && task.bytes < 4e9
        if (!compared) rmSync(file, { force: true })
      }
      const files = ['nexstream', 'h5pybatched'].map((name) => join(folder, `${name}.nxs`))
      if (files.every((file) => existsSync(file)) && rows.every(({ runs }) => runs[0]?.units !== 0)) {
        const whole = rows.find(({ name }) => name === 'h5py, batched')?.runs[0]?.units === task.units
        if (whole) await sameContent(taskFile, files)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return rows
}

function say(workload: Workload, rows: readonly JobRow[]): void {
  console.log(`\n${table(`${workload.title}; ${words[workload.unit]}`, rows, scales[workload.unit])}`)
  for (const { name, runs } of rows) {
    const figure = (key: 'load' | 'rehearsal' | 'ready' | 'firstValue'): string =>
      median(runs.map((run) => run[key] ?? NaN)).toFixed(2)
    if (name.startsWith('nexstream'))
      console.log(
        `\n${name}: structure ready after ${figure('ready')} s, first value seen after ${figure('firstValue')} s; the thread was loaded before, for ${figure('load')} s of CPU, and rehearsed for ${figure('rehearsal')} s`
      )
    const quarters = runs[0]?.quarters
    if (quarters)
      console.log(`${name}: peak MB in each quarter: ${quarters.map((n) => Math.round(n / 1e6)).join(', ')}`)
  }
}

type Results = { place: string; workload: Workload; rows: readonly Row[] }[]

async function tables(brokers: readonly string[], names: readonly string[], places: readonly string[]) {
  const results: Results = []
  for (const name of names) {
    const workload = workloads[name]?.(values.size === undefined ? undefined : Number(values.size))
    if (workload === undefined) throw new Error(`no workload ${name}; see --help`)
    const task = await preload(workload, brokers)
    for (const place of places) {
      console.log(`\n### ${name}, files in ${place}`)
      const rows = await measure(task, waysOf(workload), Number(values.rounds), place)
      say(workload, rows)
      results.push({ place, workload, rows })
    }
  }
  return results
}

/** Cost of the job against one thing that grows. */
async function curve(
  brokers: readonly string[],
  place: string,
  panel: Omit<Panel, 'lines'>,
  points: readonly (readonly [x: number, Workload])[],
  results: Results
): Promise<Panel> {
  const lines = new Map<string, [number, number][]>()
  for (const [x, workload] of points) {
    const task = await preload(workload, brokers)
    const ways = { 'raw pair': raw, nexstream: job }
    const rows = await measure(task, ways, Number(values.rounds), place)
    say(workload, rows)
    results.push({ place, workload, rows })
    for (const { name, runs } of rows) {
      const y = median(runs.map(({ cpu, units }) => (cpu / units) * scales[workload.unit]))
      lines.set(name, [...(lines.get(name) ?? []), [x, y]])
    }
  }
  return { ...panel, lines: [...lines].map(([name, list]) => ({ name, points: list })) }
}

async function curves(brokers: readonly string[], place: string, svg: string): Promise<Results> {
  const results: Results = []
  const most = Number(values['most-gb'])
  const sizes = [0.25, 1, 4, 10, 20].filter((gb) => gb <= most)
  const gb = (n: number): Workload => messageSize(1_000_000, n)
  const panels = [
    await curve(brokers, place, { title: 'File size', x: 'GB of 1 MB messages', y: 'CPU s per GB' }, sizes.map((n) => [n, gb(n)]), results), // prettier-ignore
    await curve(brokers, place, { title: 'Number of PVs', x: 'sources, 500,000 values together', y: 'CPU µs per value' }, [10, 100, 1000, 10_000].map((n) => [n, sourceCount(n, 500_000)]), results), // prettier-ignore
    await curve(brokers, place, { title: 'Message size', x: 'bytes per message', y: 'CPU s per GB' }, [[1000, 0.1], [10_000, 0.5], [100_000, 1], [1_000_000, 1], [10_000_000, 1]].map(([bytes = 0, n = 0]) => [bytes, messageSize(bytes, n)]), results) // prettier-ignore
  ]
  writeFileSync(svg, plot(panels, `bench/write-path.ts, ${conditions()}`))
  return results
}

async function main(): Promise<void> {
  const places = values.folder ?? ['/dev/shm', tmpdir()].filter((folder) => existsSync(folder))
  console.log(conditions())
  const kafka = await startKafka({ own: true })
  try {
    const results =
      values.curves === undefined
        ? await tables(kafka.brokers, values.workload ?? Object.keys(workloads), places)
        : await curves(kafka.brokers, places[0] ?? tmpdir(), values.curves)
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify({ conditions: conditions(), results }, null, 1)}\n`)
  } finally {
    await kafka.stop()
  }
}

if (values.help) console.log(help)
else await main()
