// A real Prometheus: the program out of Debian's package, pinned, unpacked into the cache without being installed.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cached } from '../../plugins/tools-dev/fetched/cache.js'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'

const run = promisify(execFile)
const VERSION = '2.42.0+ds-5+deb12u1'
const HASH = '81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55'

/** Path of the program; fetched once. Rejects with what to do on a machine that has no such package. */
export async function prometheus(): Promise<string> {
  const folder = await cached('prometheus-2.42.0', unpack).catch((cause: unknown) => {
    const { stderr, message } = cause as { stderr?: string; message: string }
    const text = `Could not get Prometheus ${VERSION} (Debian 12, amd64; after apt-get update): ${stderr ?? message}`
    throw new Error(text, { cause })
  })
  return join(folder, 'usr/bin/prometheus')
}

async function unpack(folder: string): Promise<void> {
  await run('apt-get', ['download', `prometheus=${VERSION}`], { cwd: folder })
  const [name = ''] = (await readdir(folder)).filter((one) => one.endsWith('.deb'))
  const found = createHash('sha256').update(await readFile(join(folder, name))).digest('hex') // prettier-ignore
  if (found !== HASH) throw new Error(`${name} has the SHA-256 ${found}`)
  await run('dpkg', ['-x', name, '.'], { cwd: folder })
  await rm(join(folder, name))
}

export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

export class Prometheus {
  readonly #url: string
  #said = ''

  private constructor(
    readonly child: ChildProcess,
    port: number
  ) {
    this.#url = `http://127.0.0.1:${port}`
    child.stderr?.on('data', (text: Buffer) => (this.#said += text.toString()))
  }

  /** Reads `target` every half second. */
  static async start(target: string): Promise<Prometheus> {
    const program = await prometheus()
    const [port = 0] = await freePorts(1)
    const data = mkdtempSync(join(tmpdir(), 'nexstream-prometheus-'))
    const config = join(data, 'prometheus.yml')
    const scrape = `scrape_configs: [{ job_name: nexstream, static_configs: [{ targets: ['${target}'] }] }]`
    writeFileSync(config, `global: { scrape_interval: 500ms, scrape_timeout: 500ms }\n${scrape}\n`)
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`]
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const server = new Prometheus(child, port)
    await once(child, 'spawn')
    child.once('close', () => rmSync(data, { recursive: true, force: true }))
    while (!(await server.#isReady())) {
      if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}: ${server.#said}`)
      await sleep(200)
    }
    return server
  }

  /** Throws what Prometheus says against the query. */
  async query(query: string): Promise<readonly QueryResult[]> {
    const answer = await fetch(`${this.#url}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { status, error, data } = (await answer.json()) as { status: string; error?: string; data?: { result: QueryResult[] } } // prettier-ignore
    if (status !== 'success' || data === undefined) throw new Error(`${query}: ${error}`)
    return data.result
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return
    this.child.kill('SIGKILL')
    await once(this.child, 'close')
  }

  async #isReady(): Promise<boolean> {
    return fetch(`${this.#url}/-/ready`).then(
      ({ ok }) => ok,
      () => false
    )
  }
}
