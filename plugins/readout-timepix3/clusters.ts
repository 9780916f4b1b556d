// Hits of one packet to events: those near in time and place are one.
import { type Timepix3Config } from './config.js'

/** As many words as the largest packet has. */
const MOST = 1125
const PLACES = 2048

export interface CameraEvent {
  /** Of the first hit, ns as hits have it; and from it to the last. */
  time: number
  span: number
  hits: number
  /** Sum of times over threshold, and the centre by them. */
  weight: number
  x: number
  y: number
}

export class HitClusters {
  readonly #time = new Float64Array(MOST)
  readonly #x = new Uint16Array(MOST)
  readonly #y = new Uint16Array(MOST)
  readonly #weight = new Uint16Array(MOST)
  readonly #order = new Uint16Array(MOST)
  readonly #keys = new Float64Array(MOST)
  readonly #isTaken = new Uint8Array(MOST)
  #length = 0
  /** The one that is told; used again for the next. */
  readonly #event: CameraEvent = { time: 0, span: 0, hits: 0, weight: 0, x: 0, y: 0 }
  readonly #reach: number

  constructor(
    readonly config: Timepix3Config,
    readonly emit: (event: CameraEvent) => void
  ) {
    this.#reach = config.MaxCoordinateGap ** 2
  }

  add(time: number, x: number, y: number, weight: number): void {
    const i = this.#length++
    this.#time[i] = time
    this.#x[i] = x
    this.#y[i] = y
    this.#weight[i] = weight
  }

  flush(): void {
    const [order, time, length] = [this.#order, this.#time, this.#length]
    // Whole numbers below 2⁴²: sorted without a call for each pair, those of one time as they came
    const keys = this.#keys
    for (let i = 0; i < length; i++) keys[i] = time[i]! * PLACES + i
    keys.subarray(0, length).sort()
    for (let i = 0; i < length; i++) order[i] = keys[i]! - Math.floor(keys[i]! / PLACES) * PLACES
    this.#isTaken.fill(0, 0, length)
    let first = 0
    for (let i = 1; i <= length; i++) {
      if (i < length && time[order[i]!]! - time[order[i - 1]!]! <= this.config.MaxTimeGapNS) continue
      for (let j = first; j < i; j++) if (this.#isTaken[order[j]!] === 0) this.#gather(j, i)
      first = i
    }
    this.#length = 0
  }

  /** The hit, and all that come after it and are near to it. */
  #gather(from: number, to: number): void {
    const event = this.#event
    const first = this.#order[from]!
    const [x, y] = [this.#x[first]!, this.#y[first]!]
    let [sumX, sumY, end] = [0, 0, 0]
    event.time = this.#time[first]!
    event.hits = 0
    event.weight = 0
    for (let i = from; i < to; i++) {
      const hit = this.#order[i]!
      const [dx, dy] = [this.#x[hit]! - x, this.#y[hit]! - y]
      if (this.#isTaken[hit] === 1 || (hit !== first && dx * dx + dy * dy >= this.#reach)) continue
      this.#isTaken[hit] = 1
      const weight = this.#weight[hit]!
      event.hits++
      event.weight += weight
      sumX += weight * this.#x[hit]!
      sumY += weight * this.#y[hit]!
      end = this.#time[hit]!
    }
    event.span = end - event.time
    event.x = event.weight === 0 ? x : sumX / event.weight
    event.y = event.weight === 0 ? y : sumY / event.weight
    this.emit(event)
  }
}
