// Holds the files of a job against the ledger: each number once in a file, or named as lost; nothing left without a word.
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Json } from '../filewriter/harness.js'
import { until } from '../support/forwarder/live.js'
import { examineNexus } from '../support/nexus.js'
import { type Round } from './fault.js'
import { type Job } from './job.js'
import { EVENTS, type Numbered } from './numbers.js'
import { CHANNELS } from './pvs.js'
import { type World } from './world.js'

export interface Account {
  /** Numbers and values that belong to the job. */
  readonly expected: number
  readonly inFile: number
  /** Missing in the file, and the end of the job says that data are. */
  readonly named: number
  /** Missing without a word, twice, or not of this job. */
  readonly unaccounted: number
  /** What else is wrong, in words. */
  readonly problems: readonly string[]
}

interface Held {
  readonly expected: number
  readonly inFile: number
  readonly missing: readonly string[]
  /** Twice, or of others. */
  readonly wrong: readonly string[]
}

interface Bounds {
  readonly must: readonly string[]
  readonly may: readonly string[]
}

/** What is held against the ledger, in this order. */
const DATASETS = [
  ...['entry/log/value', 'entry/detector/event_id', 'entry/detector/event_time_zero'],
  ...CHANNELS.map((_, i) => `entry/pv${i}/time`)
]
const PATHS = [
  ...['entry/log/value', 'entry/log/time', 'entry/detector/event_id', 'entry/detector/event_time_zero'],
  ...CHANNELS.flatMap((_, i) => [`entry/pv${i}/value`, `entry/pv${i}/time`])
]

/** Compares by how often each is there; `times` is how often. What is in `may` may be there so often, too. */
export function compare({ must, may }: Bounds, found: readonly string[], times = 1): Held {
  const counts = new Map<string, number>()
  for (const one of found) counts.set(one, (counts.get(one) ?? 0) + 1)
  const held = { expected: must.length, inFile: 0, missing: [] as string[], wrong: [] as string[] }
  for (const one of must) {
    const count = counts.get(one) ?? 0
    counts.delete(one)
    if (count === times) held.inFile++
    else if (count === 0) held.missing.push(one)
    else held.wrong.push(`${one} ${count} times`)
  }
  for (const one of may) if (counts.get(one) === times) counts.delete(one)
  held.wrong.push(...[...counts.keys()].map((one) => `${one} of others`))
  return held
}

const texts = (list: unknown): string[] => (Array.isArray(list) ? list.map(String) : [])

const nsOfMs = (ms: number): bigint => BigInt(ms) * 1_000_000n

/** What was written behind the stop time before the stop was said stays in the file; a PV may be less than a ms behind it. */
export function bounds<T>(
  { stopMs }: Pick<Job, 'stopMs'>,
  list: readonly T[],
  nsOf: (one: T) => bigint,
  sayOf: (one: T) => string
): Bounds {
  const stopNs = nsOfMs(stopMs)
  const within = (late: boolean): string[] => list.filter((one) => nsOf(one) > stopNs === late).map(sayOf)
  return { must: within(false), may: within(true) }
}

/** What of the ledger is in a file. */
function held(world: World, job: Job, content: Readonly<Record<string, unknown>>): Held[] {
  const { startMs, toldMs } = job
  const log = world.numbers.expected('values', startMs, toldMs)
  const pulses = world.numbers.expected('events', startMs, toldMs)
  const number = ({ n }: Numbered): string => String(n)
  const ns = ({ ms }: Numbered): bigint => nsOfMs(ms)
  const time = (one: Numbered): string => String(ns(one))
  return [
    compare(bounds(job, log, ns, number), texts(content['entry/log/value'])),
    compare(bounds(job, pulses, ns, number), texts(content['entry/detector/event_id']), EVENTS),
    compare(bounds(job, pulses, ns, time), texts(content['entry/detector/event_time_zero'])),
    ...CHANNELS.map((channel, i) => {
      const times = world.pvs.expected(channel, startMs, toldMs)
      return compare(
        bounds(job, times, (one) => one, String),
        texts(content[`entry/pv${i}/time`])
      )
    })
  ]
}

const sum = (list: readonly Held[]): Held => ({
  expected: list.reduce((all, { expected }) => all + expected, 0),
  inFile: list.reduce((all, { inFile }) => all + inFile, 0),
  missing: list.flatMap(({ missing }) => missing),
  wrong: list.flatMap(({ wrong }) => wrong)
})

/** For each dataset that is not as the ledger: its first numbers. */
const sayWhich = (list: readonly Held[]): string[] =>
  list.flatMap(({ missing, wrong }, i) => [
    ...(missing.length > 0 ? [`${DATASETS[i]}: ${missing.length} missing: ${missing.slice(0, 6).join(', ')}`] : []),
    ...(wrong.length > 0 ? [`${DATASETS[i]}: ${wrong.length} wrong: ${wrong.slice(0, 6).join(', ')}`] : [])
  ])

const streamsOf = (end: Json): Json[] => ((end['report'] as Json | null)?.['streams'] ?? []) as Json[]

