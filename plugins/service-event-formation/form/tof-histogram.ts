// Histogram over the time of flight of one source, of one or several pulses, as da00.
import { encodeMessage } from '../../../schemas/index.js'
import { type TofHistogramOptions, type TofHistogramSink } from '../readout-kit.js'
import { type FormationClock } from './clock.js'
import { type NamedCounters } from './counters.js'
import { type SendFormed } from './message.js'

const INT32 = 5
const INT64 = 7
const UINT64 = 8
const MOST = 2 ** 31 - 1
/** So many pulses at 14 Hz are no longer than that many ns. */
const NARROW_FRAMES = 30

const bytesOf = (array: Int32Array | BigInt64Array | BigUint64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

export class TofHistogram implements TofHistogramSink {
  readonly #width: number
  readonly #sums: Float64Array
  readonly #counts: Uint32Array
  readonly #edges: Int32Array
  readonly #over
  readonly #saturated
  /** Pulses that are in, and the sum of each; the last is the present one. */
  #times: bigint[] = []
  #totals: number[] = []
  #total = 0
  #entries = 0
  #first: bigint | undefined

  constructor(
    readonly source: string,
    readonly options: TofHistogramOptions,
    readonly clock: FormationClock,
    counters: NamedCounters,
    readonly send: SendFormed
  ) {
    this.#width = Math.trunc(options.maxTof / options.bins)
    this.#sums = new Float64Array(options.bins)
    this.#counts = new Uint32Array(options.bins)
    this.#edges = Int32Array.from({ length: options.bins + 1 }, (_, i) => i * this.#width)
    this.#over = counters.get(`serialize.${source}.tof_over_max_dropped`)
    this.#saturated = counters.get(`serialize.${source}.signal_over_max`)
  }

  add(tof: number, weight: number): void {
    const bin = Math.trunc(tof / this.#width)
    if (bin >= this.#sums.length) {
      this.#over.value++
      return
    }
    this.#sums[bin]! += weight
    this.#counts[bin]! += 1
    this.#total += weight
    this.#entries++
  }

  /** Only what ends with a pulse is whole. */
  flush(): void {}

  pulseEnds(): void {
    const { pulseNs } = this.clock
    this.#first ??= pulseNs
    this.#times.push(pulseNs)
    this.#totals.push(this.#total)
    this.#total = 0
    if (this.#times.length >= this.options.frames) this.finish()
  }

  /** Sends the pulses so far. */
  finish(): void {
    if (this.#total > 0 || this.#times.length === 0) {
      this.#times.push(this.clock.pulseNs)
      this.#totals.push(this.#total)
    }
    if (this.#entries > 0) this.#make()
    this.#times = []
    this.#totals = []
    this.#total = 0
    this.#entries = 0
    this.#sums.fill(0)
    this.#counts.fill(0)
  }

  #make(): void {
    const times = this.#times
    const last = times.at(-1)!
    // The field's program counts from the first pulse since its start, in 32 bits
    const from = this.clock.compatible ? (this.#first ?? last) : times[0]!
    const signal = Int32Array.from(this.#sums, (sum, i) => {
      const value = this.options.average && this.#counts[i]! > 0 ? Math.trunc(sum / this.#counts[i]!) : sum
      if (value > MOST) this.#saturated.value++
      return Math.min(MOST, value)
    })
    const isWide = !this.clock.compatible && (this.options.frames > NARROW_FRAMES || last - from > MOST)
    const offsets = isWide
      ? BigInt64Array.from(times, (time) => time - from)
      : Int32Array.from(times, (time) => Number(BigInt.asIntN(32, time - from)))
    const totals = BigUint64Array.from(this.#totals, (total) => BigInt(total))
    const variable = (
      name: string,
      unit: string,
      axis: string,
      type: number,
      array: Int32Array | BigInt64Array | BigUint64Array
    ) => ({
      name,
      unit,
      axes: [axis],
      data_type: { value: type },
      shape: [array.length],
      data: bytesOf(array)
    })
    const data = [
      variable('frame_time', 'ns', 'frame_time', INT32, this.#edges),
      variable('signal', 'A', 'frame_time', INT32, signal),
      variable('reference_time', 'ns', 'reference_time', isWide ? INT64 : INT32, offsets),
      variable('frame_total', 'counts', 'reference_time', UINT64, totals)
    ]
    const value = encodeMessage('da00', { source_name: this.source, timestamp: last, data })
    this.send({ kind: 'events', source: this.source, value, events: this.#entries })
  }
}
