// What the commands of the daemon itself may see of it.
import { type KnownCommand } from './command.js'
import { type Jobs } from './job.js'
import { type LogLevel } from './part.js'
import { type DaemonSnapshot } from './reporter.js'

/** What a command of the daemon itself may see. */
export interface DaemonView {
  snapshot(): DaemonSnapshot
  readonly jobs: Jobs
  plugins(): readonly { name: string; version: string; summary: string; builtin: boolean }[]
  commands(): readonly KnownCommand[]
  /** Begins a clean shutdown after the answer is sent. */
  shutdown(reason: string): void
  /** Logs this level and what is more severe from now on. */
  logLevel(level: LogLevel): void
}
