// A real Carbon that keeps what it gets in Whisper files, and what is in them.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'
import { carbonPython } from './python.js'

const run = promisify(execFile)

/** Prints the newest value of every metric, by path. */
const newest = `
import json, os, sys, whisper
found = {}
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(folder, name)
        try:
            values = [value for value in whisper.fetch(path, 0)[1] if value is not None]
        except Exception:
            continue # just being made
        if values:
            found[os.path.relpath(path, sys.argv[1])[:-4].replace(os.sep, ".")] = values[-1]
print(json.dumps(found))
`

export class Carbon {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nexstream-carbon-'))
  #child: ChildProcess | undefined
  #python = ''
  #said = ''

  private constructor(readonly port: number) {}

  static async start(): Promise<Carbon> {
    const [port, query] = (await freePorts(2)) as [number, number]
    const carbon = new Carbon(port)
    carbon.#python = await carbonPython()
    const folder = carbon.#folder
    writeFileSync(join(folder, 'carbon.conf'), `[cache]
STORAGE_DIR = ${folder}
LOCAL_DATA_DIR = ${folder}/whisper
WHITELISTS_DIR = ${folder}/lists
CONF_DIR = ${folder}
LOG_DIR = ${folder}/log
PID_DIR = ${folder}
USER =
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = ${port}
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = ${query}
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
MAX_CACHE_SIZE = inf
ENABLE_LOGROTATION = False
`) // prettier-ignore
    writeFileSync(join(folder, 'storage-schemas.conf'), '[all]\npattern = .*\nretentions = 1s:1h\n')
    await carbon.restart()
    return carbon
  }

  /** Starts the process, with what it kept before. */
  async restart(): Promise<void> {
    const program = join(dirname(this.#python), 'carbon-cache.py')
    const args = [
      program,
      `--config=${this.#folder}/carbon.conf`,
      `--pidfile=${this.#folder}/pid`,
      '--nodaemon',
      'start'
    ]
    rmSync(join(this.#folder, 'pid'), { force: true })
    const child = spawn(this.#python, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, GRAPHITE_ROOT: this.#folder } }) // prettier-ignore
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (this.#said += text.toString())) // prettier-ignore
    while (!(await this.#listens())) {
      if (child.exitCode !== null) throw new Error(`Carbon ended with ${child.exitCode}: ${this.#said}`)
      await sleep(200)
    }
  }

  /** It is gone at once, as after a loss of power. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'close')
  }

  /** The newest value of every path that it has written to disk. */
  async newest(): Promise<Record<string, number>> {
    const { stdout } = await run(this.#python, ['-c', newest, join(this.#folder, 'whisper')], { maxBuffer: 1 << 26 })
    return JSON.parse(stdout) as Record<string, number>
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #listens(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection(this.port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  }
}
