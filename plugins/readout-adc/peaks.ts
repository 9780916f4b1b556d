// Peaks of one channel as events of ev42, with what is known of each beside them.
import { encodeMessage, type Vector } from '../../schemas/index.js'
import { type ReadyMessage } from '../service-event-formation/readout-kit.js'
import { type Peak } from './peak.js'
import { vectorOf } from './vector.js'

/** As many as the field's program puts into one message. */
const MOST = 200
/** Pixels below are those of the delay line. */
const FIRST_PIXEL = 512 * 512
const LONGEST = 2n ** 32n

export class ChannelPeaks {
  readonly #source: string
  #messages = 0
  #referenceNs = 0n
  #peaks: Peak[] = []

  constructor(
    name: string,
    readonly channel: number,
    readonly send: (message: ReadyMessage) => void
  ) {
    this.#source = `${name}_Adc0_Ch${channel}`
  }

  /** One that is not within 4 s after the reference is its own reference. */
  add(peak: Peak, referenceNs: bigint): void {
    const isAfter = peak.thresholdNs >= referenceNs && peak.thresholdNs - referenceNs < LONGEST
    const reference = isAfter ? referenceNs : peak.thresholdNs
    if (this.#referenceNs !== reference) this.flush()
    this.#referenceNs = reference
    this.#peaks.push(peak)
    if (this.#peaks.length === MOST) this.flush()
  }

  flush(): void {
    const peaks = this.#peaks
    if (peaks.length === 0) return
    this.#peaks = []
    const words = (of: (peak: Peak) => number): Vector => vectorOf('uint32', Uint32Array.from(peaks, of))
    const times = (of: (peak: Peak) => bigint): Vector => vectorOf('uint64', BigUint64Array.from(peaks, of))
    const value = encodeMessage('ev42', {
      source_name: this.#source,
      message_id: ++this.#messages,
      pulse_time: this.#referenceNs,
      time_of_flight: words(({ thresholdNs }) => Number(thresholdNs - this.#referenceNs)),
      detector_id: words(() => FIRST_PIXEL + this.channel),
      facility_specific_data: {
        type: 'AdcPulseDebug',
        value: {
          amplitude: words(({ amplitude }) => amplitude),
          peak_area: words(({ area }) => area >>> 0),
          background: words(({ background }) => background),
          threshold_time: times(({ thresholdNs }) => thresholdNs),
          peak_time: times(({ peakNs }) => peakNs)
        }
      }
    })
    this.send({ source: this.#source, value, events: peaks.length })
  }
}
