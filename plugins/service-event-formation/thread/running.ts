// A detector while it is received: socket, formation and outlet, and what is told of them.
import { errorText, type LogLevel, type Producer, type ThreadContext } from '../../../core/api/plugin.js'
import { checkFiles, readoutOf } from '../form/check.js'
import { Formation } from '../form/formation.js'
import { FormedOutlet } from './outlet.js'
import { type DetectorProgress, type DetectorSpec } from './protocol.js'
import { UdpReceiver } from './receiver.js'

const PROGRESS_MS = 1000

interface DetectorHears {
  readonly log: (level: LogLevel, text: string) => void
  readonly fault: (text: string) => void
  readonly progress: (progress: DetectorProgress) => void
}

/** A detector while it is received. */
export class RunningDetector {
  #receiver: UdpReceiver | undefined
  #faults = 0
  #isClosed = false
  #toldFaultMs = -Infinity
  #socketError: Error | undefined
  readonly #timers: readonly NodeJS.Timeout[]

  private constructor(
    readonly formation: Formation,
    readonly outlet: FormedOutlet,
    readonly hears: DetectorHears
  ) {
    const { update_ms: updateMs } = outlet.options
    this.#timers = [
      setInterval(() => this.#guard(() => formation.flush()), updateMs),
      setInterval(() => hears.progress(this.progress()), PROGRESS_MS)
    ]
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
      running.#receiver = await UdpReceiver.open({ host, port, bufferBytes }, (datagram) => running.#take(datagram), (error) => running.#failed(error)) // prettier-ignore
      const given = running.#receiver.bufferBytes
      if (given < bufferBytes) hears.log('warn', `detector ${name}: the kernel gave ${given} bytes of ${bufferBytes} for packets that wait; raise net.core.rmem_max`) // prettier-ignore
      return running
    } catch (error) {
      for (const timer of running.#timers) clearInterval(timer)
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
        kernel: this.#receiver?.drops() ?? 0,
        missing: of('parser.essheader.errors.missing_packets') + of('messages.missing'),
        buffer: outlet.lostInBuffer,
        kafka: outlet.lostInKafka,
        raw: outlet.lostRaw,
        faults: this.#faults
      },
      counters,
      receiveBufferBytes: this.#isClosed ? 0 : (this.#receiver?.bufferBytes ?? 0),
      sendBufferedBytes: outlet.producer.bufferedBytes,
      idleUs: Math.round(performance.eventLoopUtilization().idle * 1000)
    }
  }

  /** All that came is in Kafka or counted. Rejects with what was lost on the way there. */
  async close(): Promise<void> {
    await this.#receiver?.close()
    this.#isClosed = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#guard(() => this.formation.end())
    await this.outlet.producer.close()
    const { lastError } = this.outlet
    if (lastError !== undefined) throw lastError
    if (this.#socketError !== undefined) throw this.#socketError
  }

  #take(datagram: Buffer): void {
    this.#guard(() => this.formation.packet(datagram))
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

  #failed(error: Error): void {
    this.#socketError = error
    this.hears.log('error', `the socket failed: ${error.message}`)
  }
}
