// Datagrams of ISIS' boards: several messages in each; neutrons become ev44, vetoes pu00.
import { CodedError } from '../../core/api/plugin.js'
import { encodeMessage, type Vector } from '../../schemas/index.js'
import { type Counter, countersOf, type Packet, type Readout, type ReadoutSetup } from '../service-event-formation/readout-kit.js' // prettier-ignore
import { type IsisConfig } from './config.js'
import { type BoardHeader, EVENT_BYTES, HEADER_BYTES, kinds, readHeader } from './header.js'

const TOF_BITS = 0xffffff
const CHANNELS = 8
const POSITION_BITS = 12
const POSITIONS = 1 << POSITION_BITS
const NS_PER_TICK = 20
const NS_PER_MS = 1_000_000n
const MS_PER_S = 1000
/** A frame number that is so far ahead is of another count. */
const FAR = 2 ** 16
/** One that is so far behind has come late; one further behind means that the board began anew. */
const LATE = 1024

const countNames = ['neutrons', 'vetoes', 'environment', 'end', 'error_marker', 'error_size', 'error_time', 'error_length', 'error_kind', 'error_channel', 'error_clock', 'missing'] as const // prettier-ignore

export class IsisReadout implements Readout {
  readonly #counts: Readonly<Record<(typeof countNames)[number], Counter>>
  /** Ids of PC3544MS by channel and position, which are next to each other; -1 for a channel that has no tube. */
  readonly #tubeIds: Int32Array
  #tof = new Int32Array(0)
  #ids = new Int32Array(0)
  /** Running numbers, of events and of pulses. */
  #events = 0
  #pulses = 0
  /** Number of the last frame. */
  #frame: number | undefined

  readonly #config: IsisConfig
  readonly #setup: ReadoutSetup

  constructor(config: IsisConfig, setup: ReadoutSetup) {
    this.#config = config
    this.#setup = setup
    this.#counts = countersOf(countNames, (name) => setup.counter(`messages.${name}`))
    this.#tubeIds = tubeIds(config.channels)
  }

  process({ view, from, to }: Packet): void {
    let at = from
    while (to - at >= HEADER_BYTES) {
      // Zeros fill up a datagram
      if (view.getUint32(at) === 0) return
      const header = readHeader(view, at)
      if (header === undefined) return void this.#counts.error_marker.value++
      const bytes = this.#sizeOf(header)
      if (bytes > to - at) return void this.#counts.error_size.value++
      this.#message(header, view, at + HEADER_BYTES)
      at += bytes
    }
    // Too short for a header, and no filling
    for (; at < to; at++) if (view.getUint8(at) !== 0) return void this.#counts.error_size.value++
  }

