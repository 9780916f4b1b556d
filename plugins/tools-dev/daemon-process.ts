// `nexstream run` as a process of its own, and other sub-commands to their end.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CodedError } from '../../core/api/plugin.js'

const cli = fileURLToPath(new URL('../../commands/cli/main.js', import.meta.url))

/** Its log goes to a file (`a`: behind what is in it), and line by line to `heard`. */
export class DaemonProcess {
  readonly #child: ChildProcess
  readonly #logFile: string
  readonly exited: Promise<number | null>
  #stopping = false

  constructor(
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    logFile: string,
    heard: (line: string) => void = () => undefined,
    flags: 'w' | 'a' = 'w'
  ) {
    this.#logFile = logFile
    const log = createWriteStream(logFile, { flags })
    // A process group of its own: Ctrl-C reaches its owner, who stops the daemon in his turn
    this.#child = spawn(process.execPath, ['--enable-source-maps', cli, 'run', ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.pipe(log, { end: false })
      if (stream) createInterface({ input: stream }).on('line', heard)
    }
    const kill = (): boolean => this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.exited = new Promise((resolve) => {
      this.#child.once('error', () => resolve(-1))
      this.#child.once('close', (code) => {
        process.removeListener('exit', kill)
        log.end()
        resolve(code)
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** Rejects with COMMAND_FAILED and the end of the daemon's log when it ends before it is told to. */
  async crash(): Promise<never> {
    const code = await this.exited
    if (this.#stopping) return new Promise<never>(() => undefined)
    const log = (await readFile(this.#logFile, 'utf8')).trim().split('\n').slice(-8).join('\n')
    throw new CodedError('COMMAND_FAILED', `the daemon ended with ${String(code)}; its log ends with:\n${log}`)
  }

  /** SIGTERM, once: a second one would cut it off. Resolves to the exit code. */
  stop(): Promise<number | null> {
    if (!this.#stopping) this.#child.kill('SIGTERM')
    this.#stopping = true
    return this.exited
  }
}

/** Runs one sub-command of the real command line; resolves to its stdout, rejects with COMMAND_FAILED and its stderr. */
export async function nexstream(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, [cli, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const kill = (): boolean => child.kill('SIGKILL')
  process.once('exit', kill)
  const [code] = (await once(child, 'close').finally(() => process.removeListener('exit', kill))) as [number | null]
  if (code !== 0)
    throw new CodedError('COMMAND_FAILED', `nexstream ${args[0]} ended with ${String(code)}: ${err.trim()}`)
  return out
}
