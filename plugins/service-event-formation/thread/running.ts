// A detector while it is received: socket, formation and outlet, and what is told of them.
import { errorText, type LogLevel, type Producer, type ThreadContext } from '../../../core/api/plugin.js'
import { checkFiles, readoutOf } from '../form/check.js'
import { Formation } from '../form/formation.js'
import { LARGEST_PACKET, packetBytes, PacketMemory } from '../form/packet-memory.js'
import { type DetectorOptions } from '../options.js'
import { FormedOutlet } from './outlet.js'
import { type DetectorProgress, type DetectorSpec } from './protocol.js'
import { type PacketSource, type PortAddress, type TakeDatagram, UdpReceiver } from './receiver.js'
import { RingSource } from './ring-source.js'
import { ringMemory, type TakeFromRing } from './ring.js'

const PROGRESS_MS = 1000

interface DetectorHears {
  readonly log: (level: LogLevel, text: string) => void
  readonly fault: (text: string) => void
  readonly progress: (progress: DetectorProgress) => void
  /** No packet can come any more. */
  readonly failed: () => void
}

/** A detector while it is received. */
export class RunningDetector {
  #source: PacketSource | undefined
  #faults = 0
  #toldFaultMs = -Infinity
  #socketError: Error | undefined
  readonly #telling: NodeJS.Timeout
  /** Runs while there may be something to send: an idle detector costs nothing. */
  #flushing: NodeJS.Timeout | undefined

  private constructor(
    readonly formation: Formation,
    readonly outlet: FormedOutlet,
    readonly hears: DetectorHears
  ) {
    this.#telling = setInterval(() => hears.progress(this.progress()), PROGRESS_MS)
  }

  static async open(
    { name, options, files }: DetectorSpec,
    producer: Producer,
    { parts }: ThreadContext,
    hears: DetectorHears
  ): Promise<RunningDetector> {
    const { family, host, port, mode, schema, raw_topic: rawTopic } = options
    const outlet = new FormedOutlet(producer, options)
    const rawEvery = rawTopic === undefined ? 0 : options.raw_every
    const formation = new Formation(
      readoutOf(parts, family, '/family'),
      files,
      { name, compatible: mode === 'compatible', schema, rawEvery, rawConsecutive: options.raw_consecutive },
      (message) => outlet.send(message)
    )
    formation.onlyRaw = options.raw_only
    const running = new RunningDetector(formation, outlet, hears)
    try {
      const bufferBytes = options.receive_buffer_bytes
      running.#source = await running.#open({ host, port, bufferBytes }, options)
      const { bufferBytes: given, by, why } = running.#source
      hears.log(
        'info',
        `detector ${name}: packets come by ${by === 'dgram' ? 'node:dgram' : by}${why === undefined ? '' : ` (${why})`}`
      )
      if (given < bufferBytes) hears.log('warn', `detector ${name}: the kernel gave ${given} bytes of ${bufferBytes} for packets that wait; raise net.core.rmem_max`) // prettier-ignore
      return running
    } catch (error) {
      clearInterval(running.#telling)
      throw error
    }
  }

  reload(files: DetectorSpec['files'], { parts }: ThreadContext): void {
    checkFiles(parts, this.formation.part, files, '')
    this.formation.reload(files)
  }

  onlyRaw(yes: boolean): void {
    this.formation.onlyRaw = yes
  }

  progress(): DetectorProgress {
    const { outlet, formation } = this
    const counters = { ...formation.counters.all(), ...outlet.counters.all() }
    const of = (name: string): number => counters[name] ?? 0
    return {
      packets: of('receive.packets'),
      bytes: of('receive.bytes'),
      events: outlet.events,
      messages: outlet.messages,
      deliveredEvents: outlet.deliveredEvents,
      deliveredMessages: outlet.deliveredMessages,
      late: of('events.timestamp.tof.negative') + of('parser.essheader.errors.late_packets') + of('messages.late'),
      losses: {
        kernel: this.#source?.drops() ?? 0,
        queue: this.#source?.queueDrops() ?? 0,
        missing: of('parser.essheader.errors.missing_packets') + of('messages.missing'),
        buffer: outlet.lostInBuffer,
        kafka: outlet.lostInKafka,
        raw: outlet.lostRaw,
        faults: this.#faults
      },
      counters,
      receivedBy: this.#source?.by ?? null,
      receiveBufferBytes: this.#source?.bufferBytes ?? 0,
      sendBufferedBytes: outlet.producer.bufferedBytes,
      idleUs: Math.round(performance.eventLoopUtilization().idle * 1000)
    }
  }

  /** All that came is in Kafka or counted. Rejects with what was lost on the way there. */
  async close(): Promise<void> {
    await this.#source?.close()
    clearInterval(this.#telling)
    clearTimeout(this.#flushing)
    this.#guard(() => this.formation.end())
    await this.outlet.producer.close()
    const { lastError } = this.outlet
    if (lastError !== undefined) throw lastError
    if (this.#socketError !== undefined) throw this.#socketError
  }

  #open(
    address: PortAddress,
    { receive_thread: inThread, receive_by: receiveBy }: DetectorOptions
  ): Promise<PacketSource> {
    const { formation } = this
    const failed = (error: Error): void => this.#failed(error)
    const direct: TakeDatagram = (datagram, sender) => this.#take(() => formation.packet(datagram, sender))
    if (!inThread) return UdpReceiver.open(address, direct, failed)
    const { largest = LARGEST_PACKET, detectorType } = formation.part
    const ring = ringMemory(packetBytes(largest), detectorType !== null)
    const memory = new PacketMemory(ring.packets)
    // One for all packets, so that none costs a closure
    let [place, at, length] = [0, 0, 0]
    const form = (): void => formation.packetIn(memory, place, at, length)
    const take: TakeFromRing = (itsPlace, itsAt, itsLength, itsSender) => {
      memory.sender = itsSender
      place = itsPlace
      at = itsAt
      length = itsLength
      this.#take(form)
    }
    return RingSource.open({ ...address, ring, receiveBy }, take, failed)
  }

  /** What a packet leaves behind waits no longer than it may. */
  #take(form: () => void): void {
    this.#guard(form)
    this.#flushing ??= setTimeout(() => {
      this.#flushing = undefined
      this.#guard(() => this.formation.flush())
    }, this.outlet.options.update_ms)
  }

  /** A throw of the family costs this packet, and is told once a minute. */
  #guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#faults++
      if (performance.now() - this.#toldFaultMs < 60_000) return
      this.#toldFaultMs = performance.now()
      this.hears.fault(errorText(error))
    }
  }

  /** Nothing comes any more: the detector ends, as failed. */
  #failed(error: Error): void {
    this.#socketError ??= error
    this.hears.failed()
  }
}
