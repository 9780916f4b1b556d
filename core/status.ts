// One snapshot of the daemon at a fixed interval, handed to every reporter; a slow or failing reporter never stops the others.
import { closeAll } from './closing.js'
import { errorFields, type Log, messageOf } from './log.js'
import { type DaemonSnapshot, type Reporter } from './api/plugin.js'

export class StatusLoop {
  #timer: NodeJS.Timeout | undefined
  readonly #busy = new Set<string>()
  readonly #failing = new Set<string>()

  constructor(
    readonly reporters: ReadonlyMap<string, Reporter>,
    readonly snapshot: () => DaemonSnapshot,
    readonly intervalMs: number,
    readonly log: Log
  ) {}

  start(): void {
    this.tick()
    this.#timer = setInterval(() => this.tick(), this.intervalMs)
  }

  /** Reports now. */
  tick(): void {
    const snapshot = this.snapshot()
    for (const [id, reporter] of this.reporters) if (!this.#busy.has(id)) void this.#report(id, reporter, snapshot)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.tick()
    const parts = [...this.reporters].map(([id, reporter]) => [`reporter ${id}`, () => reporter.close?.()] as const)
    await closeAll(parts, (name, error) =>
      this.log('error', `closing ${name}: ${messageOf(error)}`, errorFields(error))
    )
  }

  async #report(id: string, reporter: Reporter, snapshot: DaemonSnapshot): Promise<void> {
    this.#busy.add(id)
    try {
      await reporter.report(snapshot)
      if (this.#failing.delete(id)) this.log('info', `reporter ${id} works again`)
    } catch (error) {
      // Said once, until it works again
      if (!this.#failing.has(id)) this.log('warn', `reporter ${id}: ${messageOf(error)}`, errorFields(error))
      this.#failing.add(id)
    } finally {
      this.#busy.delete(id)
    }
  }
}
