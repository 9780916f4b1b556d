// One snapshot of the daemon at a fixed interval, handed to every reporter; a slow or failing reporter never stops the others.
import { closeAll, within } from './closing.js'
import { type Log } from './log.js'
import { type DaemonSnapshot, type Reporter } from './api/plugin.js'

/** A report that takes longer is counted as a fault; the next one is not made before it has ended. */
const REPORT_MS = 10_000

export class StatusLoop {
  #timer: NodeJS.Timeout | undefined
  readonly #busy = new Set<string>()
  readonly #failing = new Set<string>()

  constructor(
    readonly reporters: ReadonlyMap<string, Reporter>,
    readonly snapshot: () => DaemonSnapshot,
    readonly intervalMs: number,
    readonly log: Log,
    /** Hears of what a reporter did that it must not. */
    readonly caught: (id: string, method: string, error: unknown) => void
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

  /** @param deadlineMs - longest time that a reporter may take to close */
  async stop(deadlineMs: number): Promise<void> {
    clearInterval(this.#timer)
    this.tick()
    const closing = [...this.reporters].map(([id, reporter]) => [id, () => reporter.close?.()] as const)
    await closeAll(closing, (id, error) => this.caught(id, 'close', error), deadlineMs)
  }

  async #report(id: string, reporter: Reporter, snapshot: DaemonSnapshot): Promise<void> {
    this.#busy.add(id)
    // Called at once: what it sends in its first turn is sent before anything else happens
    const report = (async () => reporter.report(snapshot))()
    const over = (): unknown => this.#busy.delete(id)
    report.then(over, over)
    try {
      await within(() => report, 'it', REPORT_MS)
      if (this.#failing.delete(id)) this.log('info', `reporter ${id} works again`)
    } catch (error) {
      this.caught(id, 'report', error)
      this.#failing.add(id)
    }
  }
}
