// The output folder: whether it can be written to, and how much room its disk has; looked at again and again.
import { constants, statfsSync } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { type LogLevel } from '../../core/api/plugin.js'
import { noWriting } from './file/lock.js'

const LOOK_MS = 5000
/** Warned from so many times the least room downwards. */
const EARLY = 16

interface Room {
  readonly bavail: number
  readonly bsize: number
  readonly blocks: number
}

/** For this user; Infinity where the system does not say. */
const freeOf = ({ bavail, bsize, blocks }: Room): number => (blocks === 0 ? Infinity : bavail * bsize)

export function freeBytes(folder: string): number {
  try {
    return freeOf(statfsSync(folder))
  } catch {
    return Infinity
  }
}

export const sayBytes = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`

/** Why nothing can be written into a folder, in words; undefined when it can. */
export async function folderTrouble(folder: string): Promise<string | undefined> {
  try {
    if (!(await stat(folder)).isDirectory()) return noWriting['ENOTDIR']
    await access(folder, constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const uid = process.getuid?.()
    // Such as a volume of a container that is root's
    const user = code === 'EACCES' && uid !== undefined ? ` for user ${uid}; 'chown ${uid} ${folder}', or run as its owner` : '' // prettier-ignore
    return `${noWriting[code] ?? message}${user}`
  }
}

type State = 'well' | 'low' | 'full' | 'closed'

export class OutputFolder {
  /** In words; null: all is well. */
  trouble: string | null = null
  /** Undefined: the system does not say. */
  free: number | undefined
  #state: State = 'well'
  #timer: NodeJS.Timeout | undefined
  #looking = false

  readonly #folder: string
  readonly #leastBytes: number
  readonly #log: (level: LogLevel, message: string) => void

  constructor(folder: string, leastBytes: number, log: (level: LogLevel, message: string) => void) {
    this.#folder = folder
    this.#leastBytes = leastBytes
    this.#log = log
  }

  /** False when no job can begin: nothing can be written, or the room is below the limit. */
  get healthy(): boolean {
    return this.#state === 'well' || this.#state === 'low'
  }

  /** Trouble is told, and the daemon goes on: a folder may come back. */
  async start(): Promise<void> {
    await this.look()
    this.#timer = setInterval(() => void this.look(), LOOK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** A file system that does not answer is not asked twice. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const why = await folderTrouble(this.#folder)
    const room = why === undefined ? await statfs(this.#folder).catch(() => undefined) : undefined
    this.#looking = false
    const free = room === undefined ? Infinity : freeOf(room)
    this.free = Number.isFinite(free) ? free : undefined
    this.#tell(...this.#judge(why, free))
  }

  #judge(why: string | undefined, free: number): [State, string | null] {
    const least = this.#leastBytes,
      folder = this.#folder
    if (why !== undefined) return ['closed', `cannot write into the output folder ${folder}: ${why}`]
    const room = `the disk of the output folder ${folder} has ${sayBytes(free)} free`
    if (free < least) return ['full', `${room}: no job is begun any more (least_free_bytes)`]
    return free < EARLY * least ? ['low', `${room}, less than ${sayBytes(EARLY * least)}`] : ['well', null]
  }

  /** Once for each change of state, not of figures. */
  #tell(state: State, trouble: string | null): void {
    const before = this.trouble
    this.trouble = trouble
    if (state === this.#state) return
    this.#state = state
    if (trouble === null) this.#log('info', `the output folder is well again; it was: ${before}`)
    else this.#log(state === 'low' ? 'warn' : 'error', trouble)
  }
}
