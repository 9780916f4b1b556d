// Rounds of a campaign: a job, a fault at a random moment, the end of the job, and every number held against the ledger.
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Json } from '../filewriter/harness.js'
import { random } from '../support/random.js'
import { account, leftovers, type Account } from './account.js'
import { type Fault, type Round } from './fault.js'
import { Job } from './job.js'
import { World, WRITERS } from './world.js'

export interface Row extends Account {
  readonly fault: string
  /** The round can be done again by it: the same fault at the same moment. */
  readonly seed: number
  readonly detail: string
  /** How often something failed. */
  readonly events: number
  /** How often the job was begun; 0: its start was refused. */
  readonly attempts: number
  /** From the stop to the end, or to when waiting for it was given up. */
  readonly endedAfterMs: number
  readonly seconds: number
}

const MIX = 0x9e3779b1
/** The seed of one round of a campaign. */
export const seedOf = (seed: number, round: number): number =>
  (Math.imul(seed, MIX) + Math.imul(round, 0x85ebca6b)) >>> 0

export class Campaign {
  readonly #worlds = new Map<number, World>()
  #count = 0

  /** `keep`: files and words of rounds that went wrong are copied. */
  constructor(readonly keep = false) {}

  async round(fault: Fault, seed: number): Promise<Row> {
    const beganMs = performance.now()
    const world = await this.#world(fault.brokers)
    const below = random(seed)
    const lastsMs = 1500 + below(2500)
    const rest = { world, lastsMs, below, moved: (path: string) => path, isMoved: false, events: 1 }
    world.control.said.length = 0
    world.pvs.forget()
    await fault.prepare?.(rest)
    const job = new Job(world, `${++this.#count}-${fault.name}`, fault.folder)
    world.numbers.forgetBefore(job.startMs - 2000)
    const round: Round = Object.assign(rest, { job })
    let detail = ''
    const problems: string[] = []
    const harm = fault.run(round).then(
      (text) => void (detail = text),
      (error: unknown) => void problems.push(`the fault itself failed: ${(error as Error).message}`)
    )
    await job.start(below(2))
    await job.at(lastsMs)
    if (fault.stopsMeanwhile !== true) await harm
    const { end, endedAfterMs } = await this.#end(job, problems)
    await harm
    problems.push(...(await world.daemons.revive()))
    job.toldMs = Date.now()
    const counted = await account(world, job, end, (path) => round.moved(path))
    problems.push(...counted.problems)
    if (this.keep && problems.length > 0) problems.push(`kept in ${keep(world, job)}`)
    problems.push(...(await leftovers(world, job, round)), ...(await answers(world)))
    await fault.clear?.(world)
    // What may go on in it would be taken for that of the next round
    if (end['verdict'] === 'none') problems.push(...(await this.#leave(world)))
    return {
      ...{ fault: fault.name, seed, detail, events: round.events, attempts: attemptsOf(job), endedAfterMs },
      ...{ ...counted, problems, seconds: Math.round((performance.now() - beganMs) / 100) / 10 }
    }
  }

  /** Ends all; gives what was wrong with the ends of the daemons. */
  async close(): Promise<string[]> {
    const wrong: string[] = []
    for (const world of this.#worlds.values()) wrong.push(...(await world.end()))
    this.#worlds.clear()
    return wrong
  }

  async #leave(world: World): Promise<string[]> {
    this.#worlds.delete(world.brokers)
    return world.end()
  }

  async #world(brokers: 1 | 3): Promise<World> {
    const there = this.#worlds.get(brokers) ?? (await World.open(brokers))
    this.#worlds.set(brokers, there)
    return there
  }

  /** Stops the job when all that belongs to it is in Kafka, and waits for its end. */
  async #end(job: Job, problems: string[]): Promise<{ end: Json; endedAfterMs: number }> {
    const stopMs = job.moment()
    const world = this.#worlds.get(job.brokers)!
    await world.numbers.flush()
    await world.pvs.reached(stopMs).catch((error: unknown) => problems.push(`PVs: ${(error as Error).message}`))
    await job.stop(stopMs)
    const askedMs = performance.now()
    try {
      const end = await job.ended
      return { end, endedAfterMs: Math.round(performance.now() - askedMs) }
    } catch (error) {
      problems.push(`no end: ${(error as Error).message}`)
      return { end: { verdict: 'none', file_name: '' }, endedAfterMs: Math.round(performance.now() - askedMs) }
    }
  }
}

const attemptsOf = (job: Job): number => {
  const report = job.said.findLast(({ event }) => event === 'writing_done')?.['report'] as Json | null | undefined
  return (report?.['attempt'] as number | undefined) ?? (job.owner === undefined ? 0 : 1)
}

/** Copies everything that tells why a round went wrong. */
function keep(world: World, job: Job): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-kept-'))
  cpSync(world.files, folder, { recursive: true })
  writeFileSync(join(folder, 'said.json'), JSON.stringify(job.said, null, 2))
  const plain = (_: string, one: unknown): unknown => (typeof one === 'bigint' ? String(one) : one)
  const { startMs, stopMs, toldMs } = job
  const { arrived } = world.pvs
  writeFileSync(join(folder, 'ledger.json'), JSON.stringify({ startMs, stopMs, toldMs, arrived }, plain, 1))
  for (const name of [...WRITERS, 'forwarder']) writeFileSync(join(folder, `${name}.log`), world.daemons.words(name))
  return folder
}

/** Every daemon answers. */
async function answers(world: World): Promise<string[]> {
  const ask = (service: string): Promise<unknown> => world.control.send({ cmd: 'ping', service_id: service }, 180_000)
  const all = [...WRITERS, 'forwarder']
  const asked = await Promise.allSettled(all.map(ask))
  return all.flatMap((service, i) => (asked[i]?.status === 'rejected' ? [`${service} does not answer`] : []))
}
