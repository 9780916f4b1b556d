// Sends a histogram: when it has changed and is due, or to be seen to be alive; never two at a time.
import { type Producer } from '../../../core/api/plugin.js'
import { type Converter } from '../../../schemas/index.js'
import { discard } from './discard.js'
import { type Histogram } from './histogram.js'
import { type MessageMaker } from './message.js'
import { type JobSpec } from './protocol.js'

export interface OutletTools {
  /** That of the histogram's format. */
  readonly converter: Converter
  readonly producer: Producer
  /** For large messages: compresses. */
  readonly packer: Producer
  readonly maker: MessageMaker
  /** A message could not be sent. */
  readonly failed: (error: Error) => void
}

/** Brokers refuse larger ones by default; images are sparse, most of them far below when compressed. */
const LARGE = 1_000_000

export class HistogramOutlet {
  #version = -1
  #sentMs = 0
  #bytes = 0
  /** Of what was sent last. */
  #sum = 0
  #pulseNs = 0n
  #state = ''
  #diff = 0
  #underWay = 0
  /** It was due while the one before was under way. */
  #isLate = false
  #free: (() => void)[] = []
  readonly #startedMs = Date.now()

  constructor(
    readonly histogram: Histogram,
    readonly job: JobSpec,
    readonly tools: OutletTools
  ) {}

  /** Is due. */
  beat(nowMs: number): void {
    const { keepAliveMs, keepAliveBytes } = this.job
    this.#isLate = this.#underWay > 0
    if (this.#isLate) return
    const isKept = keepAliveMs > 0 && this.#bytes <= keepAliveBytes && nowMs - this.#sentMs >= keepAliveMs
    if (this.histogram.version !== this.#version || isKept) this.send(nowMs)
  }

  /** Counts begin anew: the rate, too. */
  reset(): void {
    this.#sum = 0
    this.#pulseNs = 0n
  }

  send(nowMs: number): void {
    const { histogram } = this
    this.#measure(nowMs)
    this.#version = histogram.version
    this.#sentMs = nowMs
    this.#state = histogram.state
    const value = this.#made()
    if (value === undefined) return
    this.#bytes = value.length
    histogram.sent++
    histogram.shown()
    this.#underWay++
    const headers = [['hist_id', Buffer.from(histogram.spec.id)]] as const
    const { producer, packer } = this.tools
    const via = value.length < LARGE ? producer : packer
    via.send({ topic: histogram.spec.topic, partition: 0, value, headers }, (error) => {
      this.#underWay--
      if (error !== null) this.tools.failed(error)
      if (this.#underWay > 0) return
      for (const resolve of this.#free.splice(0)) resolve()
      // Not before what else has happened meanwhile is looked at: counting goes on
      if (this.#isLate) setImmediate(() => this.#catchUp())
    })
    // The producer has a copy
    discard(value.buffer)
  }

  #catchUp(): void {
    if (this.#isLate && this.histogram.state !== 'FINISHED') this.beat(Date.now())
  }

  /** The last word: all counts while counting, since clients leave at FINISHED without looking at its data. */
  async finish(): Promise<void> {
    const { histogram } = this
    if (histogram.state === 'COUNTING' && (histogram.version !== this.#version || this.#state !== 'COUNTING')) {
      await this.settled()
      this.send(Date.now())
    }
    await this.settled()
    if (histogram.state !== 'ERROR') histogram.state = 'FINISHED'
    this.send(Date.now())
    await this.settled()
  }

  /** Kafka has everything, or never will. */
  settled(): Promise<void> {
    return this.#underWay === 0 ? Promise.resolve() : new Promise((resolve) => this.#free.push(resolve))
  }

  /** Undefined when it cannot be encoded: that is one message that could not be sent, not the end of what others count. */
  #made(): Uint8Array | undefined {
    try {
      return this.tools.maker.make(this.histogram, this.tools.converter, this.job, this.#diff)
    } catch (error) {
      this.tools.failed(error as Error)
      return undefined
    }
  }

  /** `diff` and `rate` of what is new; they stay when nothing is. */
  #measure(nowMs: number): void {
    const { histogram } = this
    const { counted, lastPulseNs, firstPulseNs } = histogram
    const diff = counted - this.#sum
    if (this.#version >= 0 && diff === 0 && histogram.state === 'FINISHED') return
    this.#diff = diff
    const from = this.#pulseNs === 0n ? firstPulseNs : this.#pulseNs
    const pulses = Number(lastPulseNs - from) / 1e9
    const clock = (nowMs - (this.#sentMs === 0 ? this.#startedMs : this.#sentMs)) / 1000
    histogram.rate = diff === 0 ? 0 : diff / (pulses > 0 ? pulses : Math.max(clock, 0.001))
    this.#sum = counted
    this.#pulseNs = lastPulseNs
  }
}
