// Events of hits that come in several packets: what may still grow waits for later ones.
import { matchClusters, PlaneHits } from './builder.js'
import { HitPlane, PACKET_HITS } from './plane.js'

/** Hits of a plane that may wait; more are all made events at once. */
const MOST = 4 * PACKET_HITS
/** Hits come so late at most, ns. */
const LATENCY = 2010

export class StreamBuilder {
  readonly a = new HitPlane(MOST)
  readonly b = new HitPlane(MOST)
  readonly #eventA = new PlaneHits(this.a)
  readonly #eventB = new PlaneHits(this.b)
  readonly #keepA = new Uint8Array(MOST)
  readonly #keepB = new Uint8Array(MOST)
  #latestA = -Infinity
  #latestB = -Infinity

  constructor(
    /** Longest time between hits of a plane, and of both planes, that belong together, ns. */
    readonly gap: number,
    readonly emit: (a: PlaneHits, b: PlaneHits) => void
  ) {}

  get isEmpty(): boolean {
    return this.a.length + this.b.length === 0
  }

  /** Forms those events that later hits cannot add to; with `all` every one. */
  flush(all: boolean): void {
    const { a, b } = this
    if (this.isEmpty) return
    // The next packet must have room
    const isAll = all || a.length > MOST - PACKET_HITS || b.length > MOST - PACKET_HITS
    a.cluster(this.gap, !isAll)
    b.cluster(this.gap, !isAll)
    if (a.count > 0) this.#latestA = Math.max(this.#latestA, a.start[a.clusters[a.count - 1]!]!)
    if (b.count > 0) this.#latestB = Math.max(this.#latestB, b.start[b.clusters[b.count - 1]!]!)
    this.#keepA.fill(1, 0, a.length)
    this.#keepB.fill(1, 0, b.length)
    this.#match(isAll)
    keep(a, this.#keepA)
    keep(b, this.#keepB)
    if (!isAll) return
    this.#latestA = -Infinity
    this.#latestB = -Infinity
  }

  #match(all: boolean): void {
    const { a, b, gap } = this
    const until = all ? Infinity : Math.min(this.#latestA, this.#latestB) - LATENCY
    matchClusters([a, b], [this.#eventA, this.#eventB], { gap, until }, () => this.#close())
    if (all) this.#close()
    // The last one is open: its hits wait with the others
    this.#eventA.length = 0
    this.#eventB.length = 0
  }

  #close(): void {
    const [a, b] = [this.#eventA, this.#eventB]
    if (a.length + b.length > 0) this.emit(a, b)
    for (let i = 0; i < a.length; i++) this.#keepA[a.hits[i]!] = 0
    for (let i = 0; i < b.length; i++) this.#keepB[b.hits[i]!] = 0
    a.length = 0
    b.length = 0
  }
}

/** Only the hits that are marked, in the order they came in. */
function keep(plane: HitPlane, isKept: Uint8Array): void {
  const { length, time, coordinate, weight } = plane
  plane.clear()
  for (let i = 0; i < length; i++) if (isKept[i] === 1) plane.add(time[i]!, coordinate[i]!, weight[i]!)
}
