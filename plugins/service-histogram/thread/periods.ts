// Periods of pulses: pu00 says which, perhaps after the events of the pulse, which then wait for it.
import { element, type EventRecord, type Vector } from '../../../schemas/index.js'
import { type EventVectors, Events, piecesOf } from '../bins/events.js'
import { type Histogram } from './histogram.js'

/** Pulses whose period is remembered. */
const MOST_PULSES = 16_384
/** Events that wait for their period, in bytes … */
const MOST_WAITING = 64 << 20
/** … with so many for each entry itself: empty pulses wait, too. */
const ENTRY_BYTES = 1024

interface Waiting {
  readonly histogram: Histogram
  readonly vectors: EventVectors
  readonly bytes: number
}

export class PeriodBook {
  readonly #periods = new Map<bigint, number>()
  readonly #waiting = new Map<bigint, Waiting[]>()
  readonly #events = new Events()
  #bytes = 0

  /** @param lose - so many messages have no period that is counted, for this reason */
  constructor(readonly lose: (reason: string) => void) {}

  learn(pulseNs: bigint, period: number): void {
    this.#periods.set(pulseNs, period)
    if (this.#periods.size > MOST_PULSES) this.#periods.delete(this.#periods.keys().next().value!)
    const waiting = this.#waiting.get(pulseNs)
    if (waiting === undefined) return
    this.#waiting.delete(pulseNs)
    for (const { histogram, vectors, bytes } of waiting) {
      this.#bytes -= bytes
      this.count(histogram, vectors, period)
    }
  }

  /** Events of one pulse: counted now, or when its period is known. */
  take(histogram: Histogram, record: EventRecord): void {
    const pulseNs = BigInt(element(record.referenceTime, 0))
    const period = this.#periods.get(pulseNs)
    if (period !== undefined) return this.count(histogram, record, period)
    // Nothing else is kept: it would hold the buffer that it lies in
    const vectors = { timeOfFlight: copy(record.timeOfFlight), pixelId: copy(record.pixelId) }
    const bytes = ENTRY_BYTES + vectors.timeOfFlight.bytes.length + vectors.pixelId.bytes.length
    const waiting = this.#waiting.get(pulseNs) ?? []
    this.#waiting.set(pulseNs, waiting)
    waiting.push({ histogram, vectors, bytes })
    this.#bytes += bytes
    while (this.#bytes > MOST_WAITING) this.#forget(this.#waiting.keys().next().value!)
  }

  count(histogram: Histogram, vectors: EventVectors, period: number): void {
    if (period >= (histogram.spec.periods?.count ?? 0)) return this.lose('other_period')
    for (const piece of piecesOf(vectors)) histogram.take(this.#events.set(piece), period)
  }

  /** Nothing more comes. */
  end(): void {
    for (const pulseNs of [...this.#waiting.keys()]) this.#forget(pulseNs)
  }

  #forget(pulseNs: bigint): void {
    for (const { bytes } of this.#waiting.get(pulseNs) ?? []) {
      this.#bytes -= bytes
      this.lose('no_period')
    }
    this.#waiting.delete(pulseNs)
  }
}

const copy = (vector: Vector): Vector => ({ ...vector, bytes: new Uint8Array(vector.bytes) })
