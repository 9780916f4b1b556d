// Any message as JSON, verified on the way: `nexstream decode` and `tail`, and the golden samples.
import { BadMessage } from '../core/api/errors.js'
import { type FieldLayout, type ScalarType, type SchemaLayout, type TypeLayout } from './layout.js'
import { scalarSize } from './numbers.js'
import { element, f32, f64, fieldAt, rootAt, stringAt, tableAt, u32, u8, vectorAt, idCode } from './reader.js'
import { type VectorType } from './records.js'

export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue }

export interface JsonOptions {
  /** Longer vectors are cut to this many elements, followed by the text "… N more". Default: no limit. */
  readonly maxElements?: number
}

const MAX_DEPTH = 64

/** Reads one message; `budget` keeps offsets that share one target from blowing up the result. */
class Decoder {
  #budget: number
  readonly #maxElements: number

  readonly #layout: SchemaLayout
  readonly #message: Uint8Array

  constructor(layout: SchemaLayout, message: Uint8Array, options: JsonOptions) {
    this.#layout = layout
    this.#message = message

    this.#budget = 64 * message.length + 65_536
    this.#maxElements = options.maxElements ?? Number.POSITIVE_INFINITY
  }

  root(): { [name: string]: JsonValue } {
    const { id, root } = this.#layout
    if (root === null) throw new BadMessage('unknown_schema', `${id} is a part of other schemas, never sent alone`)
    return this.#table(rootAt(this.#message, idCode(id)), root, 0)
  }

  #spend(bytes: number): void {
    this.#budget -= bytes
    if (this.#budget < 0) throw new BadMessage('invalid_flatbuffer', 'the same bytes are used over and over')
  }

  #table(at: number, name: string, depth: number): { [name: string]: JsonValue } {
    if (depth > MAX_DEPTH) throw new BadMessage('invalid_flatbuffer', `tables are nested deeper than ${MAX_DEPTH}`)
    const out: { [name: string]: JsonValue } = {}
    const fields = this.#layout.tables[name] ?? []
    this.#spend(8 + 4 * fields.length)
    for (const field of fields) out[field.name] = this.#field(at, field, depth)
    return out
  }

  #field(table: number, field: FieldLayout, depth: number): JsonValue {
    if (field.kind === 'union') return this.#union(table, field, depth)
    const at = fieldAt(this.#message, table, field.slot, this.#width(field))
    if (at !== 0) return this.#value(at, field, depth)
    if (field.required === true) throw new BadMessage('missing_field', `the field ${field.name} is absent`)
    return absent(field)
  }

  #union(table: number, field: FieldLayout & { kind: 'union' }, depth: number): JsonValue {
    const typeAt = fieldAt(this.#message, table, field.slot, 1)
    const id = typeAt === 0 ? 0 : u8(this.#message, typeAt)
    const at = id === 0 ? 0 : fieldAt(this.#message, table, field.slot + 1, 4)
    if (at === 0 && field.required === true) throw new BadMessage('missing_field', `the field ${field.name} is absent`)
    if (id === 0) return { type: 'NONE', type_id: 0, value: null }
    const member = field.members[id - 1]
    if (member === undefined || at === 0) return { type: member?.name ?? null, type_id: id, value: null }
    return { type: member.name, type_id: id, value: this.#table(tableAt(this.#message, at), member.table, depth + 1) }
  }

  #width(type: TypeLayout): number {
    if (type.kind === 'scalar' || type.kind === 'enum') return scalarSize[type.type]
    return type.kind === 'struct' ? (this.#layout.structs[type.struct]?.size ?? 0) : 4
  }

  #value(at: number, type: TypeLayout, depth: number): JsonValue {
    switch (type.kind) {
      case 'scalar':
        return this.#scalar(at, type.type)
      case 'enum': {
        const value = Number(this.#scalar(at, type.type))
        return { name: type.names[value] ?? null, value }
      }
      case 'string':
        this.#spend(u32(this.#message, vectorAt(this.#message, at, 1)))
        return stringAt(this.#message, at)
      case 'table':
        return this.#table(tableAt(this.#message, at), type.table, depth + 1)
      case 'struct':
        return this.#struct(at, type.struct)
      case 'vector':
        return this.#vector(at, type.of, depth)
      case 'union':
        throw new BadMessage('invalid_flatbuffer', 'vectors of unions are not used by any schema')
    }
  }

  #struct(at: number, name: string): JsonValue {
    const out: { [name: string]: JsonValue } = {}
    for (const member of this.#layout.structs[name]?.members ?? [])
      out[member.name] = this.#scalar(at + member.offset, member.type)
    return out
  }

  #vector(at: number, of: TypeLayout, depth: number): JsonValue {
    const width = this.#width(of)
    const vector = vectorAt(this.#message, at, width)
    const length = u32(this.#message, vector)
    const shown = Math.min(length, this.#maxElements)
    this.#spend(shown * width)
    const out: JsonValue[] = []
    for (let i = 0; i < shown; i++) out.push(this.#value(vector + 4 + i * width, of, depth))
    if (shown < length) out.push(`… ${length - shown} more`)
    return out
  }

  #scalar(at: number, type: ScalarType): JsonValue {
    if (type === 'bool') return u8(this.#message, at) !== 0
    if (type === 'float64') return float(f64(this.#message, at))
    if (type === 'float32') return float(f32(this.#message, at))
    return integer(this.#message, at, type)
  }
}

function integer(message: Uint8Array, at: number, dtype: VectorType): JsonValue {
  const value = element({ dtype, length: 1, bytes: message.subarray(at, at + scalarSize[dtype]) }, 0)
  return typeof value === 'bigint' ? value.toString() : value
}

const float = (value: number): JsonValue => (Number.isFinite(value) ? value : String(value))

function absent(field: FieldLayout): JsonValue {
  if (field.kind === 'enum') {
    const value = field.default ?? 0
    return { name: field.names[value] ?? null, value }
  }
  if (field.kind !== 'scalar') return null
  if (field.default === null) return null
  const value = field.default ?? 0
  if (field.type === 'bool') return value !== 0
  return field.type.endsWith('int64') ? String(value) : value
}

/** The root table of a message as JSON. Throws BadMessage; reads nothing outside the message. */
export function toJson(layout: SchemaLayout, message: Uint8Array, options: JsonOptions = {}) {
  return new Decoder(layout, message, options).root()
}
