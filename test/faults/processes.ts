// The daemons of a campaign: nexstream processes that are killed, frozen and started again.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, start } from '../cli/child.js'
import { type Json } from '../filewriter/harness.js'

/** Of a busy machine. */
const PATIENCE_MS = 300_000

export class Processes {
  readonly #children = new Map<string, Child>()
  readonly #configs = new Map<string, string>()
  /** Ended by the campaign, so that another end is a finding. */
  readonly #meant = new Set<Child>()
  readonly #up = new Set<Child>()

  constructor(readonly folder: string) {}

  add(name: string, config: Json): Promise<void> {
    const file = join(this.folder, `${name}.json`)
    writeFileSync(file, JSON.stringify(config))
    this.#configs.set(name, file)
    return this.start(name)
  }

  /** Starts a daemon that does not run, and waits until it is up, or is killed meanwhile. */
  async start(name: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = start(['run', this.#configs.get(name)!], { env })
    this.#children.set(name, child)
    try {
      await child.says(/is up as/, 'stderr', PATIENCE_MS)
      this.#up.add(child)
    } catch (error) {
      if (!this.#meant.has(child)) throw error
    }
  }

  /** It runs, and has said so. */
  isUp(name: string): boolean {
    const child = this.#children.get(name)
    return child !== undefined && this.#up.has(child) && !this.#meant.has(child)
  }

  pid(name: string): number {
    return this.#children.get(name)!.process.pid!
  }

  async kill9(name: string): Promise<void> {
    const child = this.#children.get(name)!
    this.#meant.add(child)
    child.kill('SIGKILL')
    await child.ended
  }

  freeze(name: string): void {
    this.#children.get(name)?.kill('SIGSTOP')
  }

  thaw(name: string): void {
    this.#children.get(name)?.kill('SIGCONT')
  }

  /** An orderly end; gives what was wrong with it. */
  async stop(name: string): Promise<string[]> {
    const child = this.#children.get(name)!
    this.#meant.add(child)
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    const { code, signal } = await child.ended
    clearTimeout(timer)
    if (signal === 'SIGKILL') return [`${name} did not end within ${PATIENCE_MS / 1000} s`]
    return code === 0 ? [] : [`${name} ended with ${String(code)}: ${child.stderr.slice(-500)}`]
  }

  /** Starts those again that have ended by themselves, and says so. */
  async revive(): Promise<string[]> {
    const found: string[] = []
    for (const [name, child] of this.#children) {
      const { exitCode, signalCode } = child.process
      if (exitCode === null && signalCode === null) continue
      if (!this.#meant.has(child)) found.push(`${name} ended by itself (${String(exitCode ?? signalCode)}): ${child.stderr.slice(-500)}`) // prettier-ignore
      await this.start(name)
    }
    return found
  }

  /** Its end by somebody else (the kernel, for its memory) is meant, too. */
  expectEnd(name: string): void {
    this.#meant.add(this.#children.get(name)!)
  }

  ended(name: string): Promise<unknown> {
    return this.#children.get(name)!.ended
  }

  /** The last words of a daemon. */
  words(name: string): string {
    return this.#children.get(name)!.stderr.slice(-20_000)
  }

  async stopAll(): Promise<string[]> {
    return (await Promise.all([...this.#children.keys()].map((name) => this.stop(name)))).flat()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children.values()].map((child) => child.close()))
  }
}