/** Modules whose rows are numbered. */
const numbered = (module: unknown): boolean => module === 'f144' || module === 'ev44'

/** Alarms and connection states have no numbers to look for: what the report says of them is believed. */
const losesUnnumbered = (end: Json): boolean =>
  streamsOf(end).some(({ module, bad }) => !numbered(module) && Number((bad as Json)['not_in_file'] ?? 0) > 0)

/** Rows that the report claims of each stream, against those in the file. */
function claims(end: Json, content: Readonly<Record<string, unknown>>): string[] {
  const paths: Readonly<Record<string, string>> = {
    '/entry/log': 'entry/log/value',
    '/entry/detector': 'entry/detector/event_time_zero',
    ...Object.fromEntries(CHANNELS.map((_, i) => [`/entry/pv${i}`, `entry/pv${i}/value`]))
  }
  return streamsOf(end).flatMap(({ path, module, written }) => {
    const at = paths[`/${String(path).replace(/^\//, '')}`]
    if (at === undefined || !numbered(module)) return []
    const rows = texts(content[at]).length
    return rows === written ? [] : [`the report claims ${String(written)} of ${String(path)}, the file has ${rows}`]
  })
}

/** The content of the file that the end of the job names, and what is wrong with it. */
async function fileOf(
  end: Json,
  moved: (path: string) => string
): Promise<{ content: Json; problems: readonly string[] }> {
  const file = moved(String(end['file_name']))
  try {
    const { content, troubles } = await examineNexus(file, PATHS)
    const isWhole = end['verdict'] !== 'lost'
    return { content, problems: [...(isWhole ? troubles : []), ...claims(end, content)] }
  } catch (error) {
    return { content: {}, problems: [`its file cannot be read: ${(error as Error).message.slice(0, 300)}`] }
  }
}

/** `moved`: where a file is now whose folder was moved away. */
export async function account(world: World, job: Job, end: Json, moved: (path: string) => string): Promise<Account> {
  if (end['response'] === 'ERR') {
    const { expected } = sum(held(world, job, {}))
    return { expected, inFile: 0, named: expected, unaccounted: 0, problems: [] }
  }
  const { content, problems: found } = await fileOf(end, moved)
  const problems = [...found]
  const all = held(world, job, content)
  const { expected, inFile, missing, wrong } = sum(all)
  const isLost = end['error_encountered'] === true
  if (isLost && missing.length === 0 && !losesUnnumbered(end))
    problems.push(`said lost though nothing is: ${String(end['message'])}`)
  if (isLost !== (end['verdict'] === 'lost')) problems.push('verdict and error_encountered differ')
  const gaps = CHANNELS.map((channel) => world.pvs.gaps(channel).missing)
  const unsent = gaps.reduce((sum, n) => sum + n, 0)
  if (unsent > 0) problems.push(`${unsent} values of PVs did not reach Kafka, without a word`)
  const unaccounted = wrong.length + unsent + (isLost ? 0 : missing.length)
  if (unaccounted > 0) problems.push(...sayWhich(all))
  return { expected, inFile, named: isLost ? missing.length : 0, unaccounted, problems }
}

/** Looks at everything in the folder of files beside the named one, and clears it away. */
export async function leftovers(world: World, job: Job, round: Round): Promise<string[]> {
  const words = JSON.stringify(job.said)
  const problems: string[] = []
  for (const name of readdirSync(world.files, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const path = join(world.files, name)
    if (!/\.(nxs|part|lock)$/.test(name)) continue
    // The lock of a part file that is named lies beside it
    if (!words.includes(basename(name).replace(/\.lock$/, ''))) problems.push(`${name} is left without a word`)
    if (name.endsWith('.part')) problems.push(...(await partOf(world, job, path)))
    // Nobody can take away a lock that was moved away
    if (name.endsWith('.lock') && !round.isMoved) problems.push(...(await heldLock(path)))
    rmSync(path, { force: true })
  }
  return problems
}

/** What a killed writer left can be read, and has nothing twice or of others. */
async function partOf(world: World, job: Job, path: string): Promise<string[]> {
  // Of a writer that was killed in the moment in which it made it
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) return []
  try {
    const { content } = await examineNexus(path, PATHS)
    const { wrong } = sum(held(world, job, content))
    return wrong.length === 0 ? [] : [`${basename(path)} has ${wrong.length} wrong: ${wrong.slice(0, 6).join(', ')}`]
  } catch (error) {
    return [`${basename(path)} cannot be read: ${(error as Error).message.slice(-300)}`]
  }
}

/** After the end of a job nobody who lives may hold its lock for long. */
async function heldLock(path: string): Promise<string[]> {
  const holder = (): string | undefined => {
    if (!existsSync(path)) return undefined
    const [pid] = readFileSync(path, 'utf8').split('\n')
    return existsSync(`/proc/${pid}`) ? pid : undefined
  }
  try {
    await until(() => holder() === undefined)
    return []
  } catch {
    return [`${basename(path)} is held by process ${holder()}, which lives`]
  }
}
