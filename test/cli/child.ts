// The real command line as a child process: what it prints, how it ends, and a daemon to talk to.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { PATIENCE_MS } from '../support/patience.js'

export const program = join(packageRoot, 'dist/commands/cli/main.js')

/** Our environment without settings of nexstream that the caller of the tests may have. */
export function cleanEnv(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const own = (name: string): boolean =>
    name === 'NEXSTREAM_BROKERS' || name === 'NEXSTREAM_CONFIG' || /^NEXSTREAM_.*__/.test(name)
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !own(name))), ...more }
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Another installation than this one. */
  readonly program?: string
}

/** A running nexstream; `close()` ends it whatever state it is in. */
export class Child {
  stdout = ''
  stderr = ''
  readonly ended: Promise<Ended>
  readonly #waiting = new Set<() => void>()

  constructor(
    readonly process: ChildProcess,
    readonly what: string
  ) {
    const heard = (name: 'stdout' | 'stderr') => (chunk: Buffer) => {
      this[name] += chunk.toString('utf8')
      for (const look of [...this.#waiting]) look()
    }
    process.stdout?.on('data', heard('stdout'))
    process.stderr?.on('data', heard('stderr'))
    this.ended = once(process, 'close').then(([code, signal]) => {
      for (const look of [...this.#waiting]) look()
      return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout: this.stdout, stderr: this.stderr } // prettier-ignore
    })
  }

  /** Resolves when the text was printed; rejects when the process ends without it or after so long. */
  async says(text: RegExp, where: 'stdout' | 'stderr' = 'stderr', patienceMs = PATIENCE_MS): Promise<void> {
    const until = performance.now() + patienceMs
    while (!text.test(this[where])) {
      const left = until - performance.now()
      if (left <= 0 || this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`${this.what} did not say ${String(text)}; it said: ${this.stdout}${this.stderr}`)
      await new Promise<void>((resolve) => {
        const look = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(look)
          resolve()
        }
        const timer = setTimeout(look, left)
        this.#waiting.add(look)
      })
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  async close(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL')
    await this.ended
  }
}

/** Starts nexstream; standard output and error are gathered. */
export function start(args: readonly string[], options: RunOptions = {}): Child {
  const child = spawn(process.execPath, [options.program ?? program, ...args], {
    env: cleanEnv(options.env),
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe']
  })
  // A program that ends without reading its input is no error of ours
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  return new Child(child, `nexstream ${args.join(' ')}`)
}

/** Runs nexstream to its end. */
export function nexstream(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return start(args, options).ended
}

/** The JSON lines that it printed; says why when it failed. */
export async function jsonLines(args: readonly string[], options: RunOptions = {}): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await nexstream(args, options)
  if (code !== 0) throw new Error(`nexstream ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
