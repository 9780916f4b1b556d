// A folder for things that are downloaded once: $NEXSTREAM_CACHE, else ~/.cache/nexstream.
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const cacheFolder = (): string => process.env['NEXSTREAM_CACHE'] ?? join(homedir(), '.cache', 'nexstream')

/**
 * The folder `name` of the cache, made by `build` if it is not there. Complete or absent: `build` fills a temporary
 * folder that is renamed; of several processes one builds and the others wait.
 */
export async function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name)
  const lock = `${folder}.lock`
  await mkdir(cacheFolder(), { recursive: true })
  while (!existsSync(folder)) {
    if (!(await take(lock))) {
      await sleep(300)
      continue
    }
    const part = `${folder}.part-${process.pid}`
    try {
      if (existsSync(folder)) break
      await clear(`${name}.part-`)
      await mkdir(part, { recursive: true })
      await build(part)
      await rename(part, folder)
    } finally {
      await rm(part, { recursive: true, force: true })
      await rm(lock, { force: true })
    }
  }
  return folder
}

/** Removes what builders left that were killed. */
async function clear(prefix: string): Promise<void> {
  for (const found of await readdir(cacheFolder()))
    if (found.startsWith(prefix) && !alive(Number(found.slice(prefix.length))))
      await rm(join(cacheFolder(), found), { recursive: true, force: true })
}

/** Takes the lock file, also from an owner that died. */
async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  if (await stale(lock)) await rm(lock, { force: true })
  return false
}

/** Its owner is gone, or died before it had put its name in. */
async function stale(lock: string): Promise<boolean> {
  try {
    const owner = Number(await readFile(lock, 'utf8'))
    return owner > 0 ? !alive(owner) : Date.now() - (await stat(lock)).mtimeMs > 10_000
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
