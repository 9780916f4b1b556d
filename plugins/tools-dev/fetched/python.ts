// A Python environment of exactly pinned packages, made on first use and kept in the cache.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from './cache.js'

const run = promisify(execFile)
const candidates = ['python3.12', 'python3.11', 'python3']

/** Path of the interpreter of the venv that has the packages of a requirements file; made when this machine has none yet. */
export async function venv(requirements: string): Promise<string> {
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
    `Python 3.11 or 3.12 with its venv module is needed (found: ${seen.join('; ')}). ` +
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
    throw new Error(`Could not make the Python venv ${folder}: ${stderr ?? String(error)}`, {
      cause: error
    })
  }
}
