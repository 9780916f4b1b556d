// Warnings that do not flood: the same key at most once a minute, with the count of what was held back.

export type Warn = (message: string, fields?: Record<string, unknown>) => void

const QUIET_MS = 60_000
const MAX_KEYS = 1000

export class Warner {
  readonly #warn: Warn
  readonly #seen = new Map<string, { at: number; held: number }>()

  constructor(warn: Warn) {
    this.#warn = warn
  }

  warn(key: string, message: string, fields: Record<string, unknown> = {}): void {
    const now = Date.now()
    const last = this.#seen.get(key)
    if (last !== undefined && now - last.at < QUIET_MS) {
      last.held++
      return
    }
    if (this.#seen.size >= MAX_KEYS) this.#seen.clear()
    this.#seen.set(key, { at: now, held: 0 })
    this.#warn(message, last !== undefined && last.held > 0 ? { ...fields, repeated: last.held } : fields)
  }
}
