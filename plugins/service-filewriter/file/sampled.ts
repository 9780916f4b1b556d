// Events whose histogram is that of a file: each count of a bin becomes one event in it. The same seed makes the same events.
import { type EventsPlayed, type PlayedNumbers } from './rows.js'

export interface Sampling {
  readonly seed: number
  /** How long the measurement is to take. */
  readonly durationMs: number
}

/** Counts of a group by pixel and time of flight. */
export interface CountedHistogram {
  readonly path: string
  /** Whole numbers. */
  readonly counts: PlayedNumbers
  readonly shape: readonly number[]
  /** Which dimension is the time of flight. */
  readonly timeAxis: number
  /** ns after the pulse, one more than bins, ascending; each bin holds a whole number of ns. */
  readonly edgesNs: readonly number[]
  /** Of each pixel; 1, 2, … without. */
  readonly pixelIds: PlayedNumbers | undefined
}

export interface Beam {
  readonly startNs: bigint
  readonly pulsesPerSecond: number
}

const HALF_ROUNDS = 4
const [MIX_A, MIX_B, STEP] = [0x85eb_ca6b, 0xc2b2_ae35, 0x9e37_79b9]

/** Spreads every bit of x over 32. */
function mixed(x: number): number {
  let mix = x >>> 0
  mix = Math.imul(mix ^ (mix >>> 16), MIX_A)
  mix = Math.imul(mix ^ (mix >>> 13), MIX_B)
  return (mix ^ (mix >>> 16)) >>> 0
}

/** A permutation of 0 … count - 1 without a list of it: a Feistel network over the next power of four, walked until it is within. */
export class Shuffle {
  readonly #half: number
  readonly #keys: readonly number[]
  constructor(
    readonly count: number,
    seed: number
  ) {
    this.#half = Math.max(1, Math.ceil(Math.log2(Math.max(2, count)) / 2))
    this.#keys = Array.from({ length: HALF_ROUNDS }, (_, round) => mixed(seed + Math.imul(round + 1, STEP)))
  }

  at(i: number): number {
    const size = 2 ** this.#half
    let value = i
    do {
      let [left, right] = [Math.floor(value / size), value % size]
      for (const key of this.#keys) [left, right] = [right, (left ^ mixed(right ^ key)) & (size - 1)]
      // Halves of up to 26 bits: numbers hold both
      value = (left >>> 0) * size + (right >>> 0)
    } while (value >= this.count)
    return value
  }
}

export function sampled(histogram: CountedHistogram, { seed, durationMs }: Sampling, beam: Beam): EventsPlayed {
  const { path, counts, shape, timeAxis, edgesNs, pixelIds } = histogram
  const sums = new Float64Array(counts.length + 1)
  for (let cell = 0; cell < counts.length; cell++) sums[cell + 1] = sums[cell]! + Number(counts[cell])
  const events = sums.at(-1)!
  const bins = shape[timeAxis]!
  const inner = shape.slice(timeAxis + 1).reduce((product, n) => product * n, 1)
  const pulses = Math.max(1, Math.round((durationMs / 1000) * beam.pulsesPerSecond))
  // Groups of one file do not look alike
  const own = [...path].reduce((hash, char) => mixed(hash ^ char.charCodeAt(0)), mixed(seed))
  const shuffle = new Shuffle(events, own)
  return {
    kind: 'events',
    path,
    isSampled: true,
    count: pulses,
    *rows() {
      for (let pulse = 0; pulse < pulses; pulse++) {
        const from = Math.floor((events * pulse) / pulses)
        const count = Math.floor((events * (pulse + 1)) / pulses) - from
        const [timeOfFlight, pixelId] = [new Int32Array(count), new Int32Array(count)]
        for (let i = 0; i < count; i++) {
          const cell = cellOf(sums, shuffle.at(from + i))
          const bin = Math.floor(cell / inner) % bins
          const pixel = Math.floor(cell / (inner * bins)) * inner + (cell % inner)
          const low = Math.ceil(edgesNs[bin]!)
          const share = mixed(own ^ mixed(from + i)) / 2 ** 32
          timeOfFlight[i] = low + Math.floor(share * (Math.ceil(edgesNs[bin + 1]!) - low))
          pixelId[i] = pixelIds === undefined ? pixel + 1 : Number(pixelIds[pixel])
        }
        const timeNs = beam.startNs + BigInt(Math.round((pulse * 1e9) / beam.pulsesPerSecond))
        yield { timeNs, timeOfFlight, pixelId }
      }
    }
  }
}

/** The cell in which the n-th count lies. */
function cellOf(sums: Float64Array, n: number): number {
  let [low, high] = [0, sums.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (sums[middle]! <= n) low = middle
    else high = middle
  }
  return low
}
