// Messages of events of one source, all made in the same memory: the first is made by the schema, of the others only what is another is written.
import { encodeMessage } from '../../../schemas/index.js'

export type EventSchema = 'ev44' | 'ev42'

/** Slots of fields in the schema, and what the fields need that no events are in. */
const LAYOUTS = {
  ev44: { id: 1, time: 2, tof: 4, pixel: 5 },
  ev42: { id: 1, time: 2, tof: 3, pixel: 4 }
} as const

function emptyOf(schema: EventSchema, source: string): Buffer {
  const head = { source_name: source, message_id: 1 }
  return schema === 'ev44'
    ? encodeMessage('ev44', {
        ...head,
        reference_time: [1],
        reference_time_index: [0],
        time_of_flight: [],
        pixel_id: []
      })
    : encodeMessage('ev42', { ...head, pulse_time: 1, time_of_flight: [], detector_id: [] })
}

export class EventMessage {
  /** Up to the first vector of events. */
  readonly #head: Uint8Array
  readonly #idAt: number
  readonly #timeAt: number
  /** Of the length of the first vector of events; that of the second follows behind its events. */
  readonly #tofAt: number
  /** Where it is said where the second one is. */
  readonly #pixelAt: number
  #bytes = Buffer.alloc(0)
  #words = new Int32Array(0)
  #view = new DataView(new ArrayBuffer(0))

  constructor(schema: EventSchema, source: string) {
    const empty = emptyOf(schema, source)
    const view = new DataView(empty.buffer, empty.byteOffset, empty.length)
    const root = view.getUint32(0, true)
    const table = root - view.getInt32(root, true)
    const field = (slot: number): number => root + view.getUint16(table + 4 + 2 * slot, true)
    const target = (at: number): number => at + view.getUint32(at, true)
    const { id, time, tof, pixel } = LAYOUTS[schema]
    this.#idAt = field(id)
    this.#timeAt = schema === 'ev44' ? target(field(time)) + 4 : field(time)
    this.#tofAt = target(field(tof))
    this.#pixelAt = field(pixel)
    this.#head = empty.subarray(0, this.#tofAt)
  }

  /** Its bytes are used again for the next one. */
  make(id: number, pulseNs: bigint, tof: Int32Array, pixel: Int32Array): Uint8Array {
    const tofAt = this.#tofAt
    const { length } = tof
    const pixelAt = tofAt + 4 + 4 * length
    const end = pixelAt + 4 + 4 * length
    if (end > this.#bytes.length) this.#grow(end)
    const view = this.#view
    view.setBigInt64(this.#idAt, BigInt(id), true)
    view.setBigInt64(this.#timeAt, pulseNs, true)
    view.setUint32(this.#pixelAt, pixelAt - this.#pixelAt, true)
    view.setUint32(tofAt, length, true)
    view.setUint32(pixelAt, length, true)
    this.#words.set(tof, (tofAt + 4) >> 2)
    this.#words.set(pixel, (pixelAt + 4) >> 2)
    return this.#bytes.subarray(0, end)
  }

  #grow(bytes: number): void {
    const memory = new ArrayBuffer((bytes * 2 + 7) & ~7)
    this.#bytes = Buffer.from(memory)
    this.#words = new Int32Array(memory)
    this.#view = new DataView(memory)
    this.#bytes.set(this.#head)
  }
}
