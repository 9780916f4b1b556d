// Faults of the daemons: killed at any moment, frozen, short of memory.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Fault, moment, pause, type Round } from '../fault.js'
import { type Job } from '../job.js'
import { WRITERS } from '../world.js'

/** Resolves when the files are as `seen` says, or the job has ended. */
async function files({ world, job }: Round, seen: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (!seen()) return
      watcher.close()
      resolve()
    }
    const watcher = watch(world.files, look)
    void job.ended.catch(() => undefined).then(() => (watcher.close(), resolve()))
    look()
  })
}

/** The daemon that runs and whose lock lies beside a part file of the job, of whichever attempt; undefined: none. */
function holder({ world: { files, daemons }, job }: Round): string | undefined {
  const pids = new Set<number>()
  for (const name of readdirSync(files)) {
    if (!name.startsWith(`${job.fileName}.`) || !name.endsWith('.part.lock')) continue
    const path = join(files, name)
    if (existsSync(path)) pids.add(Number(readFileSync(path, 'utf8').split('\n')[0]))
  }
  return WRITERS.find((name) => daemons.isUp(name) && pids.has(daemons.pid(name)))
}

const anyone = ({ below, world }: Round): string => {
  const up = WRITERS.filter((name) => world.daemons.isUp(name))
  const from = up.length > 0 ? up : WRITERS
  return from[below(from.length)]!
}

const ended = ({ ended }: Job): Promise<void> => ended.then(() => undefined, () => undefined) // prettier-ignore

/** Moments that a random time would seldom meet. */
const moments: Readonly<Record<string, (round: Round) => Promise<void>>> = {
  'when its part file is there': (round) =>
    files(round, () => existsSync(join(round.world.files, `${round.job.fileName}.part`))),
  'when its file has got its name': (round) =>
    files(round, () => existsSync(join(round.world.files, round.job.fileName))),
  'when its end is told': ({ job }) => ended(job)
}

async function killAt(round: Round, when: string): Promise<string> {
  const { world, job, below } = round
  const victim = holder(round) ?? job.owner ?? anyone(round)
  await world.daemons.kill9(victim)
  const away = below(3000)
  await pause(away)
  await world.daemons.start(victim)
  return `${victim} killed ${when}, started again after ${away} ms`
}

export const daemonFaults: readonly Fault[] = [
  {
    name: 'kill',
    what: 'a writer of the pool is killed (SIGKILL) at any moment from the start command to after the end, and started again',
    brokers: 1,
    stopsMeanwhile: true,
    run: async (round) => {
      const names = Object.keys(moments)
      const kind = round.below(10)
      const name = names[kind]
      if (name !== undefined) {
        await moments[name]!(round)
        return killAt(round, name)
      }
      const ms = round.below(round.lastsMs + 1500)
      await round.job.at(ms)
      return killAt(round, `${ms} ms after the start`)
    }
  },
  {
    name: 'kill-again',
    what: 'the writer that has the job is killed (SIGKILL) 3 to 6 times, each time the next one; they are started again meanwhile',
    brokers: 1,
    stopsMeanwhile: true,
    run: killedAgain
  },
  {
    name: 'kill-all',
    what: 'all writers of the pool are killed while they write, and started again',
    brokers: 1,
    stopsMeanwhile: true,
    run: async (round) => {
      const ms = moment(round)
      await round.job.at(ms)
      await Promise.all(WRITERS.map((name) => round.world.daemons.kill9(name)))
      await pause(round.below(5000))
      await Promise.all(WRITERS.map((name) => round.world.daemons.start(name)))
      round.events = WRITERS.length
      return `all killed ${ms} ms after the start`
    }
  },
  {
    name: 'suspend',
    what: 'the daemon that writes is stopped (SIGSTOP) for 60 s, as a machine that sleeps, and goes on',
    brokers: 1,
    stopsMeanwhile: true,
    run: (round) => suspended(round, 60_000)
  },
  {
    name: 'suspend-short',
    what: 'the daemon that writes is stopped (SIGSTOP) for up to 8 s',
    brokers: 1,
    stopsMeanwhile: true,
    run: (round) => suspended(round, 500 + round.below(7500))
  },
  {
    name: 'memory',
    what: 'the daemon that writes may have 4 to 36 MB more memory than it has (control group); the kernel kills it when that is too little',
    brokers: 1,
    stopsMeanwhile: true,
    impossible: () => Promise.resolve(existsSync(limits()) ? undefined : 'no control group for memory'),
    run: shortOfMemory
  }
]

/** Each time at a random moment, or a little after another one has begun to write. */
async function killedAgain(round: Round): Promise<string> {
  const { world, job, below } = round
  const { daemons } = world
  const begun: Promise<void>[] = []
  const said: string[] = []
  let over = false
  void ended(job).then(() => (over = true))
  round.events = 3 + below(4)
  for (let i = 0; i < round.events; i++) {
    const [kind, ms, awayMs] = [below(3), below(2500), below(2000)]
    while (kind > 0 && !over && holder(round) === undefined) await pause(50)
    await pause(ms)
    while (!WRITERS.some((name) => daemons.isUp(name))) await pause(50)
    const victim = holder(round) ?? anyone(round)
    await daemons.kill9(victim)
    said.push(victim)
    begun.push(pause(awayMs).then(() => daemons.start(victim)))
  }
  await Promise.all(begun)
  return `${said.join(', ')} killed`
}

async function suspended(round: Round, forMs: number): Promise<string> {
  const { world, job } = round
  const ms = moment(round)
  await job.at(ms)
  const victim = job.owner ?? anyone(round)
  world.daemons.freeze(victim)
  await pause(forMs)
  world.daemons.thaw(victim)
  return `${victim} suspended ${ms} ms after the start for ${forMs} ms`
}

const isFirstVersion = (): boolean => existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes')
const limits = (): string =>
  isFirstVersion() ? '/sys/fs/cgroup/memory/memory.limit_in_bytes' : '/sys/fs/cgroup/cgroup.procs'

async function shortOfMemory(round: Round): Promise<string> {
  const { world, job, below } = round
  const victim = (await job.begun()) ?? anyone(round)
  const group = join(isFirstVersion() ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup', `nexstream-${job.id}`)
  mkdirSync(group)
  const more = 4 + below(33)
  writeFileSync(join(group, isFirstVersion() ? 'memory.limit_in_bytes' : 'memory.max'), String(more * 2 ** 20))
  world.daemons.expectEnd(victim)
  writeFileSync(join(group, 'cgroup.procs'), String(world.daemons.pid(victim)))
  const killed = world.daemons.ended(victim).then(() => true)
  const survived = await Promise.race([killed.then(() => false), job.ended.then(() => true, () => true)]) // prettier-ignore
  if (survived) await world.daemons.kill9(victim)
  await world.daemons.start(victim)
  rmdirSync(group)
  return `${victim} had ${more} MB more: ${survived ? 'enough' : 'killed by the kernel'}`
}
