// Checks a message before code reads it that checks nothing: flatc's classes trust every offset and length.
import { BadMessage } from '../core/api/errors.js'
import { type FieldLayout, type SchemaLayout, type TypeLayout } from './layout.js'
import { scalarSize } from './numbers.js'
import { fieldAt, i32, idCode, missing, rootAt, tableAt, u16, u32, u8, vectorAt } from './reader.js'

const MAX_DEPTH = 64

/** Walks through everything that a reader of the layout can reach. */
class Verifier {
  readonly #layout: SchemaLayout
  readonly #message: Uint8Array
  /** Tables and elements that are pointed to; there are no more of them than bytes, unless offsets share their targets. */
  #left: number

  constructor(layout: SchemaLayout, message: Uint8Array) {
    this.#layout = layout
    this.#message = message
    this.#left = message.length
  }

  root(): void {
    const { id, root } = this.#layout
    if (root === null) throw new BadMessage('unknown_schema', `${id} is a part of other schemas, never sent alone`)
    this.#table(rootAt(this.#message, idCode(id)), root, 0)
  }

  #table(at: number, name: string, depth: number): void {
    if (depth > MAX_DEPTH) throw new BadMessage('invalid_flatbuffer', `tables are nested deeper than ${MAX_DEPTH}`)
    this.#count(1)
    const vtable = at - i32(this.#message, at)
    const size = u16(this.#message, vtable)
    // Of half an entry at the end flatc's classes would think that it is there, we that it is not
    if (size % 2 !== 0) throw new BadMessage('invalid_flatbuffer', `the vtable at byte ${vtable} has ${size} bytes`)
    // They read sizes and offsets of the vtable as signed numbers, too
    for (let entry = vtable; entry < vtable + size - 1; entry += 2)
      if (u16(this.#message, entry) > 0x7fff)
        throw new BadMessage('invalid_flatbuffer', `the table at byte ${at} is larger than 32 kB`)
    for (const field of this.#layout.tables[name] ?? []) this.#field(at, field, depth)
  }

  #count(n: number): void {
    this.#left -= n
    if (this.#left < 0) throw new BadMessage('invalid_flatbuffer', 'the same bytes are used over and over')
  }

  #field(table: number, field: FieldLayout, depth: number): void {
    if (field.kind === 'union') return this.#union(table, field, depth)
    const at = fieldAt(this.#message, table, field.slot, this.#width(field))
    if (at !== 0) this.#value(at, field, depth)
    else if (field.required === true) missing(field.name)
  }

  #union(table: number, field: FieldLayout & { kind: 'union' }, depth: number): void {
    const type = fieldAt(this.#message, table, field.slot, 1)
    const at = fieldAt(this.#message, table, field.slot + 1, 4)
    if (at === 0 && field.required === true) missing(field.name)
    const member = type === 0 || at === 0 ? undefined : field.members[u8(this.#message, type) - 1]
    if (member !== undefined) this.#table(tableAt(this.#message, at), member.table, depth + 1)
  }

  #width(type: TypeLayout): number {
    if (type.kind === 'scalar' || type.kind === 'enum') return scalarSize[type.type]
    return type.kind === 'struct' ? (this.#layout.structs[type.struct]?.size ?? 0) : 4
  }

  /** `at` and the bytes of the value itself are inside the message. */
  #value(at: number, type: TypeLayout, depth: number): void {
    if (type.kind === 'string') vectorAt(this.#message, at, 1)
    else if (type.kind === 'table') this.#table(tableAt(this.#message, at), type.table, depth + 1)
    else if (type.kind === 'vector') this.#vector(at, type.of, depth)
  }

  #vector(at: number, of: TypeLayout, depth: number): void {
    const width = this.#width(of)
    const vector = vectorAt(this.#message, at, width)
    if (of.kind !== 'string' && of.kind !== 'table') return
    const length = u32(this.#message, vector)
    this.#count(length)
    for (let i = 0; i < length; i++) this.#value(vector + 4 + i * width, of, depth)
  }
}

/**
 * Returns when a message is a sound one of its layout: flatc's classes then read nothing outside of it, as long as their methods
 * of single elements are used (`x(i)`); `xArray()` wants memory that is aligned. Fields that the layout does not have are not
 * looked at. Throws BadMessage `too_small`, `wrong_schema`, `invalid_flatbuffer` or `missing_field`.
 */
export function verify(message: Uint8Array, layout: SchemaLayout): void {
  new Verifier(layout, message).root()
}
