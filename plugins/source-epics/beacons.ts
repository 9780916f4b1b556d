// Which beacons are news: of a server that is new, began again, or has other channels than before.
import { type Searcher, type Searchable } from './searcher.js'

const HURRY_MS = 1000
const MAX_SERVERS = 10_000
/** Servers send these soon after their start. */
const FIRST_BEACONS = 10

export class Beacons<T extends Searchable> {
  readonly #searcher: Searcher<T>
  readonly #seen = new Map<string, { readonly number: number; readonly mark: string }>()
  #hurriedMs = 0

  constructor(searcher: Searcher<T>) {
    this.#searcher = searcher
  }

  /** Beacon `number` of a server that says `mark` of itself: with news, all that is looked for is searched soon. */
  heard(server: string, number: number, mark = ''): void {
    const last = this.#seen.get(server)
    if (this.#seen.size >= MAX_SERVERS) this.#seen.clear()
    this.#seen.set(server, { number, mark })
    // One that just began may not answer yet: its first beacons count each.
    if (last !== undefined && mark === last.mark && number >= last.number && number >= FIRST_BEACONS) return
    const now = Date.now()
    if (now - this.#hurriedMs < HURRY_MS) return
    this.#hurriedMs = now
    this.#searcher.hurry(() => true)
  }
}
