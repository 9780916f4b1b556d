// Events of one source: two typed arrays for those of the pulse, two for those of the one before, and the messages made of them.
import { type Counter, type EventSink } from '../readout-kit.js'
import { type FormationClock } from './clock.js'
import { EventMessage, type EventSchema } from './event-message.js'
import { type SendFormed } from './message.js'

/** As many events as the field's program puts into one message. */
const MOST = 12_400
const FIRST = 256

class Columns {
  tof = new Int32Array(FIRST)
  pixel = new Int32Array(FIRST)
  length = 0

  add(tof: number, pixel: number): void {
    const { length } = this
    if (length === this.tof.length) this.#grow()
    this.tof[length] = tof
    this.pixel[length] = pixel
    this.length = length + 1
  }

  /** Copies from `from` on what there is room for; how many. */
  addAll(events: Int32Array, from: number, to: number): number {
    const { length } = this
    const count = Math.min(to - from, MOST - length)
    while (length + count > this.tof.length) this.#grow()
    const { tof, pixel } = this
    for (let i = 0; i < count; i++) {
      tof[length + i] = events[2 * (from + i)]!
      pixel[length + i] = events[2 * (from + i) + 1]!
    }
    this.length = length + count
    return count
  }

  #grow(): void {
    const size = Math.min(MOST, this.tof.length * 2)
    const [tof, pixel] = [new Int32Array(size), new Int32Array(size)]
    tof.set(this.tof)
    pixel.set(this.pixel)
    this.tof = tof
    this.pixel = pixel
  }
}

/** Why messages went. */
export const produceCauses = ['timeout', 'pulse_change', 'max_events_reached'] as const
type Causes = Readonly<Record<(typeof produceCauses)[number], Counter>>

export class SourceEvents implements EventSink {
  readonly #pulse = new Columns()
  /** Of the previous pulse: in compatible messages they stand among those of the pulse. */
  readonly #previous = new Columns()
  readonly #message: EventMessage
  #messages = 0

  constructor(
    readonly source: string,
    schema: EventSchema,
    readonly clock: FormationClock,
    readonly send: SendFormed,
    readonly causes: Causes
  ) {
    this.#message = new EventMessage(schema, source)
  }

  add(tof: number, pixel: number): void {
    const { clock } = this
    const columns = clock.isPrevious && !clock.compatible ? this.#previous : this.#pulse
    columns.add(tof, pixel)
    if (columns.length === MOST) this.#send('max_events_reached')
  }

  addAll(events: Int32Array, count: number): void {
    const columns = this.#pulse
    for (let done = 0; done < count;) {
      done += columns.addAll(events, done, count)
      if (columns.length === MOST) this.#send('max_events_reached')
    }
  }

  /** Sends what is held. */
  flush(): void {
    this.#send('timeout')
  }

  pulseEnds(): void {
    this.#send('pulse_change')
  }

  #send(cause: keyof Causes): void {
    const { clock } = this
    if (this.#previous.length > 0) this.#make(this.#previous, clock.previousNs, cause)
    if (this.#pulse.length > 0) this.#make(this.#pulse, clock.pulseNs, cause)
  }

  #make(columns: Columns, pulseNs: bigint, cause: keyof Causes): void {
    this.causes[cause].value++
    const { tof, pixel, length } = columns
    const value = this.#message.make(++this.#messages, pulseNs, tof.subarray(0, length), pixel.subarray(0, length))
    columns.length = 0
    this.send({ kind: 'events', source: this.source, value, events: length })
  }
}
