// State that converters keep for each source.

/** One value per source for converters that several channels share; the source unheard for longest goes first. */
export class BySource<T> {
  readonly #values = new Map<string, T>()
  readonly #limit: number

  constructor(limit = 100_000) {
    this.#limit = limit
  }

  get(source: string): T | undefined {
    return this.#values.get(source)
  }

  set(source: string, value: T): void {
    if (this.#values.has(source)) this.#values.delete(source)
    else if (this.#values.size >= this.#limit) {
      const [oldest] = this.#values.keys()
      if (oldest !== undefined) this.#values.delete(oldest)
    }
    this.#values.set(source, value)
  }
}
