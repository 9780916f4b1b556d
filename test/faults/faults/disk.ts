// Faults of the disk: full, read-only, slow, gone. A disk of its own is a tmpfs, which takes the rights of root.
import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Fault, moment } from '../fault.js'
import { type World, WRITERS } from '../world.js'

const FOLDER = 'disk/'
const diskOf = (world: World): string => join(world.files, FOLDER)
const awayOf = (world: World): string => join(world.files, 'away/')
const system = (...command: string[]): boolean => spawnSync(command[0] ?? '', command.slice(1)).status === 0

function mount(disk: string, options: string): Promise<void> {
  mkdirSync(disk)
  if (!system('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', disk)) throw new Error(`no disk at ${disk}`)
  return Promise.resolve()
}

function unmount(world: World): Promise<void> {
  system('umount', diskOf(world))
  rmSync(diskOf(world), { recursive: true })
  return Promise.resolve()
}

const mayMount = (): Promise<string | undefined> =>
  Promise.resolve(process.getuid?.() === 0 ? undefined : 'mounting a disk takes the rights of root')

const slow = fileURLToPath(new URL('../../../bench/support/slow-disk.js', import.meta.url))

async function restartAll(world: World, env: Readonly<Record<string, string>>): Promise<void> {
  await Promise.all(WRITERS.map((name) => world.daemons.stop(name)))
  await Promise.all(WRITERS.map((name) => world.daemons.start(name, env)))
}

export const diskFaults: readonly Fault[] = [
  {
    name: 'disk-full',
    what: 'something else fills the disk up to its last 0 to 64 KB while the job writes',
    brokers: 1,
    folder: FOLDER,
    impossible: mayMount,
    prepare: ({ world }) => mount(diskOf(world), 'size=8m'),
    run: async (round) => {
      const { world, job, below } = round
      const [ms, left] = [moment(round), below(65_536)]
      await job.at(ms)
      await job.begun()
      const { bavail, bsize } = statfsSync(diskOf(world))
      writeFileSync(join(diskOf(world), 'other'), Buffer.alloc(Math.max(0, bavail * bsize - left)))
      return `${left} bytes left ${ms} ms after the start`
    },
    clear: unmount
  },
  {
    name: 'disk-read-only',
    what: 'the disk is read-only when the job starts',
    brokers: 1,
    folder: FOLDER,
    impossible: mayMount,
    prepare: ({ world }) => mount(diskOf(world), 'size=8m,ro'),
    run: () => Promise.resolve('read-only from before the start'),
    clear: unmount
  },
  {
    name: 'disk-slow',
    what: 'the disk takes 0.05 to 1 MB/s',
    brokers: 1,
    prepare: ({ world, below }) =>
      restartAll(world, { NODE_OPTIONS: `--import=${slow}`, SLOW_DISK_MB_S: String((5 + below(96)) / 100) }),
    run: () => Promise.resolve('slow from before the start'),
    clear: (world) => restartAll(world, {})
  },
  {
    name: 'disk-gone',
    what: 'the folder of the file is moved away while the job writes',
    brokers: 1,
    folder: FOLDER,
    prepare: ({ world }) => Promise.resolve(mkdirSync(diskOf(world))),
    run: async (round) => {
      const { world, job } = round
      const ms = moment(round)
      await job.at(ms)
      await job.begun()
      renameSync(diskOf(world), awayOf(world))
      round.isMoved = true
      round.moved = (path) => path.replace(diskOf(world), awayOf(world))
      return `gone ${ms} ms after the start`
    },
    clear: (world) => {
      for (const folder of [diskOf(world), awayOf(world)]) rmSync(folder, { recursive: true, force: true })
      return Promise.resolve()
    }
  }
]
