// The jobs beside a random script: begun, stopped, waited for, and in the end accounted for.
import { entry, group } from '../filewriter/harness.js'
import { readNexus } from '../support/nexus.js'
import { WatchedJob } from '../support/watched-job.js'
import { Account, type PlacedJob } from './account.js'
import { type Broker } from './broker.js'
import { ns } from './messages.js'
import { BASE_MS, type TopicModel, isData, isReadable } from './model.js'

/** All before now; from before into the near future; until it is told to stop. */
export type WindowKind = 'past' | 'across' | 'live'
interface Window {
  readonly kind: WindowKind
  readonly startMs: number
  /** Length of one in the past. */
  readonly forMs: number
  readonly fetchBytes: number
}
type Say = (line: string) => void

const ACROSS_MS = 1500
const NEVER_NS = 2n ** 62n
const isLive = ({ stopNs }: PlacedJob): boolean => stopNs === NEVER_NS

export class Jobs {
  readonly #broker: Broker
  readonly #topics: readonly TopicModel[]
  readonly #jobs: PlacedJob[] = []

  constructor(broker: Broker, topics: readonly TopicModel[]) {
    this.#broker = broker
    this.#topics = topics
  }

  get count(): number {
    return this.#jobs.length
  }

  /** Resolves when it reads. */
  async begin({ kind, startMs, forMs, fetchBytes }: Window, say: Say): Promise<void> {
    const label = `job ${this.#jobs.length + 1}`
    const stopMs = { past: startMs + forMs, across: Date.now() + ACROSS_MS, live: null }[kind]
    const how = { past: `for ${forMs} ms`, across: `until ${ACROSS_MS} ms from now`, live: 'until it is stopped' }[kind]
    say(`${label}: from base + ${startMs - BASE_MS} ms, ${how}`)
    const groups = this.#topics.flatMap(({ label: name, name: topic }) => [
      group(`${name}_pv`, 'f144', topic, 'pv'),
      group(`${name}_det`, 'ev44', topic, 'det')
    ])
    const { client, parts, folder } = this.#broker
    // One reads by itself, the next has it read
    const fetching = this.#jobs.length % 2 === 1 ? this.#broker.fetching : undefined
    const endMs = kind === 'past' ? Date.now() : (stopMs ?? Infinity)
    const structure = entry(...groups)
    const job = WatchedJob.start(client, { parts, folder, structure, startMs, stopMs, fetchBytes, fetching })
    const stopNs = stopMs === null ? NEVER_NS : ns(stopMs)
    this.#jobs.push({ label, job, startNs: ns(startMs), stopNs, endMs, openAtEnd: new Set() })
    await job.reads
  }

  async stopOne(say: Say): Promise<void> {
    const placed = this.#jobs.find(isLive)
    if (placed === undefined) return this.sync(say)
    say(`stop ${placed.label}`)
    this.#stop(placed)
    await placed.job.done
  }

  #stop(placed: PlacedJob): void {
    placed.endMs = Date.now()
    placed.stopNs = ns(placed.endMs)
    placed.job.stop(placed.endMs)
  }

  /** Until each job that runs on has been handed all that it can get of its window. */
  async sync(say: Say): Promise<void> {
    const live = this.#jobs.filter(isLive)
    say(`wait until ${live.map(({ label }) => label).join(', ') || 'nobody'} has read all`)
    const all = this.#topics.flatMap(({ messages }) => messages)
    const readable = all.filter((message) => isData(message) && isReadable(message))
    for (const { job, startNs } of live) {
      const wanted = new Set(readable.filter(({ timeNs }) => timeNs >= startNs).map(({ value }) => value))
      let seen = 0
      await job.until('it had read all', (handed) => {
        for (; seen < handed.length; seen++) for (const value of handed[seen]!.values) wanted.delete(value)
        return wanted.size === 0
      })
    }
  }

  /** Ends all jobs; gives what is wrong. */
  async account(): Promise<string[]> {
    const faults: string[] = []
    for (const placed of this.#jobs) faults.push(...(await this.#accountFor(placed)))
    return faults
  }

  async #accountFor(placed: PlacedJob): Promise<string[]> {
    const { job, label } = placed
    if (isLive(placed)) this.#stop(placed)
    for (const topic of this.#topics) if (topic.hasOpen || topic.openUntilMs > placed.endMs) placed.openAtEnd.add(topic)
    const end = await job.done
    if (end.report === null) return [`${label}: no report: ${end.message}`]
    const account = new Account(placed, end.report)
    const paths = this.#topics.flatMap(({ label: name }) => [`entry/${name}_pv/value`, `entry/${name}_det/event_id`])
    const content = await readNexus(end.file, paths)
    let written = 0
    for (const topic of this.#topics) {
      const list = (path: string): number[] => (content[`entry/${topic.label}_${path}`] ?? []) as number[]
      const [logs, events] = [list('pv/value'), list('det/event_id')]
      account.check(topic, { logs, events })
      written += logs.length + events.length
    }
    account.checkReport(written)
    return account.faults.map((fault) => `${label}: ${fault}; report: ${end.message}`)
  }

  /** Those that are left after a fault end, too. */
  async close(): Promise<void> {
    for (const placed of this.#jobs) if (isLive(placed)) this.#stop(placed)
    await Promise.allSettled(this.#jobs.map(({ job }) => job.done))
  }
}
