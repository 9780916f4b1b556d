// One writer per file: a lock file beside it that names the writing process.
import { createHash } from 'node:crypto'
import { closeSync, linkSync, openSync, readFileSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
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
  // The command name may hold spaces and brackets: fields count from the last ')'
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

/** Names of files may have 255 bytes, and the lock's is longer than the file's. */
const MOST_BYTES = 200

/** Beside the file; the lock of a file with a very long name is named by a hash. */
export function lockOf(path: string): string {
  const name = basename(path)
  if (Buffer.byteLength(name) <= MOST_BYTES) return `${path}.lock`
  return join(dirname(path), `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.lock`)
}

/** Link may fail because the name is taken, or because the file system has no hard links. */
const isTaken = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EEXIST'

function writeOwner(path: string): void {
  const fd = openSync(path, 'wx')
  writeSync(fd, `${process.pid}\n${hostname()}\n${startOf(process.pid)}\n`)
  closeSync(fd)
}

/** In words: the folder is the first thing of a job that is written to. */
function writeFirst(path: string): void {
  try {
    writeOwner(path)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const why = noWriting[code]
    if (why === undefined) throw error
    throw new CodedError('FILE_PATH', `cannot write into the folder ${dirname(path)}: ${why} (${message})`, {
      cause: error
    })
  }
}

/** Why a folder cannot be written to, by the system's code. */
export const noWriting: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'its file system is read-only',
  ENOENT: 'it does not exist',
  ENOTDIR: 'it is no folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up'
}

/**
 * Takes the lock of a file; a lock left by a dead process of this machine is replaced.
 * @param link - of the file system; where it has no hard links the lock is made in two steps
 * @returns the release function
 * @throws CodedError HDF5_LOCKED naming the owner, FILE_PATH when the folder cannot be written to
 */
export function lockFile(path: string, link: typeof linkSync = linkSync): () => void {
  const lock = lockOf(path)
  const own = `${lock}.${process.pid}.${Math.random().toString(36).slice(2)}`
  writeFirst(own)
  const take = (): void => {
    try {
      link(own, lock)
    } catch (error) {
      if (isTaken(error)) throw error
      // 'wx' does not replace either; for a moment the lock has no owner, and is taken as that of a living one
      writeOwner(lock)
    }
  }
  try {
    // link() is atomic and refuses to replace, so the lock never exists half written
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        take()
        return () => {
          rmSync(lock, { force: true })
        }
      } catch (error) {
        if (!isTaken(error)) throw error
      }
      const owner = ownerOf(lock)
      if (owner && alive(owner))
        throw new CodedError(
          'HDF5_LOCKED',
          `${path} is being written by process ${owner.pid} on ${owner.host} (${lock})`
        )
      if (owner) removeStale(lock, own, link)
    }
    throw new CodedError('HDF5_LOCKED', `${path}: other processes are taking ${lock}`)
  } finally {
    unlinkSync(own)
  }
}

/** Moved away first: of two processes that see the same stale lock only one gets it. */
function removeStale(lock: string, own: string, link: typeof linkSync): void {
  const aside = `${own}.stale`
  try {
    renameSync(lock, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = ownerOf(aside)
  // A third process was quicker and its fresh lock was moved: put it back
  if (moved && alive(moved)) {
    try {
      link(aside, lock)
    } catch (error) {
      if (isTaken(error)) throw error
      return renameSync(aside, lock)
    }
  }
  unlinkSync(aside)
}
