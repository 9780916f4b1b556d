// A write job over several threads, each with a file of its own: the groups of its topics, to which the first one holds links, or a file that is asked for beside the first.
import { rmSync } from 'node:fs'
import { basename } from 'node:path'
import { sayReport, type JobReport } from '../structure/report.js'
import { type Verdict } from '../structure/reasons.js'
import { type Shard } from '../structure/shards.js'
import { type Ready, type WriteJob } from './job.js'
import { type JobEnd, type JobProgress, type StopHow, type WriteSpec } from './protocol.js'

export class ShardedJob implements WriteJob {
  readonly ready: Promise<Ready>
  readonly done: Promise<JobEnd>
  readonly #jobs: WriteJob[] = []
  #stopped: { reason: string; how: StopHow } | undefined
  #abandoned: string | undefined

  readonly #shards: readonly Shard[]
  readonly #start: (spec: WriteSpec) => WriteJob
  readonly #areFiles: boolean
  /** All that is asked for, to be checked before anything is made. */
  readonly #whole: unknown

  /** `start` starts the thread of one shard. `whole`: what the shards were made of, when each is for a file of its own. */
  constructor(
    readonly spec: WriteSpec,
    shards: readonly Shard[],
    start: (spec: WriteSpec) => WriteJob,
    whole?: unknown
  ) {
    this.#areFiles = whole !== undefined
    this.#whole = whole ?? spec.structure
    this.#shards = shards
    this.#start = start

    this.#currentStop = spec.stopNs
    this.ready = this.#begin()
    this.ready.catch(() => undefined)
    this.done = this.#finish()
  }

  #currentStop: bigint | null

  get stopNs(): bigint | null {
    return this.#jobs[0]?.stopNs ?? this.#currentStop
  }

  get lastMessageMs(): number {
    return Math.max(0, ...this.#jobs.map((job) => job.lastMessageMs))
  }

  get progress(): JobProgress | null {
    const all = this.#jobs.flatMap(({ progress }) => progress ?? [])
    const [first] = all
    if (first === undefined) return null
    const sum = (
      key: 'messages' | 'bytes' | 'bad' | 'written' | 'file_bytes' | 'streams_with_data' | 'behind'
    ): number => all.reduce((total, progress) => total + progress[key], 0)
    return {
      phase: all.find(({ phase }) => phase !== 'closing')?.phase ?? 'closing',
      messages: sum('messages'),
      bytes: sum('bytes'),
      bad: sum('bad'),
      not_written: Object.entries(added(all.map(({ not_written: counts }) => Object.fromEntries(counts)))),
      verdict: worst(all.map(({ verdict }) => verdict)),
      written: sum('written'),
      file_bytes: sum('file_bytes'),
      streams_with_data: sum('streams_with_data'),
      behind: sum('behind'),
      behind_s: Math.max(...all.map(({ behind_s }) => behind_s)),
      streams: all.flatMap(({ streams }) => streams).slice(0, 100),
      topics: all.flatMap(({ topics }) => topics),
      details: all.flatMap(({ details = [] }) => details)
    }
  }

  setStop(stopNs: bigint | null): void {
    this.#currentStop = stopNs
    for (const job of this.#jobs) job.setStop(stopNs)
  }

  stopNow(reason: string, how: StopHow = 'now'): void {
    this.#stopped = { reason, how }
    for (const job of this.#jobs) job.stopNow(reason, how)
  }

  abandon(reason: string): void {
    this.#abandoned = reason
    for (const job of this.#jobs) job.abandon(reason)
  }

  /** The master first: it checks the whole structure, so that a refusal leaves nothing behind. */
  async #begin(): Promise<Ready> {
    const [own, ...others] = this.#shards
    if (own === undefined) throw new Error('a job has at least one shard')
    const { spec } = this
    const list = others.map(({ fileName, topics }) => `${topics.join(', ')}: in ${basename(fileName)}`)
    const moved = list.length > 0 && !this.#areFiles ? [`topics in files of their own: ${list.join('; ')}`] : []
    const notes = [...(spec.notes ?? []), ...moved]
    const structure = this.#areFiles ? spec.structure : own.structure
    const master = this.#open({ ...spec, structure, checkAlso: this.#whole, notes })
    const ready = await master.ready
    for (const [i, { structure, fileName }] of others.entries()) {
      if (this.#stopped?.how === 'abort' || this.#abandoned !== undefined) break
      const kind = this.#areFiles ? { structureAt: `${spec.structureAt}/more_files/${i}` } : { part: true }
      this.#open({ ...spec, ...kind, structure, fileName, templates: null, stopNs: this.#currentStop })
    }
    try {
      const all = await Promise.all(this.#jobs.map((job) => job.ready))
      const moreFiles = all.slice(1).map(({ file }) => file)
      const streams = all.reduce((sum, one) => sum + one.streams, 0)
      return { ...ready, streams, findings: this.#areFiles ? all.flatMap(({ findings }) => findings) : ready.findings, ...(this.#areFiles && { moreFiles }) } // prettier-ignore
    } catch (error) {
      this.abandon('a part of the job could not begin')
      for (const { done } of this.#jobs) {
        const { file, report } = await done
        // A short one may have ended by now; of an earlier attempt a whole file stays
        if (file.endsWith('.part') || (report !== null && (spec.attempt ?? 1) === 1)) rmSync(file, { force: true })
      }
      throw error
    }
  }

  #open(spec: WriteSpec): WriteJob {
    const job = this.#start(spec)
    this.#jobs.push(job)
    if (this.#stopped !== undefined) job.stopNow(this.#stopped.reason, this.#stopped.how)
    return job
  }

  async #finish(): Promise<JobEnd> {
    await this.ready.catch(() => undefined)
    const ends = await Promise.all(this.#jobs.map((job) => job.done))
    const [first] = ends
    if (first === undefined) throw new Error('no shard was started')
    const reports = ends.flatMap(({ report }) => report ?? [])
    const report = reports.length < ends.length ? null : merged(reports)
    const failed = ends.find(({ error }) => error)
    return {
      file: first.file,
      ...(this.#areFiles && { moreFiles: ends.slice(1).map(({ file }) => file) }),
      report,
      error: failed !== undefined,
      message: report === null || failed?.report === null ? (failed ?? first).message : sayReport(report)
    }
  }
}

const worst = (verdicts: readonly Verdict[]): Verdict =>
  (['lost', 'warnings'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'complete'

function added(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const one of counts) for (const [reason, n] of Object.entries(one)) sum[reason] = (sum[reason] ?? 0) + n
  return sum
}

function merged(reports: readonly JobReport[]): JobReport {
  const [first] = reports as readonly [JobReport]
  const sum = (key: 'messages' | 'written' | 'bytes'): number =>
    reports.reduce((total, report) => total + report[key], 0)
  return {
    ...first,
    messages: sum('messages'),
    written: sum('written'),
    bytes: sum('bytes'),
    streams: reports.flatMap(({ streams }) => streams),
    topics: reports.flatMap(({ topics }) => topics),
    without_data: reports.flatMap((report) => report.without_data),
    problems: reports.flatMap(({ problems }) => problems),
    notes: [...new Set(reports.flatMap(({ notes }) => notes))],
    verdict: worst(reports.map(({ verdict }) => verdict)),
    lost: reports.some(({ lost }) => lost),
    losses: added(reports.map(({ losses }) => losses)),
    warnings: added(reports.map(({ warnings }) => warnings))
  }
}
