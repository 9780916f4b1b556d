// From the hits of a cassette to events: clusters of both planes that are together in time, and wide ones split into two.
import { HitPlane, sort } from './plane.js'

/** Events that are so wide may be two, with a step of more than that between them. */
const WIDE = 10

/** The hits of one plane in one event. */
export class PlaneHits {
  readonly hits: Uint16Array
  length = 0

  constructor(readonly plane: HitPlane) {
    this.hits = new Uint16Array(plane.most)
  }

  get span(): number {
    const { coordinate } = this.plane
    let [low, high] = [Infinity, -Infinity]
    for (let i = 0; i < this.length; i++) {
      const at = coordinate[this.hits[i]!]!
      if (at < low) low = at
      if (at > high) high = at
    }
    return this.length === 0 ? 0 : high - low + 1
  }

  get start(): number {
    let start = Infinity
    for (let i = 0; i < this.length; i++) start = Math.min(start, this.plane.time[this.hits[i]!]!)
    return start
  }

  get end(): number {
    let end = -Infinity
    for (let i = 0; i < this.length; i++) end = Math.max(end, this.plane.time[this.hits[i]!]!)
    return end
  }

  /** Of the hit that came first; of several at one time, of the first in the list. */
  get firstCoordinate(): number {
    const { time, coordinate } = this.plane
    let first = this.hits[0]!
    for (let i = 1; i < this.length; i++) if (time[this.hits[i]!]! < time[first]!) first = this.hits[i]!
    return coordinate[first]!
  }

  /** Of the hit that came last; of several at one time, of the first in the list. */
  get lastCoordinate(): number {
    const { time, coordinate } = this.plane
    let last = this.hits[0]!
    for (let i = 1; i < this.length; i++) if (time[this.hits[i]!]! > time[last]!) last = this.hits[i]!
    return coordinate[last]!
  }

  get charge(): number {
    let sum = 0
    for (let i = 0; i < this.length; i++) sum += this.plane.weight[this.hits[i]!]!
    return sum
  }

  /** By charge; 0 where there is none. */
  get centre(): number {
    let [sum, weighted] = [0, 0]
    for (let i = 0; i < this.length; i++) {
      const hit = this.hits[i]!
      sum += this.plane.weight[hit]!
      weighted += this.plane.weight[hit]! * this.plane.coordinate[hit]!
    }
    return sum === 0 ? 0 : weighted / sum
  }

  add(cluster: number): void {
    const { from, to, hits } = this.plane
    for (let i = from[cluster]!; i < to[cluster]!; i++) this.hits[this.length++] = hits[i]!
  }
}

type Both<T> = readonly [a: T, b: T]

/**
 * Clusters of both planes in the order of their times, each added to the event of its plane; `close` before one that begins
 * more than `gap` behind the others. It ends at the first that ends at `until` or later.
 */
export function matchClusters(
  [a, b]: Both<HitPlane>,
  [eventA, eventB]: Both<PlaneHits>,
  { gap, until }: { readonly gap: number; readonly until: number },
  close: () => void
): void {
  let [i, j, start, end] = [0, 0, Infinity, -Infinity]
  while (i < a.count || j < b.count) {
    const isA = j === b.count || (i < a.count && a.start[a.clusters[i]!]! <= b.start[b.clusters[j]!]!)
    const plane = isA ? a : b
    const cluster = isA ? a.clusters[i]! : b.clusters[j]!
    const [from, to] = [plane.start[cluster]!, plane.end[cluster]!]
    if (!(to < until)) break
    if (isA) i++
    else j++
    if (from - end > gap && end >= start) {
      close()
      start = Infinity
      end = -Infinity
    }
    start = Math.min(start, from)
    end = Math.max(end, to)
    const event = isA ? eventA : eventB
    event.add(cluster)
  }
}

export interface BuilderOptions {
  readonly clusteringGap: number
  readonly matchingGap: number
  /** Lowest and highest charge of one plane by that of the other; null: events are not split. */
  readonly split: readonly [low: number, high: number] | null
}

export class EventBuilder {
  readonly a = new HitPlane()
  readonly b = new HitPlane()
  readonly #eventA = new PlaneHits(this.a)
  readonly #eventB = new PlaneHits(this.b)
  readonly #parts = [this.a, this.a, this.b, this.b].map((plane) => new PlaneHits(plane)) as [PlaneHits, PlaneHits, PlaneHits, PlaneHits] // prettier-ignore

  constructor(
    readonly options: BuilderOptions,
    readonly emit: (a: PlaneHits, b: PlaneHits) => void
  ) {}

  /** All hits become events. */
  flush(): void {
    const { a, b, options } = this
    if (a.length + b.length === 0) return
    a.cluster(options.clusteringGap)
    b.cluster(options.clusteringGap)
    matchClusters([a, b], [this.#eventA, this.#eventB], { gap: options.matchingGap, until: Infinity }, () => this.#close()) // prettier-ignore
    this.#close()
    a.clear()
    b.clear()
  }

  #close(): void {
    const [a, b] = [this.#eventA, this.#eventB]
    const { split } = this.options
    if (split !== null && (a.span >= WIDE || b.span >= WIDE)) this.#split(split)
    else this.emit(a, b)
    a.length = 0
    b.length = 0
  }

  /** Two neutrons at once: parts of both planes belong together by their charge. */
  #split(limits: readonly [number, number]): void {
    const [a1, a2, b1, b2] = this.#parts
    cut(this.#eventA, a1, a2)
    cut(this.#eventB, b1, b2)
    const straight = fits(a1, b1, limits) && fits(a2, b2, limits)
    const crossed = fits(a1, b2, limits) && fits(a2, b1, limits)
    if (straight === crossed) return
    const [one, other] = straight ? [b1, b2] : [b2, b1]
    if (a1.length + one.length > 0) this.emit(a1, one)
    if (a2.length + other.length > 0) this.emit(a2, other)
  }
}

const fits = (a: PlaneHits, b: PlaneHits, [low, high]: readonly [number, number]): boolean =>
  a.charge * low <= b.charge && b.charge <= a.charge * high

/** At the first step; a second one leaves nothing of both. */
function cut(event: PlaneHits, first: PlaneHits, second: PlaneHits): void {
  const { coordinate } = event.plane
  sort(event.hits, 0, event.length, coordinate)
  first.length = 0
  second.length = 0
  let into = first
  for (let i = 0; i < event.length; i++) {
    const hit = event.hits[i]!
    if (i > 0 && coordinate[hit]! - coordinate[event.hits[i - 1]!]! > WIDE) {
      if (into === second) {
        first.length = 0
        second.length = 0
        return
      }
      into = second
    }
    into.hits[into.length++] = hit
  }
}
