// What parts of plugins did that they must not: named, counted, told; the daemon and all other parts go on.
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CodedError, errorText } from './api/errors.js'
import { type PluginFault } from './api/plugin.js'
import { type LoadedPlugin } from './loader.js'
import { type Log } from './log.js'

/** Hears of what a method of a part threw or gave in place of what it must give. `part` is kind and id: `service lamp`. */
export type Caught = (plugin: string, part: string, method: string, error: unknown) => void

/** The same fault of the same method is logged once in this time. */
const QUIET_MS = 600_000

interface Counted {
  fault: PluginFault
  loggedMs: number
}

/** All faults of one daemon. */
export class Faults {
  readonly #counted = new Map<string, Counted>()

  constructor(
    readonly log: Log,
    /** Whether lines carry the stack. */
    readonly isVerbose: () => boolean
  ) {}

  readonly caught: Caught = (plugin, part, method, error) => {
    const key = JSON.stringify([plugin, part, method])
    const before = this.#counted.get(key)
    const message = errorText(error)
    const fault = { plugin, part, method, count: (before?.fault.count ?? 0) + 1, last_error: message.slice(0, 500) }
    const isNews = before?.fault.last_error !== fault.last_error || Date.now() - before.loggedMs > QUIET_MS
    this.#counted.set(key, { fault, loggedMs: isNews ? Date.now() : before.loggedMs })
    if (!isNews) return
    const code = error instanceof CodedError ? error.code : 'PLUGIN_FAILED'
    const stack = this.isVerbose() && error instanceof Error ? { stack: error.stack } : {}
    this.log('error', `plugin ${plugin}: ${part}: ${method}: ${message}`, { code, plugin, part, method, ...stack })
  }

  /** Those that there were, with their counts. */
  list(): PluginFault[] {
    return [...this.#counted.values()].map(({ fault }) => fault)
  }
}

/** The plugin in whose folder the code lies that threw: the innermost place in a file. */
export function ownerOf(error: unknown, plugins: readonly LoadedPlugin[]): LoadedPlugin | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const url = /\bfile:\/\/[^\s)]+?(?=:\d+:\d+\)?$)/m.exec(stack)?.[0]
  if (url === undefined) return undefined
  const file = fileURLToPath(url)
  return plugins.find((plugin) => file.startsWith(dirname(plugin.file) + sep))
}