  /** Neutrons say how many; of others the board's own word is all there is. */
  #sizeOf({ kind, events, length }: BoardHeader): number {
    const words = HEADER_BYTES / 4
    if (kind !== kinds.neutrons) return Math.max(HEADER_BYTES, 4 * length)
    // With or without the header
    const own = (EVENT_BYTES / 4) * events
    if (length !== own && length !== own + words) this.#counts.error_length.value++
    return HEADER_BYTES + EVENT_BYTES * events
  }

  #message(header: BoardHeader, view: DataView, at: number): void {
    const { kind, timeNs } = header
    if (kind === kinds.environment) return void this.#counts.environment.value++
    if (kind === kinds.end) return void this.#counts.end.value++
    if (kind !== kinds.neutrons && kind !== kinds.vetoes) return void this.#counts.error_kind.value++
    if (timeNs === undefined) return void this.#counts.error_time.value++
    this.#follow(header.frame)
    if (kind === kinds.vetoes) this.#vetoes(header, timeNs)
    else this.#neutrons(header.events, timeNs, view, at)
  }

  #follow(frame: number): void {
    const ahead = this.#frame === undefined ? 0 : frame - this.#frame
    if (ahead > 1 && ahead < FAR) this.#counts.missing.value += ahead - 1
    if (ahead >= 0 || ahead <= -LATE) this.#frame = frame
  }

  #vetoes({ period, protons, vetoes }: BoardHeader, timeNs: bigint): void {
    this.#counts.vetoes.value++
    const { source, charge_uah: unit } = this.#config
    const value = encodeMessage('pu00', {
      source_name: source,
      message_id: this.#pulses++,
      reference_time: timeNs,
      vetos: vetoes,
      period_number: period,
      proton_charge: protons * unit
    })
    this.#setup.message({ source: '', value, events: 0, ...this.#kafkaTime(timeNs) })
  }

  #neutrons(count: number, timeNs: bigint, view: DataView, at: number): void {
    this.#counts.neutrons.value++
    if (this.#tof.length < count) {
      this.#tof = new Int32Array(2 * count)
      this.#ids = new Int32Array(2 * count)
    }
    const n = this.#config.board === 'PC3544MS' ? this.#tubeEvents(count, view, at) : this.#plainEvents(count, view, at)
    this.#counts.error_channel.value += count - n
    if (n === 0) return
    const value = encodeMessage('ev44', {
      source_name: this.#config.source,
      message_id: this.#events++,
      reference_time: [timeNs],
      reference_time_index: [0],
      time_of_flight: vector(this.#tof, n),
      pixel_id: vector(this.#ids, n)
    })
    this.#setup.message({ source: '', value, events: n, ...this.#kafkaTime(timeNs) })
  }

  /** None for a clock that is far off: Kafka deletes and finds messages by their time, and one of the future keeps all that is old. */
  #kafkaTime(timeNs: bigint): { readonly timestampMs?: number } {
    const timestampMs = Number(timeNs / NS_PER_MS)
    if (Math.abs(timestampMs - Date.now()) <= MS_PER_S * this.#config.max_clock_off_s) return { timestampMs }
    this.#counts.error_clock.value++
    return {}
  }

  /** How many they are. */
  #tubeEvents(count: number, view: DataView, at: number): number {
    const [tof, ids, table] = [this.#tof, this.#ids, this.#tubeIds]
    let n = 0
    for (let i = 0, place = at; i < count; i++, place += EVENT_BYTES) {
      const word = view.getUint32(place + 4)
      const id = table[(((word >>> 26) & 7) << POSITION_BITS) | (word & (POSITIONS - 1))]!
      tof[n] = view.getUint32(place) & TOF_BITS
      ids[n] = id
      // What has no tube is written over
      n += id >= 0 ? 1 : 0
    }
    return n
  }

  /** Of the boards that name pixels themselves. */
  #plainEvents(count: number, view: DataView, at: number): number {
    const { board, start } = this.#config
    const isTicks = board === 'PC3877MS'
    let n = 0
    for (let i = 0, place = at; i < count; i++, place += EVENT_BYTES) {
      const word = view.getUint32(place + 4)
      const id = (isTicks ? word & 0xffff : word) + start
      if (id > 0x7fffffff) continue
      const tof = view.getUint32(place) & TOF_BITS
      this.#tof[n] = isTicks ? tof * NS_PER_TICK : tof
      this.#ids[n++] = id
    }
    return n
  }
}

/** Throws DETECTOR_INVALID for a channel that is there twice. */
function tubeIds(channels: IsisConfig['channels']): Int32Array {
  const ids = new Int32Array(CHANNELS * POSITIONS).fill(-1)
  for (const [i, { channel, start, length }] of channels.entries()) {
    const first = channel * POSITIONS
    if (ids[first] !== -1)
      throw new CodedError('DETECTOR_INVALID', `channel ${channel} is there twice`, { path: `/channels/${i}` })
    for (let position = 0; position < POSITIONS; position++)
      ids[first + position] = start + Math.floor(position / (POSITIONS / length))
  }
  return ids
}

const vector = ({ buffer }: Int32Array, length: number): Vector => ({
  dtype: 'int32',
  length,
  bytes: new Uint8Array(buffer, 0, 4 * length)
})
