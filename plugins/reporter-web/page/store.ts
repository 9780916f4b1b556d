// One value that components follow.
import { useEffect, useState } from 'preact/hooks'

export class Store<T> {
  #value: T
  readonly #heard = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }
  set value(value: T) {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const hear of [...this.#heard]) hear()
  }

  follow(hear: () => void): () => void {
    this.#heard.add(hear)
    return () => this.#heard.delete(hear)
  }
}

/** The value of now; the component is drawn again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, draw] = useState(0)
  useEffect(() => store.follow(() => draw((n) => n + 1)), [store])
  return store.value
}

/** The time of now in ms, every second. */
export const now = new Store(Date.now())
setInterval(() => (now.value = Date.now()), 1000)
