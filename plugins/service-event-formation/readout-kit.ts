// For plugins that bring readouts, a part of `nexstream/plugin`: what a family of detector electronics is, and what it is given.
import { type JSONSchema, type Options, type Part } from '../../core/api/plugin.js'

/** Counts something; the family adds to `value` as it goes. */
export interface Counter {
  value: number
}

/** Counts what is wrong, for conditions: `good || no(counter)`; `+no(counter)` where 0 means none. */
export function no(counter: Counter): false {
  counter.value++
  return false
}

/** The same in place of something that is not there. */
export function none(counter: Counter): undefined {
  counter.value++
  return undefined
}

/** Counters by short names. */
export const countersOf = <const N extends string>(
  names: readonly N[],
  counter: (name: N) => Counter
): Readonly<Record<N, Counter>> => Object.fromEntries(names.map((name) => [name, counter(name)])) as Record<N, Counter>

/** Ticks of the clock that the field's electronics count, per second, and the length of one in ns. */
export const TICKS_PER_SECOND = 88_052_500
export const TICK_NS = 1e9 / TICKS_PER_SECOND

/** Whole ns of ticks. */
export const ticksToNs = (ticks: number): number => Math.floor(ticks * TICK_NS)

/** An IPv4 address, also as IPv6 writes it, as a number; 0 for anything else. */
export function addressNumber(text: string): number {
  const [, ...parts] = /^(?:::ffff:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/i.exec(text) ?? []
  const bytes = parts.map(Number)
  return bytes.some((byte) => byte > 255) ? 0 : bytes.reduce((sum, byte) => 256 * sum + byte, 0)
}

/** Keys of detector files that most families have; for `limits` of the clock. */
export const longestPulseKey = {
  type: 'integer',
  minimum: 1,
  default: 357_142_855,
  description: 'Longest time from the previous pulse to the present one, ns.'
} as const
export const longestFlightKey = {
  type: 'integer',
  minimum: 1,
  default: 1_428_571_420,
  description: 'Longest time of flight, ns.'
} as const

/**
 * One datagram, copied into memory that is used again for the next. Readouts are the bytes `from` to `to` of `bytes`; `from` is a
 * multiple of 4, so that the views serve fields that lie on multiples of their size: a 16-bit field at byte k is `u16[k >> 1]`.
 */
export interface Packet {
  readonly bytes: Uint8Array
  readonly i16: Int16Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  /** For fields at odd places and in big endian. */
  readonly view: DataView
  readonly from: number
  readonly to: number
  /** IPv4 address that it came from, as a number; 0 when it is not known. */
  readonly sender: number
}

/** Times of events: ns after the pulse. The common header of ESS sets the pulse; a family without it does so itself. */
export interface PulseClock {
  /**
   * From now on events belong to this pulse; at another time than before, what is held is sent.
   * @param seconds - since 1970, whole
   * @param nanoseconds - below 10⁹, whole
   * @param keeps - what is held is not sent: it goes with this pulse
   */
  pulse(
    seconds: number,
    nanoseconds: number,
    previousSeconds: number,
    previousNanoseconds: number,
    keeps?: boolean
  ): void
  /** Longest time of flight in ns, and (0: any) from the previous pulse to the present one. */
  limits(longestNs: number, longestPulseNs: number): void
  /**
   * Time of flight of an event at `seconds` and `ticks` of 88.0525 MHz; -1, and counted, when there is none. One before the pulse is
   * counted from the previous pulse, and what is added next goes there.
   */
  tof(seconds: number, ticks: number): number
  /** The same of a time in ns. */
  tofOfNs(seconds: number, nanoseconds: number): number
  /**
   * The present pulse (s since 1970, ns below 10⁹) and the longest time of flight in ns, for families that count from it in a loop
   * of their own: times from 0 to the longest are good, as many as `counted` is told of; of others ask `tof`.
   */
  readonly seconds: number
  readonly nanoseconds: number
  readonly longestNs: number
  counted(times: number): void
}

/** Events of one source; they become messages. */
export interface EventSink {
  /** @param tof - ns, 0 to 2³¹-1 @param pixel - as it shall stand in the message */
  add(tof: number, pixel: number): void
  /** The same for `count` of them, all of the present pulse: time and pixel of the first, of the second, and so on. They are copied. */
  addAll(events: Int32Array, count: number): void
}

/** Histogram over the time of flight (da00) of one source. */
export interface TofHistogramSink {
  add(tof: number, weight: number): void
}

export interface TofHistogramOptions {
  /** Upper edge of the last bin, ns. */
  readonly maxTof: number
  readonly bins: number
  /** Pulses that make one message. */
  readonly frames: number
  /** Of the weights that fell into a bin their mean, rounded down, in place of their sum. */
  readonly average: boolean
}

/** A message that the family has made itself, or got as it is. */
export interface ReadyMessage {
  /** Its key. */
  readonly source: string
  /** Must stay as it is from now on. */
  readonly value: Uint8Array
  /** Events in it, or values: what the counts of the detector say. */
  readonly events: number
  /** Its time in Kafka; default now. */
  readonly timestampMs?: number
}

/** What a family is opened with; `config` and `calibration` are the files of the detector. */
export interface ReadoutSetup {
  /** Undefined when none was given. */
  readonly calibration: unknown
  /** True: as the field's program does it, faults that readers see included. */
  readonly compatible: boolean
  readonly clock: PulseClock
  /** Now, ms, by a clock that never goes back: when the packet came. */
  readonly nowMs: () => number
  /** The counter of this name, e.g. `geometry.pixel_errors`; the same one for the same name. */
  readonly counter: (name: string) => Counter
  /** At a new pulse sources are sent in the order in which they were asked for. */
  readonly events: (source: string) => EventSink
  readonly histogram: (source: string, options: TofHistogramOptions) => TofHistogramSink
  /** Sends a message to the topic of the detector. */
  readonly message: (message: ReadyMessage) => void
}

export interface Readout {
  /** Called for each good packet. Bytes are hostile: count what is wrong and pass it over; a throw costs the packet. */
  process(packet: Packet): void
  /** Another pulse is about to begin: what is held of packets before becomes events of this one, if it shall. */
  pulseEnds?(): void
  /** `update_ms` after the last time: messages of its own that wait are sent. */
  flush?(): void
  /** Nothing comes any more: all that is held becomes events and messages. */
  end?(): void
}

/** Makes readouts that look like the detector's: for tests, and for an image before there is a detector. */
export interface ReadoutWriter {
  /** Bytes of one readout. */
  readonly size: number
  /**
   * Writes one readout at `at`: what the detector sees at (u, v) of its picture, each from 0 to below 1.
   * @param random - the next number from 0 to below 1
   */
  write(view: DataView, at: number, hit: GeneratedHit, random: () => number): void
  /** For packets without the common header: writes what comes before the readouts, and gives its bytes. */
  head?(view: DataView, pulse: GeneratedPulse): number
  /** The same packets: one of its own that comes before those of each pulse. */
  before?(pulse: GeneratedPulse): Uint8Array
  /** The same packets: what comes behind the readouts, 32 bytes at most, from `length` on; gives the bytes of the packet. */
  finish?(view: DataView, length: number): number
}
export interface GeneratedHit {
  readonly u: number
  readonly v: number
  readonly seconds: number
  /** Of 88.0525 MHz. */
  readonly ticks: number
}

/** For `write`: what readouts of ESS begin with, 12 bytes. */
export function putReadoutHead(
  view: DataView,
  at: number,
  { ring, fen, size }: { readonly ring: number; readonly fen: number; readonly size: number },
  { seconds, ticks }: GeneratedHit
): void {
  view.setUint8(at, 2 * ring)
  view.setUint8(at + 1, fen)
  view.setUint16(at + 2, size, true)
  view.setUint32(at + 4, seconds, true)
  view.setUint32(at + 8, ticks, true)
}

/** Which of `count` things in a row lies at this share of it, from 0 on. */
export const indexAt = (share: number, count: number): number => Math.min(count - 1, Math.floor(share * count))

export interface GeneratedPulse {
  readonly seconds: number
  readonly nanoseconds: number
  /** Running number of the packet. */
  readonly packet: number
}

// Typed parts lose their config type in the registry: options are checked before `open` is called.
const erase = (part: unknown): ReadoutPart => part as ReadoutPart

/** A family of electronics. `id` is what `family` of a detector names; `config` the schema of the detector's file. */
export interface ReadoutPart<C extends JSONSchema = JSONSchema> extends Part<C> {
  /** Byte 5 of the common header of ESS; null: packets have no such header, and the family sets the pulse. */
  readonly detectorType: number | null
  /** Most bytes of a packet without common header; default 8972. */
  readonly largest?: number
  /** Throws CodedError for files that do not fit. Must not open anything: it is called for checks, too. */
  open(config: Options<C>, setup: ReadoutSetup): Readout
  /** For `nexstream generate-readouts`. */
  generate?(config: Options<C>, calibration: unknown): ReadoutWriter
}

export const defineReadout = <const C extends JSONSchema>(part: ReadoutPart<C>): ReadoutPart => erase(part)
