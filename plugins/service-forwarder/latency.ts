// How long values take: to arrive, to be handed over, to be acknowledged. Measured only once somebody asks.
import { type Detail } from '../../core/api/plugin.js'

/** A sum in seconds and how often. */
export class Latency {
  sum = 0
  count = 0

  add(ms: number): void {
    this.sum += ms / 1000
    this.count++
  }

  detail(latency: string, channel?: string): Detail {
    const { sum, count } = this
    return { of: { latency, ...(channel !== undefined && { channel }) }, counts: { sum, count } }
  }
}

/** Of all messages, and whether anything is measured at all. */
export class Latencies {
  measured = false
  readonly send = new Latency()
}

/** Of one channel. */
export class ChannelLatency {
  /** From the time of the value to its arrival. */
  readonly receive = new Latency()
  /** From its arrival to its handing over. */
  readonly processing = new Latency()

  details(channel: string): Detail[] {
    return [this.processing.detail('processing', channel), this.receive.detail('receive', channel)]
  }
}
