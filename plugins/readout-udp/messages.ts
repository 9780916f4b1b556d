// A datagram is a message: it is checked from end to end, counted by schema, and sent as it came.
import { BadMessage } from '../../core/api/plugin.js'
import {
  fieldAt,
  idCode,
  rootAt,
  type SchemaLayout,
  stringAt,
  u32,
  u64,
  vectorAt,
  verified
} from '../../schemas/index.js'
import { type Counter, type Packet, type Readout, type ReadoutSetup } from '../service-event-formation/readout-kit.js'
import { type UdpConfig } from './config.js'

/** Sources whose running numbers are known; of more there are none. */
const MOST_SOURCES = 4096
/** A number that is so far behind has come late; further ones mean that the sender began anew. */
const LATE = 1024
/** One that is so far ahead is of another count. */
const FAR = 2 ** 31
const sourceNames = ['source_name', 'Name', 'source', 'name']

/** MessageSlots of the root table; -1: it has none. */
interface MessageSlots {
  readonly code: number
  readonly source: number
  readonly number: number
  readonly events: number
  readonly counter: Counter
}

export class MessageReadout implements Readout {
  readonly #slots = new Map<string, MessageSlots>()
  /** By schema and source: the number that comes next. */
  readonly #expected = new Map<string, number>()
  readonly #setup: ReadoutSetup
  readonly #schemas: ReadonlySet<string>
  readonly #sources: ReadonlySet<string>
  readonly #otherSchema: Counter
  readonly #otherSource: Counter
  readonly #missing: Counter
  readonly #late: Counter

  constructor({ schemas, sources }: UdpConfig, setup: ReadoutSetup) {
    this.#setup = setup
    this.#schemas = new Set(schemas)
    this.#sources = new Set(sources)
    this.#otherSchema = setup.counter('messages.error_other_schema')
    this.#otherSource = setup.counter('messages.error_other_source')
    this.#missing = setup.counter('messages.missing')
    this.#late = setup.counter('messages.late')
  }

  process({ bytes, from, to }: Packet): void {
    const value = bytes.slice(from, to)
    let layout: SchemaLayout
    try {
      layout = verified(value)
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.#setup.counter(`messages.error_${error.reason}`).value++
      return
    }
    if (this.#schemas.size > 0 && !this.#schemas.has(layout.id)) return void this.#otherSchema.value++
    const slots = this.#slotsOf(layout)
    const table = rootAt(value, slots.code)
    const source = this.#source(value, table, slots)
    if (this.#sources.size > 0 && !this.#sources.has(source)) return void this.#otherSource.value++
    slots.counter.value++
    if (slots.number >= 0) this.#order(`${layout.id} ${source}`, value, fieldAt(value, table, slots.number, 8))
    this.#setup.message({ source, value, events: this.#length(value, table, slots.events) })
  }

  #slotsOf({ id, root, tables }: SchemaLayout): MessageSlots {
    const known = this.#slots.get(id)
    if (known !== undefined) return known
    const fields = root === null ? [] : (tables[root] ?? [])
    const slot = (is: (field: (typeof fields)[number]) => boolean): number => fields.find(is)?.slot ?? -1
    const slots = {
      code: idCode(id),
      source: slot(({ kind, name }) => kind === 'string' && sourceNames.includes(name)),
      number: slot(({ kind, name }) => kind === 'scalar' && name === 'message_id'),
      events: slot(({ kind, name }) => kind === 'vector' && name === 'time_of_flight'),
      counter: this.#setup.counter(`messages.${id}`)
    }
    this.#slots.set(id, slots)
    return slots
  }

  #source(value: Uint8Array, table: number, { source }: MessageSlots): string {
    const field = source < 0 ? 0 : fieldAt(value, table, source, 4)
    return field === 0 ? '' : stringAt(value, field)
  }

  #length(value: Uint8Array, table: number, slot: number): number {
    const field = slot < 0 ? 0 : fieldAt(value, table, slot, 4)
    return field === 0 ? 0 : u32(value, vectorAt(value, field, 4))
  }

  /** Who joins later has missed nothing, and who begins anew neither. */
  #order(key: string, value: Uint8Array, at: number): void {
    const number = at === 0 ? 0 : Number(u64(value, at))
    const expected = this.#expected.get(key)
    if (expected === undefined && this.#expected.size >= MOST_SOURCES) return
    const ahead = number - (expected ?? number)
    if (ahead > 0 && ahead < FAR) this.#missing.value += ahead
    else if (ahead < 0 && ahead > -LATE && number > 1) return void this.#late.value++
    this.#expected.set(key, number + 1)
  }
}
