// The Python that tests check against: a cached venv of exactly pinned packages, made on first use.
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { cached } from './cache.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))
const requirements = join(root, 'test/support/python/requirements.txt')
const candidates = ['python3.12', 'python3.11', 'python3']

let ready: Promise<string> | undefined

/** Path of the venv's interpreter; makes the venv when this machine has none yet (about half a minute). */
export function python(): Promise<string> {
  ready ??= venv(requirements).catch((error: unknown) => {
    ready = undefined
    throw error
  })
  return ready
}

/** The same for Carbon, a Graphite server. */
export const carbonPython = (): Promise<string> => venv(join(root, 'test/support/python/carbon-requirements.txt'))

/** The same for MCAP's own reader. */
export const mcapPython = (): Promise<string> => venv(join(root, 'test/support/python/recording-requirements.txt'))

/**
 * Runs a script of the venv and gives what it printed.
 * `script` is a path or, when it has a line break, the Python text itself. Rejects with the script's stderr.
 */
export async function runPython(
  script: string,
  args: readonly string[] = [],
  stdin?: string | Uint8Array,
  environment = python()
) {
  const interpreter = await environment
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

export interface PythonLines {
  readonly child: ChildProcessWithoutNullStreams
  /** Sends JSON as one line; resolves with the JSON of the next line that comes, rejects when the script ends before. */
  readonly ask: (request: unknown) => Promise<unknown>
  /** Lets the script end, and waits for it. */
  readonly close: () => Promise<void>
}

/** A script that answers each line of its stdin by one of its stdout, in their order. It ends with its stdin, that is with us. */
export async function pythonLines(script: string, args: readonly string[] = []): Promise<PythonLines> {
  const child = spawn(await python(), [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void }[] = []
  let words = ''
  let end: string | undefined
  const over = (why: string): Error => new Error(`${script} ended: ${why} ${words}`)
  child.stderr.on('data', (text: Buffer) => (words += text.toString()))
  child.stdin.on('error', (error) => (words += error.message))
  const ended = new Promise<void>((resolve) => {
    const settle = (why: string): void => {
      end = why
      for (const { reject } of waiting.splice(0)) reject(over(why))
      resolve()
    }
    child.once('error', (error) => settle(error.message))
    child.once('close', (code) => settle(`exit code ${String(code)}`))
  })
  createInterface(child.stdout).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)))
  return {
    child,
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (end !== undefined) return reject(over(end))
        waiting.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify(request)}\n`)
      }),
    close: () => {
      child.stdin.end()
      return ended
    }
  }
}

/** Path of the interpreter of the venv that has the packages of a requirements file. */
async function venv(requirements: string): Promise<string> {
  const base = await findPython()
  const text = await readFile(requirements)
  const key = createHash('sha256').update(text).update(base.version).digest('hex').slice(0, 16)
  const folder = await cached(`python-${base.version}-${key}`, (part) => make(base.path, part, requirements))
  return join(folder, 'bin', 'python')
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

async function make(base: string, folder: string, requirements: string): Promise<void> {
  try {
    await run(base, ['-m', 'venv', folder])
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--disable-pip-version-check', '-r', requirements]
    // Carbon installs itself into /opt otherwise
    const env = { ...process.env, GRAPHITE_NO_PREFIX: 'True' }
    await run(join(folder, 'bin', 'python'), pip, { maxBuffer: 1 << 26, env })
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw new Error(`Could not make the Python venv of the tests in ${folder}: ${stderr ?? String(error)}`, {
      cause: error
    })
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(`${await python()}\n`)
}
