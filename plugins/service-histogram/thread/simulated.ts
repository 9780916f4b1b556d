// Made-up events for each histogram of a job: around the middle of its axes, so that clients have something to see.
import { type Vector } from '../../../schemas/index.js'
import { Events } from '../bins/events.js'
import { type HistogramSpec } from '../spec.js'
import { type Histogram } from './histogram.js'
import { vector } from './vectors.js'

/** Per histogram and time. */
const EVENTS = 1000
export const SIMULATED_MS = 100

export class SimulatedEvents {
  readonly #events = new Events()

  /** Counts a pulse of this moment; gives how many events were made. */
  pulse(histograms: readonly Histogram[]): number {
    const ns = BigInt(Date.now()) * 1_000_000n
    for (const histogram of histograms) {
      const { spec } = histogram
      const times = Int32Array.from({ length: EVENTS }, () => around(endsOf(spec.tofEdges) ?? [0, 100_000_000]))
      const pixels = Int32Array.from({ length: EVENTS }, () => pixelOf(spec))
      const record = { timeOfFlight: numbers(times), pixelId: numbers(pixels) }
      histogram.heard(ns)
      if (spec.monitor !== undefined) histogram.hearMonitor(EVENTS)
      histogram.take(this.#events.set(record), Math.floor(Math.random() * (spec.periods?.count ?? 1)))
    }
    return EVENTS * histograms.length
  }
}

const numbers = (array: Int32Array): Vector => vector('int32', array)
const endsOf = (edges: Float64Array | null): readonly [number, number] | undefined =>
  edges === null ? undefined : [edges[0]!, edges.at(-1)!]

/** A bell, about a quarter of the range wide, without tails beyond its ends. */
function around([low, high]: readonly [number, number]): number {
  let sum = 0
  for (let i = 0; i < 6; i++) sum += Math.random()
  return Math.round(low + (sum / 6) * (high - low))
}

function pixelOf({ kind, dimensions, firstPixel, pixelEdges, pixels, map, turned }: HistogramSpec): number {
  if (kind === 'image') {
    const [y, x] = (turned ? dimensions.toReversed() : dimensions).map(({ length }) => length) as [number, number]
    return firstPixel + Math.min(y - 1, around([0, y])) * x + Math.min(x - 1, around([0, x]))
  }
  if (map !== null) return around([map.first, map.first + map.layers[0]!.length - 1])
  if (kind === 'spectra') return around([firstPixel, firstPixel + dimensions[0]!.length - 1])
  return around(endsOf(pixelEdges) ?? pixels ?? [1, 100])
}
