// Hits of one plane of a cassette in one packet, and the clusters that they make: typed arrays, sorted by insertion, since they are few.

/** As many readouts as fit into a packet. */
export const PACKET_HITS = 448

export class HitPlane {
  readonly time: Float64Array
  readonly coordinate: Uint16Array
  readonly weight: Uint16Array
  length = 0
  /** Hits of cluster c are `hits[from[c]]` to before `hits[to[c]]`. */
  readonly hits: Uint16Array
  readonly from: Uint16Array
  readonly to: Uint16Array
  readonly start: Float64Array
  readonly end: Float64Array
  /** Clusters by their start. */
  readonly clusters: Uint16Array
  count = 0

  /** @param most - hits that it has room for */
  constructor(readonly most = PACKET_HITS) {
    this.time = new Float64Array(most)
    this.coordinate = new Uint16Array(most)
    this.weight = new Uint16Array(most)
    this.hits = new Uint16Array(most)
    this.from = new Uint16Array(most)
    this.to = new Uint16Array(most)
    this.start = new Float64Array(most)
    this.end = new Float64Array(most)
    this.clusters = new Uint16Array(most)
  }

  add(time: number, coordinate: number, weight: number): void {
    const { length } = this
    this.time[length] = time
    this.coordinate[length] = coordinate
    this.weight[length] = weight
    this.hits[length] = length
    this.length = length + 1
  }

  clear(): void {
    this.length = 0
    this.count = 0
  }

  /** Hits further apart than `gap` are of different clusters, and so is each strip or wire. With `isOpen` the last may go on: it is none yet. */
  cluster(gap: number, isOpen = false): void {
    const { hits, time, length } = this
    sort(hits, 0, length, time)
    this.count = 0
    let first = 0
    for (let i = 1; i <= length; i++) {
      if (i < length && time[hits[i]!]! - time[hits[i - 1]!]! <= gap) continue
      if (i === length && isOpen) break
      this.#cut(first, i)
      first = i
    }
    for (let c = 0; c < this.count; c++) this.clusters[c] = c
    sort(this.clusters, 0, this.count, this.start)
  }

  #cut(from: number, to: number): void {
    const { hits, coordinate } = this
    sort(hits, from, to, coordinate)
    let first = from
    for (let i = from + 1; i <= to; i++) {
      if (i < to && coordinate[hits[i]!] === coordinate[hits[i - 1]!]) continue
      this.#put(first, i)
      first = i
    }
  }

  #put(from: number, to: number): void {
    const { hits, time, count } = this
    let [start, end] = [Infinity, -Infinity]
    for (let i = from; i < to; i++) {
      const at = time[hits[i]!]!
      if (at < start) start = at
      if (at > end) end = at
    }
    this.from[count] = from
    this.to[count] = to
    this.start[count] = start
    this.end[count] = end
    this.count = count + 1
  }
}

/** Sorts part of a list of numbers of things by their keys; equal ones stay as they are. */
export function sort(list: Uint16Array, from: number, to: number, keys: ArrayLike<number>): void {
  for (let i = from + 1; i < to; i++) {
    const item = list[i]!
    const key = keys[item]!
    let j = i - 1
    while (j >= from && keys[list[j]!]! > key) {
      list[j + 1] = list[j]!
      j--
    }
    list[j + 1] = item
  }
}
