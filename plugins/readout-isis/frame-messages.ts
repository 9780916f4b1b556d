// What boards tell of a frame, as messages: ev44 and pu00 with the time of the frame; and frames that are missing.
import { encodeMessage, type Vector } from '../../schemas/index.js'
import { type Counter, countersOf, type ReadoutSetup } from '../service-event-formation/readout-kit.js'
import { type IsisConfig } from './config.js'

const NS_PER_MS = 1_000_000n
const MS_PER_S = 1000
/** A frame number that is so far ahead is of another count. */
const FAR = 2 ** 16
/** One that is so far behind has come late; one further behind means that the board began anew. */
const LATE = 1024

const countNames = ['neutrons', 'vetoes', 'environment', 'pause', 'end', 'error_marker', 'error_size', 'error_time', 'error_length', 'error_kind', 'error_format', 'error_channel', 'error_event', 'error_sender', 'error_clock', 'missing'] as const // prettier-ignore

export type MessageCounts = Readonly<Record<(typeof countNames)[number], Counter>>

export const messageCounts = (setup: ReadoutSetup): MessageCounts =>
  countersOf(countNames, (name) => setup.counter(`messages.${name}`))

export interface PulseOfFrame {
  readonly vetoes: number
  /** Undefined: of a board that does not tell. */
  readonly period: number | undefined
  readonly protons: number | undefined
}

export class FrameMessages {
  tof = new Int32Array(0)
  ids = new Int32Array(0)
  /** Running numbers, of events and of pulses. */
  #events = 0
  #pulses = 0
  /** Number of the last frame of each board, by the address of its sender. */
  readonly #frames = new Map<number, number>()

  constructor(
    readonly config: IsisConfig,
    readonly setup: ReadoutSetup,
    readonly counts: MessageCounts
  ) {}

  follow(sender: number, frame: number): void {
    const last = this.#frames.get(sender)
    const ahead = last === undefined ? 0 : frame - last
    if (ahead > 1 && ahead < FAR) this.counts.missing.value += ahead - 1
    if (ahead >= 0 || ahead <= -LATE) this.#frames.set(sender, frame)
  }

  pulse(timeNs: bigint, { vetoes, period, protons }: PulseOfFrame): void {
    const { source, charge_uah: unit } = this.config
    const value = encodeMessage('pu00', {
      source_name: source,
      message_id: this.#pulses++,
      reference_time: timeNs,
      vetos: vetoes,
      ...(period !== undefined && { period_number: period }),
      ...(protons !== undefined && { proton_charge: protons * unit })
    })
    this.setup.message({ source: '', value, events: 0, ...this.#kafkaTime(timeNs) })
  }

  /** Room in `tof` and `ids`. */
  room(count: number): void {
    if (this.tof.length >= count) return
    this.tof = new Int32Array(2 * count)
    this.ids = new Int32Array(2 * count)
  }

  /** The first of `tof` and `ids`; none is no message. */
  events(timeNs: bigint, count: number): void {
    if (count === 0) return
    const value = encodeMessage('ev44', {
      source_name: this.config.source,
      message_id: this.#events++,
      reference_time: [timeNs],
      reference_time_index: [0],
      time_of_flight: vector(this.tof, count),
      pixel_id: vector(this.ids, count)
    })
    this.setup.message({ source: '', value, events: count, ...this.#kafkaTime(timeNs) })
  }

  /** None for a clock that is far off: Kafka deletes and finds messages by their time, and one of the future keeps all that is old. */
  #kafkaTime(timeNs: bigint): { readonly timestampMs?: number } {
    const timestampMs = Number(timeNs / NS_PER_MS)
    if (Math.abs(timestampMs - Date.now()) <= MS_PER_S * this.config.max_clock_off_s) return { timestampMs }
    this.counts.error_clock.value++
    return {}
  }
}

const vector = ({ buffer }: Int32Array, length: number): Vector => ({
  dtype: 'int32',
  length,
  bytes: new Uint8Array(buffer, 0, 4 * length)
})
