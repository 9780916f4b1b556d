// Samples of one channel as messages of senv: single ones, or means of several, which may go on from one run to the next.
import { encodeMessage } from '../../schemas/index.js'
import { type ReadyMessage } from '../service-event-formation/readout-kit.js'
import { type AdcConfig } from './config.js'
import { type SampleRun, timeOf } from './packet.js'
import { vectorOf } from './vector.js'

/** Number of a place in the enum of the schema, and the share of a value's time before it. */
const places = { Start: [1, 0], Middle: [2, 0.5], End: [3, 1] } as const
const NS_PER_MS = 1_000_000n

export class ChannelSamples {
  #counter = 0
  #sum = 0
  #summed = 0
  /** Of the first sample of the sum. */
  #firstNs = 0n

  constructor(
    readonly channel: number,
    readonly config: AdcConfig
  ) {}

  /** Undefined while no value is full. */
  message({ samples, oversampling, clock, seconds, fraction }: SampleRun): ReadyMessage | undefined {
    const { name, mean_of_samples: mean, time_stamp_loc: place, sample_timestamp: hasTimes } = this.config
    const values = new Uint16Array(Math.floor((this.#summed + samples.length) / mean))
    const times = new BigUint64Array(values.length)
    const parts = mean * oversampling || 1
    const [location, share] = places[place]
    const laterNs = BigInt(Math.round(share * clock.cycle * (parts - 1)))
    let made = 0
    for (let i = 0; i < samples.length; i++) {
      if (this.#summed === 0)
        this.#firstNs = timeOf(clock, seconds, fraction, i * oversampling - Math.max(0, oversampling - 1))
      this.#sum += samples[i]!
      if (++this.#summed < mean) continue
      values[made] = Math.trunc(this.#sum / parts)
      times[made++] = this.#firstNs + laterNs
      this.#sum = 0
      this.#summed = 0
    }
    if (made === 0) return undefined
    const source = `${name}_Adc0_Ch${this.channel}_waveform`
    const value = encodeMessage('senv', {
      Name: source,
      Channel: this.channel,
      PacketTimestamp: times[0]!,
      TimeDelta: parts * clock.cycle,
      TimestampLocation: location,
      Values: { type: 'UInt16Array', value: { value: vectorOf('uint16', values) } },
      ...(hasTimes && { Timestamps: vectorOf('uint64', times) }),
      MessageCounter: this.#counter++
    })
    return { source, value, events: made, timestampMs: Number(times[0]! / NS_PER_MS) }
  }
}
