// Datagrams of ISIS' boards: several messages in each; neutrons become ev44, vetoes pu00.
import { CodedError } from '../../core/api/plugin.js'
import { type Packet, type Readout, type ReadoutSetup } from '../service-event-formation/readout-kit.js'
import { type IsisConfig } from './config.js'
import { FrameMessages, type MessageCounts, messageCounts } from './frame-messages.js'
import { type BoardHeader, EVENT_BYTES, HEADER_BYTES, isFilling, kinds, readHeader } from './header.js'
import { readWiring, type Wiring } from './wiring.js'

const TOF_BITS = 0xffffff
const CHANNELS = 8
const POSITION_BITS = 12
const POSITIONS = 1 << POSITION_BITS
const NS_PER_TICK = 20

/** One board, and how its events get their ids. */
interface WiredBoard extends Pick<Wiring, 'start'> {
  readonly type: NonNullable<Wiring['board']>
  /** Ids of PC3544MS by channel and position, which are next to each other; -1 for a channel that has no tube. */
  readonly tubeIds: Int32Array
}

export class IsisReadout implements Readout {
  readonly #counts: MessageCounts
  readonly #messages: FrameMessages
  /** By the address of the sender, where there is a wiring table. */
  readonly #boards: ReadonlyMap<number, WiredBoard> | undefined
  readonly #only: WiredBoard | undefined

  /** Throws DETECTOR_INVALID. */
  constructor(config: IsisConfig, setup: ReadoutSetup) {
    this.#counts = messageCounts(setup)
    this.#messages = new FrameMessages(config, setup, this.#counts)
    const { calibration } = setup
    if (typeof calibration === 'string') {
      const wirings = [...readWiring(calibration, config.board)]
      this.#boards = new Map(wirings.map(([address, wiring]) => [address, boardOf(wiring)]))
    } else this.#only = boardOf(config)
  }

  process({ view, from, to, sender }: Packet): void {
    const board = this.#boards === undefined ? this.#only : this.#boards.get(sender)
    if (board === undefined) return void this.#counts.error_sender.value++
    let at = from
    while (to - at >= HEADER_BYTES) {
      // Zeros fill up a datagram
      if (view.getUint32(at) === 0) return
      const header = readHeader(view, at)
      if (header === undefined) return void this.#counts.error_marker.value++
      const bytes = this.#sizeOf(header)
      if (bytes > to - at) return void this.#counts.error_size.value++
      this.#message(header, { view, at: at + HEADER_BYTES, board, sender })
      at += bytes
    }
    // Too short for a header
    if (!isFilling(view, at, to)) this.#counts.error_size.value++
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

  #message(header: BoardHeader, events: EventsOfBoard & { readonly sender: number }): void {
    const { kind, timeNs, period, protons, vetoes } = header
    const counts = this.#counts
    if (kind === kinds.environment) return void counts.environment.value++
    if (kind === kinds.end) return void counts.end.value++
    if (kind !== kinds.neutrons && kind !== kinds.vetoes) return void counts.error_kind.value++
    if (timeNs === undefined) return void counts.error_time.value++
    this.#messages.follow(events.sender, header.frame)
    if (kind === kinds.neutrons) return this.#neutrons(header.events, timeNs, events)
    counts.vetoes.value++
    this.#messages.pulse(timeNs, { vetoes, period, protons })
  }

  #neutrons(count: number, timeNs: bigint, events: EventsOfBoard): void {
    this.#counts.neutrons.value++
    this.#messages.room(count)
    const n = events.board.type === 'PC3544MS' ? this.#tubeEvents(count, events) : this.#plainEvents(count, events)
    this.#counts.error_channel.value += count - n
    this.#messages.events(timeNs, n)
  }

  /** How many they are. */
  #tubeEvents(count: number, { view, at, board }: EventsOfBoard): number {
    const { tof, ids } = this.#messages
    const table = board.tubeIds
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
  #plainEvents(count: number, { view, at, board }: EventsOfBoard): number {
    const { tof, ids } = this.#messages
    const { type, start } = board
    const isTicks = type === 'PC3877MS'
    let n = 0
    for (let i = 0, place = at; i < count; i++, place += EVENT_BYTES) {
      const word = view.getUint32(place + 4)
      const id = (isTicks ? word & 0xffff : word) + start
      if (id > 0x7fffffff) continue
      const time = view.getUint32(place) & TOF_BITS
      tof[n] = isTicks ? time * NS_PER_TICK : time
      ids[n++] = id
    }
    return n
  }
}

interface EventsOfBoard {
  readonly view: DataView
  readonly at: number
  readonly board: WiredBoard
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

/** Throws DETECTOR_INVALID for one whose type nobody says. */
function boardOf({ board: type, start, channels }: Wiring): WiredBoard {
  if (type === undefined)
    throw new CodedError('DETECTOR_INVALID', 'the type of the board is missing', { path: '/board' })
  return { type, start, tubeIds: tubeIds(type === 'PC3544MS' ? channels : []) }
}
