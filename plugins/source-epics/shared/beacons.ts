// Which beacons are news: of a server that is new, began again, or has other channels than before.

const MAX_SERVERS = 10_000
/** Servers send these soon after their start. */
const FIRST_BEACONS = 10

export class Beacons {
  readonly #onNews: () => void
  readonly #seen = new Map<string, { readonly number: number; readonly mark: string }>()

  constructor(onNews: () => void) {
    this.#onNews = onNews
  }

  /** Beacon `number` of a server that says `mark` of itself. */
  heard(server: string, number: number, mark = ''): void {
    const last = this.#seen.get(server)
    if (this.#seen.size >= MAX_SERVERS) this.#seen.clear()
    this.#seen.set(server, { number, mark })
    // One that just began may not answer yet: its first beacons count each.
    if (last === undefined || mark !== last.mark || number < last.number || number < FIRST_BEACONS) this.#onNews()
  }
}
