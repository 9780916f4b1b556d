// One writer per file: a lock file beside it that names the writing process.
import { closeSync, linkSync, openSync, readFileSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { CodedError } from '../../../core/api/plugin.js'

interface Owner {
  readonly pid: number
  readonly host: string
  /** Start time of the process in clock ticks after boot: tells a reused pid from the old owner. */
  readonly started: string
}

const text = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** Empty where /proc is missing: then the pid alone decides. */
function startOf(pid: number): string {
  const stat = text(`/proc/${pid}/stat`)
  // the command name may hold spaces and brackets: fields count from the last ')'
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function alive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return owner.started === startOf(owner.pid)
}

function ownerOf(lock: string): Owner | undefined {
  const content = text(lock)
  if (content === undefined) return undefined
  const [pid, host, started] = content.split('\n')
  return { pid: Number(pid), host: host ?? '', started: started ?? '' }
}

/**
 * Takes the lock of a file; a lock left by a dead process of this machine is replaced.
 * @returns the release function
 * @throws CodedError HDF5_LOCKED naming the owner
 */
export function lockFile(path: string): () => void {
  const lock = `${path}.lock`
  const own = `${lock}.${process.pid}.${Math.random().toString(36).slice(2)}`
  const fd = openSync(own, 'wx')
  writeSync(fd, `${process.pid}\n${hostname()}\n${startOf(process.pid)}\n`)
  closeSync(fd)
  try {
    // link() is atomic and refuses to replace, so the lock never exists half written
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        linkSync(own, lock)
        return () => {
          rmSync(lock, { force: true })
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const owner = ownerOf(lock)
      if (owner && alive(owner))
        throw new CodedError(
          'HDF5_LOCKED',
          `${path} is being written by process ${owner.pid} on ${owner.host} (${lock})`
        )
      if (owner) removeStale(lock, own)
    }
    throw new CodedError('HDF5_LOCKED', `${path}: other processes are taking ${lock}`)
  } finally {
    unlinkSync(own)
  }
}

/** Moved away first: of two processes that see the same stale lock only one gets it. */
function removeStale(lock: string, own: string): void {
  const aside = `${own}.stale`
  try {
    renameSync(lock, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = ownerOf(aside)
  // A third process was quicker and its fresh lock was moved: put it back
  if (moved && alive(moved)) linkSync(aside, lock)
  unlinkSync(aside)
}
