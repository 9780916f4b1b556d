// Datagrams of boards with the newer header: each message tells vetoes, the control board period and charge, and neutrons events.
import { CodedError } from '../../core/api/plugin.js'
import { addressNumber, type Packet, type Readout, type ReadoutSetup } from '../service-event-formation/readout-kit.js'
import { type IsisConfig } from './config.js'
import { FrameMessages, type MessageCounts, messageCounts } from './frame-messages.js'
import { EVENT_BYTES, isFilling } from './header.js'
import { type EventForm, eventForm, flags, hasSoundLength, LEAST_BYTES, type NewHeader, readNewHeader } from './new-header.js' // prettier-ignore

/** The upper bits of the first word of an event, and what they are. */
const TOF_BITS = 25
const TOF_MARK = 0b1110000
const NS_PER_TICK = 20
const LARGEST = 2 ** 31 - 1

export class NewIsisReadout implements Readout {
  readonly #counts: MessageCounts
  readonly #messages: FrameMessages
  /** Undefined: every board tells period and charge. */
  readonly #control: number | undefined
  readonly #config: IsisConfig

  /** Throws DETECTOR_INVALID for a control board without an address. */
  constructor(config: IsisConfig, setup: ReadoutSetup) {
    this.#config = config
    this.#counts = messageCounts(setup)
    this.#messages = new FrameMessages(config, setup, this.#counts)
    this.#control = config.control === undefined ? undefined : addressNumber(config.control)
    if (this.#control === 0)
      throw new CodedError('DETECTOR_INVALID', `'${config.control}' is no address of IPv4`, { path: '/control' })
  }

  process({ view, from, to, sender }: Packet): void {
    let at = from
    while (to - at >= LEAST_BYTES) {
      // Zeros fill up a datagram
      if (view.getUint32(at) === 0) return
      const header = readNewHeader(view, at)
      if (header === undefined) return void this.#counts.error_marker.value++
      if (!hasSoundLength(header) || 4 * header.length > to - at) return void this.#counts.error_size.value++
      this.#message(header, view, at, sender)
      at += 4 * header.length
    }
    // Too short for a header
    if (!isFilling(view, at, to)) this.#counts.error_size.value++
  }

  #message(header: NewHeader, view: DataView, at: number, sender: number): void {
    const counts = this.#counts
    if (header.flags === flags.end) return void counts.end.value++
    if (header.flags === flags.pause) return void counts.pause.value++
    const isVeto = header.flags === flags.vetoes
    if (!isVeto && header.flags !== flags.neutrons) return void counts.error_kind.value++
    if (header.timeNs === undefined) return void counts.error_time.value++
    this.#messages.follow(sender, header.frame)
    counts[isVeto ? 'vetoes' : 'neutrons'].value++
    const delayNs = Math.round(header.delay * this.#config.delay_ns)
    const timeNs = header.timeNs - BigInt(delayNs)
    this.#pulse(header, timeNs, sender)
    if (isVeto || header.length === header.words) return
    const form = eventForm(view, at, header)
    if (form === undefined) return void counts.error_format.value++
    this.#neutrons(header, form, { view, at: at + 4 * header.words, timeNs, delayNs })
  }

  /** A board that is not the control board and vetoes nothing has nothing to tell. */
  #pulse({ vetoes, upper, lower, protons }: NewHeader, timeNs: bigint, sender: number): void {
    const isControl = this.#control === undefined || sender === this.#control
    if (!isControl && vetoes === 0) return
    const period = this.#config.period_half === 'upper' ? upper : lower
    this.#messages.pulse(timeNs, { vetoes, period: isControl ? period : undefined, protons: isControl ? protons : undefined }) // prettier-ignore
  }

  #neutrons(
    { length, words }: NewHeader,
    { channelBits, positionBits, firstId }: EventForm,
    { view, at, timeNs, delayNs }: { view: DataView; at: number; timeNs: bigint; delayNs: number }
  ): void {
    const bytes = 4 * (length - words)
    const count = Math.floor(bytes / EVENT_BYTES)
    if (bytes % EVENT_BYTES !== 0) this.#counts.error_length.value++
    this.#messages.room(count)
    const { tof, ids } = this.#messages
    const [span, positions] = [2 ** positionBits, 2 ** positionBits - 1]
    let [n, unmarked] = [0, 0]
    for (let i = 0, place = at; i < count; i++, place += EVENT_BYTES) {
      const [first, second] = [view.getUint32(place), view.getUint32(place + 4)]
      const channel = channelBits === 0 ? 0 : second >>> (32 - channelBits)
      const id = firstId + channel * span + (second & positions)
      const time = (first & ((1 << TOF_BITS) - 1)) * NS_PER_TICK + delayNs
      if (first >>> TOF_BITS !== TOF_MARK) unmarked++
      else if (id <= LARGEST && time <= LARGEST) {
        tof[n] = time
        ids[n++] = id
      }
    }
    this.#counts.error_event.value += unmarked
    this.#counts.error_channel.value += count - n - unmarked
    this.#messages.events(timeNs, n)
  }
}
