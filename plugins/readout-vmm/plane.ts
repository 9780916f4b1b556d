// Hits of one plane of a cassette in one packet, and the clusters that they make: typed arrays, sorted by insertion, since they are few.

/** As many readouts as fit into a packet. */
const MOST = 448

export class HitPlane {
  readonly time = new Float64Array(MOST)
  readonly coordinate = new Uint16Array(MOST)
  readonly weight = new Uint16Array(MOST)
  length = 0
  /** Hits of cluster c are `hits[from[c]]` to before `hits[to[c]]`. */
  readonly hits = new Uint16Array(MOST)
  readonly from = new Uint16Array(MOST)
  readonly to = new Uint16Array(MOST)
  readonly start = new Float64Array(MOST)
  readonly end = new Float64Array(MOST)
  /** Clusters by their start. */
  readonly clusters = new Uint16Array(MOST)
  count = 0

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

  /** Hits further apart than `gap` are of different clusters, and so is each strip or wire. */
  cluster(gap: number): void {
    const { hits, time, length } = this
    sort(hits, 0, length, time)
    let first = 0
    for (let i = 1; i <= length; i++) {
      if (i < length && time[hits[i]!]! - time[hits[i - 1]!]! <= gap) continue
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
