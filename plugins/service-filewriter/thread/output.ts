// Where a job's file goes: never outside its folder, never over another file, complete only under its own name.
import { createHash } from 'node:crypto'
import {
  chmodSync,
  createReadStream,
  existsSync,
  linkSync,
  lstatSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync
} from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { CodedError } from '../../../core/api/plugin.js'
import { type NexusFile } from '../file/file.js'
import { freeBytes, sayBytes } from '../space.js'

export interface OutputPath {
  /** Absolute. */
  readonly file: string
  /** The name while it is being written. */
  readonly part: string
}

const refuse = (name: string, why: string): CodedError =>
  new CodedError('FILE_PATH', `file name '${name.slice(0, 200)}' ${why}`, { path: '/file_name' })

const there = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** Each attempt at a job has a part file of its own. */
export const partOf = (file: string, attempt: number): string =>
  attempt === 1 ? `${file}.part` : `${file}.${attempt}.part`

/**
 * The paths for a file name below `folder`. An absolute name is taken as relative to the folder, as the field's writer does.
 * @throws CodedError FILE_PATH (empty, `..`, leaves the folder through a link, no such folder)
 */
export function outputPath(folder: string, name: string, attempt = 1): OutputPath {
  if (!existsSync(folder)) throw new CodedError('FILE_PATH', `the output folder ${folder} does not exist`)
  const parts = name.split(/[/\\]/).filter((part) => part !== '' && part !== '.')
  if (parts.length === 0 || /[/\\]$/.test(name)) throw refuse(name, 'is not the name of a file')
  if (name.includes('\0')) throw refuse(name, 'has a NUL')
  if (parts.includes('..')) throw refuse(name, "leaves the output folder by '..'")
  if (parts.some((part) => Buffer.byteLength(part) > 240)) throw refuse(name, 'is too long')
  const root = realpathSync(folder)
  const parent = join(root, ...parts.slice(0, -1))
  if (!existsSync(parent)) throw refuse(name, `needs the folder ${parent}, which does not exist`)
  const real = realpathSync(parent)
  if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep))
    throw refuse(name, 'leaves the output folder through a link')
  const file = join(real, parts.at(-1) ?? '')
  return { file, part: partOf(file, attempt) }
}

/** Throws FILE_EXISTS when the file or its part file is there. */
export function requireFree({ file, part }: OutputPath): void {
  for (const path of [file, part])
    if (there(path))
      throw new CodedError('FILE_EXISTS', `${path} exists already; use another file_name`, { path: '/file_name' })
}

/** In words: the unfinished files that earlier attempts at a job have left. */
export function leftByEarlier({ file }: OutputPath, attempt: number): string[] {
  const earlier = Array.from({ length: attempt - 1 }, (_, i) => ({ attempt: i + 1, part: partOf(file, i + 1) }))
  return earlier.filter(({ part }) => there(part)).map(({ attempt, part }) => `attempt ${attempt} left ${part}`)
}

/** Throws DISK_FULL when the disk of a folder has less room. */
export function requireSpace(folder: string, least: number): void {
  const free = least === 0 ? Infinity : freeBytes(folder)
  if (free < least)
    throw new CodedError(
      'DISK_FULL',
      `the disk of ${folder} has ${sayBytes(free)} free, less than ${sayBytes(least)} (least_free_bytes)`,
      { path: '/file_name' }
    )
}

/** Gives the complete file its name. Throws FILE_EXISTS when somebody else took it meanwhile. */
export function publish({ file, part }: OutputPath, readOnly: boolean, link: typeof linkSync = linkSync): void {
  if (readOnly) chmodSync(part, 0o444)
  try {
    // A link cannot overwrite, a rename would
    link(part, file)
    unlinkSync(part)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || there(file))
      throw new CodedError('FILE_EXISTS', `${file} appeared meanwhile; the data are in ${part}`, { cause: error })
    // File systems without hard links
    renameSync(part, file)
  }
}

/** Writes `<file>.sha256`, which `sha256sum -c` understands. */
export async function writeChecksum(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  const digest = hash.digest('hex')
  writeFileSync(join(dirname(file), `${basename(file)}.sha256`), `${digest}  ${basename(file)}\n`, { flag: 'wx' })
  return digest
}

/** Nothing is left of a file that could not be begun. */
export function discard(file: NexusFile, part: string): void {
  try {
    file.close()
  } finally {
    rmSync(part, { force: true })
  }
}
