// The fast sample environment: each run of samples becomes values, and if it shall an event.
import {
  type Counter,
  countersOf,
  type Packet,
  type Readout,
  type ReadoutSetup
} from '../service-event-formation/readout-kit.js'
import { type AdcConfig } from './config.js'
import { packetErrors, readPacket, type SampleRun } from './packet.js'
import { peakOf } from './peak.js'
import { ChannelPeaks } from './peaks.js'
import { ChannelSamples } from './samples.js'

/** Channels that a box has; a packet that names more is hostile. */
const MOST_CHANNELS = 256

interface AdcChannel {
  readonly samples: ChannelSamples
  readonly peaks: ChannelPeaks
  readonly events: Counter
}

export class AdcReadout implements Readout {
  readonly #channels = new Map<number, AdcChannel>()
  readonly #packets: Readonly<Record<'total' | 'idle' | 'data', Counter>>
  readonly #errors: Counter
  readonly #kinds: Readonly<Record<(typeof packetErrors)[number], Counter>>
  readonly #noChannel: Counter

  constructor(
    readonly config: AdcConfig,
    readonly setup: ReadoutSetup
  ) {
    const { counter } = setup
    this.#packets = countersOf(['total', 'idle', 'data'], (name) => counter(`parser.packets.${name}`))
    this.#errors = counter('parser.errors')
    this.#kinds = countersOf(packetErrors, (name) => counter(`parser.errors.${name.toLowerCase()}`))
    this.#noChannel = counter('parser.errors.channel')
  }

  process({ view, from, to }: Packet): void {
    this.#packets.total.value++
    const kind = readPacket(view, from, to, (run) => this.#take(run))
    if (kind === 'data' || kind === 'idle') {
      this.#packets[kind].value++
      return
    }
    this.#errors.value++
    this.#kinds[kind].value++
  }

  /** What the field's program keeps for half a second. */
  flush(): void {
    for (const { peaks } of this.#channels.values()) peaks.flush()
  }

  end(): void {
    this.flush()
  }

  #take(run: SampleRun): void {
    const channel = this.#channel(run.channel)
    if (channel === undefined) {
      this.#noChannel.value++
      return
    }
    if (this.config.peak_detection && run.samples.length > 0) {
      channel.events.value++
      channel.peaks.add(peakOf(run, this.setup.compatible), run.referenceNs)
    }
    const message = this.config.serialize_samples ? channel.samples.message(run) : undefined
    if (message !== undefined) this.setup.message(message)
  }

  #channel(number: number): AdcChannel | undefined {
    const known = this.#channels.get(number)
    if (known !== undefined || number >= MOST_CHANNELS) return known
    const channel = {
      samples: new ChannelSamples(number, this.config),
      peaks: new ChannelPeaks(this.config.name, number, this.setup.message),
      events: this.setup.counter(`events.adc0_ch${number}`)
    }
    this.#channels.set(number, channel)
    return channel
  }
}
