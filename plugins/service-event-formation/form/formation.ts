// From datagrams to messages, without sockets and Kafka: header, pulse, family, events, raw copies; and all counters.
import { encodeMessage } from '../../../schemas/index.js'
import { type Counter, countersOf, type Readout, type ReadoutPart, type ReadoutSetup } from '../readout-kit.js'
import { FormationClock } from './clock.js'
import { NamedCounters } from './counters.js'
import { type EventSchema } from './event-message.js'
import { produceCauses, SourceEvents } from './events.js'
import { EssHeader } from './header.js'
import { type SendFormed } from './message.js'
import { headerShift, LARGEST_PACKET, packetBytes, PacketMemory, READOUTS_AT } from './packet-memory.js'
import { TofHistogram } from './tof-histogram.js'

/** The files of a detector. */
export interface DetectorFiles {
  readonly config: Readonly<Record<string, unknown>>
  readonly calibration: unknown
}

export interface FormationOptions {
  /** Of raw copies. */
  readonly name: string
  readonly compatible: boolean
  readonly schema: EventSchema
  /** Raw copies: of each so many packets that many from the first; 0: none. */
  readonly rawEvery: number
  readonly rawConsecutive: number
  /** Default: that of the process. */
  readonly nowMs?: () => number
}

type Sink = SourceEvents | TofHistogram

export class Formation {
  readonly counters = new NamedCounters()
  /** All packets go out raw, and none becomes events. */
  onlyRaw = false
  readonly #frame: PacketMemory
  readonly #largest: number
  readonly #clock: FormationClock
  readonly #header: EssHeader | undefined
  readonly #events = new Map<string, SourceEvents>()
  readonly #histograms = new Map<string, TofHistogram>()
  #sinks = new Set<Sink>()
  #readout: Readout
  #next: DetectorFiles | undefined
  #rawMessages = 0
  readonly #packets: Counter
  readonly #bytes: Counter
  readonly #rawPackets: Counter
  readonly #tooLarge: Counter
  readonly #causes: SourceEvents['causes']

  constructor(
    readonly part: ReadoutPart,
    files: DetectorFiles,
    readonly options: FormationOptions,
    readonly send: SendFormed
  ) {
    this.#packets = this.counters.get('receive.packets')
    this.#bytes = this.counters.get('receive.bytes')
    this.#rawPackets = this.counters.get('produce.cause.monitor_packets')
    this.#tooLarge = this.counters.get('receive.too_large')
    this.#causes = countersOf(produceCauses, (name) => this.counters.get(`produce.cause.${name}`))
    this.#clock = new FormationClock(this.counters, options.compatible, (keeps) => this.#pulseEnds(keeps))
    this.#header = part.detectorType === null ? undefined : new EssHeader(this.counters, part.detectorType, this.#clock)
    this.#largest = part.largest ?? LARGEST_PACKET
    this.#frame = new PacketMemory(new ArrayBuffer(packetBytes(this.#largest)))
    this.#readout = this.#open(files)
  }

  /** Takes one datagram; its bytes are used up when the call returns. Throws what the family throws. */
  packet(datagram: Uint8Array, sender = 0): void {
    const { length } = datagram
    const at = this.#header === undefined ? 0 : headerShift(datagram[1])
    if (length <= this.#largest) this.#frame.bytes.set(datagram, at)
    this.#frame.sender = sender
    this.packetIn(this.#frame, 0, at, length, datagram)
  }

  /**
   * The same of one that lies in memory already, from `at` on: `headerShift` behind `place`, which is a multiple of 8. Of one that is
   * larger than the family's largest only the length is looked at.
   * @param datagram - what is copied raw; default what lies there
   */
  packetIn(memory: PacketMemory, place: number, at: number, length: number, datagram?: Uint8Array): void {
    this.#packets.value++
    this.#bytes.value += length
    if (this.#isRaw()) {
      // Of one that is too large there may be no bytes
      if (datagram !== undefined || length <= this.#largest) this.#copy(datagram ?? memory.bytes.slice(at, at + length))
      else this.#tooLarge.value++
      if (this.onlyRaw) return
    }
    const header = this.#header
    if (header === undefined) {
      if (length > this.#largest) {
        this.#tooLarge.value++
        return
      }
      memory.from = place
    } else {
      if (!header.admits(length) || header.read(memory.view, at, length) === 0) return
      // Readouts of both versions of the header lie at the same place
      memory.from = place + READOUTS_AT
    }
    memory.to = at + length
    this.#readout.process(memory)
  }

  /** Sends the events that wait. */
  flush(): void {
    this.#readout.flush?.()
    for (const sink of this.#sinks) sink.flush()
  }

  /** Sends all there is. */
  end(): void {
    this.#readout.end?.()
    for (const sink of this.#sinks) {
      sink.flush()
      if (sink instanceof TofHistogram && this.#clock.isSet) sink.finish()
    }
  }

  /** The next pulse is formed with these files; throws when they do not fit, and all stays as it is. */
  reload(files: DetectorFiles): void {
    new Formation(this.part, files, this.options, () => undefined).end()
    this.#next = files
    // Nothing is held of a pulse that has not come
    if (!this.#clock.isSet) this.#renew()
  }

  #isRaw(): boolean {
    const { rawEvery, rawConsecutive } = this.options
    return this.onlyRaw || (rawEvery > 0 && this.#packets.value % rawEvery < rawConsecutive)
  }

  #copy(datagram: Uint8Array): void {
    const { name } = this.options
    this.#rawPackets.value++
    const value = encodeMessage('ar51', { source_name: name, message_id: this.#rawMessages++, raw_data: datagram })
    this.send({ kind: 'raw', source: name, value, events: 0 })
  }

  #pulseEnds(keeps: boolean): void {
    this.#readout.pulseEnds?.()
    if (!keeps) for (const sink of this.#sinks) sink.pulseEnds()
    this.#renew()
  }

  #renew(): void {
    const files = this.#next
    if (files === undefined) return
    this.#next = undefined
    this.end()
    this.#sinks = new Set()
    this.#histograms.clear()
    this.#readout = this.#open(files)
  }

  #open(files: DetectorFiles): Readout {
    return this.part.open(files.config, this.#setup(files))
  }

  #setup({ calibration }: DetectorFiles): ReadoutSetup {
    const { options, counters, send } = this
    const clock = this.#clock
    const known = <S extends Sink>(sinks: Map<string, S>, source: string, make: () => S): S => {
      const sink = sinks.get(source) ?? make()
      sinks.set(source, sink)
      this.#sinks.add(sink)
      return sink
    }
    return {
      calibration,
      compatible: options.compatible,
      clock,
      message: (message) => send({ kind: 'events', ...message }),
      nowMs: options.nowMs ?? (() => performance.now()),
      counter: (name) => counters.get(name),
      events: (source) =>
        known(this.#events, source, () => new SourceEvents(source, options.schema, clock, send, this.#causes)),
      histogram: (source, its) => known(this.#histograms, source, () => new TofHistogram(source, its, clock, counters, send)) // prettier-ignore
    }
  }
}
