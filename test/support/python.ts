// The Python that tests check against: a cached venv of exactly pinned packages, made on first use.
import { execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))
const requirements = join(root, 'test/support/python/requirements.txt')
const candidates = ['python3.12', 'python3.11', 'python3']

/** Where downloaded and built test tools are kept: $NEXSTREAM_CACHE or ~/.cache/nexstream. */
export const cacheFolder = (): string => process.env['NEXSTREAM_CACHE'] ?? join(homedir(), '.cache', 'nexstream')

let ready: Promise<string> | undefined

/** Path of the venv's interpreter; makes the venv when this machine has none yet (about half a minute). */
export function python(): Promise<string> {
  ready ??= prepare().catch((error: unknown) => {
    ready = undefined
    throw error
  })
  return ready
}

/**
 * Runs a script of the venv and gives what it printed.
 * `script` is a path or, when it has a line break, the Python text itself. Rejects with the script's stderr.
 */
export async function runPython(script: string, args: readonly string[] = [], stdin?: string | Uint8Array) {
  const interpreter = await python()
  const program = script.includes('\n') ? ['-c', script] : [script]
  const child = spawn(interpreter, [...program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  // A script that ends without reading its input is no error.
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') err.push(Buffer.from(String(error)))
  })
  child.stdin.end(stdin ?? '')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`Python ended with ${String(code)}: ${Buffer.concat(err).toString()}`)
  return Buffer.concat(out).toString()
}

async function prepare(): Promise<string> {
  const base = await findPython()
  const text = await readFile(requirements)
  const key = createHash('sha256').update(text).update(base.version).digest('hex').slice(0, 16)
  const folder = join(cacheFolder(), `python-${base.version}-${key}`)
  const interpreter = join(folder, 'bin', 'python')
  if (existsSync(interpreter)) return interpreter
  await mkdir(cacheFolder(), { recursive: true })
  const release = await lock(`${folder}.lock`)
  try {
    if (!existsSync(interpreter)) await make(base.path, folder)
  } finally {
    await release()
  }
  return interpreter
}

/** The first Python 3.11 or 3.12 that can make a venv. */
async function findPython(): Promise<{ path: string; version: string }> {
  const named = process.env['NEXSTREAM_PYTHON']
  const seen: string[] = []
  for (const name of named === undefined ? candidates : [named]) {
    try {
      const probe = 'import sys, venv, ensurepip; print(sys.executable, "%d.%d" % sys.version_info[:2], sep="\\n")'
      const [path = '', version = ''] = (await run(name, ['-c', probe])).stdout.trim().split('\n')
      if (version === '3.11' || version === '3.12') return { path, version }
      seen.push(`${name} is ${version}`)
    } catch (error) {
      const { code, stderr } = error as { code?: unknown; stderr?: string }
      seen.push(code === 'ENOENT' ? `no ${name}` : `${name}: ${stderr?.trim().split('\n').at(-1) ?? String(error)}`)
    }
  }
  throw new Error(
    `The tests need Python 3.11 or 3.12 with its venv module (found: ${seen.join('; ')}). ` +
      'Install it (Debian: apt-get install python3 python3-venv) or name one in NEXSTREAM_PYTHON.'
  )
}

// Built aside and renamed, so that a venv is either whole or not there.
async function make(base: string, folder: string): Promise<void> {
  const aside = `${folder}.${randomBytes(4).toString('hex')}`
  try {
    await run(base, ['-m', 'venv', aside])
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--disable-pip-version-check', '-r', requirements]
    await run(join(aside, 'bin', 'python'), pip, { maxBuffer: 1 << 26 })
    await rename(aside, folder)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    if (existsSync(join(folder, 'bin', 'python'))) return // another process was first
    const { stderr } = error as { stderr?: string }
    throw new Error(`Could not make the Python venv of the tests in ${folder}: ${stderr ?? String(error)}`, {
      cause: error
    })
  }
}

/** Takes a lock file that names its process; one whose process is gone is taken over. */
async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      const file = await open(path, 'wx')
      await file.writeFile(String(process.pid))
      await file.close()
      return () => rm(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (await isStale(path)) await rm(path, { force: true })
    else await delay(200)
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(path, 'utf8'))
    if (pid > 0) return !isAlive(pid)
    return Date.now() - (await stat(path)).mtimeMs > 10_000
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(`${await python()}\n`)
}
