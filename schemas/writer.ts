// Writes a message of any schema from plain fields, driven by its layout.
import { BadMessage } from '../core/api/errors.js'
import { type FieldLayout, type ScalarType, type SchemaLayout, type TypeLayout } from './layout.js'
import { integerRanges, scalarSize } from './numbers.js'
import { element, isLittleEndian } from './reader.js'
import { isVector, type Vector } from './records.js'
import { type Spares } from './spares.js'

/**
 * What a field may be given as. Scalars: number, bigint, boolean or decimal text; enums also `{ value }`; tables and structs:
 * fields by name; unions: `{ type, value }`; vectors: lists, typed arrays or a `Vector`. null and undefined: absent.
 */
export type FieldInput =
  | number | bigint | boolean | string | null | undefined | Vector | Uint8Array | Fields | readonly FieldInput[] // prettier-ignore
export interface Fields {
  readonly [name: string]: FieldInput
}

const unencodable = (path: string, why: string): never => {
  throw new BadMessage('unencodable', `${path}: ${why}`)
}

function setScalar(view: DataView, at: number, type: ScalarType, input: unknown, path: string): void {
  if (type === 'int64' || type === 'uint64') return setLong(view, at, type, input, path)
  if (type === 'bool') return view.setUint8(at, input === true || input === 1 ? 1 : 0)
  const n = typeof input === 'number' ? input : toNumber(input, path)
  if (type === 'float64') return view.setFloat64(at, n, true)
  if (type === 'float32') return view.setFloat32(at, n, true)
  const range = integerRanges[type]
  if (range === undefined || !Number.isInteger(n) || n < range[0] || n > range[1])
    unencodable(path, `${n} is no ${type}`)
  const width = scalarSize[type]
  if (width === 1) view.setUint8(at, n & 0xff)
  else if (width === 2) view.setUint16(at, n & 0xffff, true)
  else view.setUint32(at, n >>> 0, true)
}

function toNumber(input: unknown, path: string): number {
  if (typeof input === 'bigint' || typeof input === 'boolean') return Number(input)
  const n = typeof input === 'string' && input.trim() !== '' ? Number(input) : Number.NaN
  if (Number.isNaN(n) && input !== 'NaN') return unencodable(path, `${typeof input} is no number`)
  return n
}

function setLong(view: DataView, at: number, type: 'int64' | 'uint64', input: unknown, path: string): void {
  const n = toBigInt(input, path)
  const wrapped = type === 'int64' ? BigInt.asIntN(64, n) : BigInt.asUintN(64, n)
  if (wrapped !== n) unencodable(path, `${n} is no ${type}`)
  if (type === 'int64') view.setBigInt64(at, n, true)
  else view.setBigUint64(at, n, true)
}

function toBigInt(input: unknown, path: string): bigint {
  if (typeof input === 'bigint') return input
  if (typeof input === 'number' && Number.isInteger(input)) return BigInt(input)
  if (typeof input === 'string' && /^-?\d{1,20}$/.test(input)) return BigInt(input)
  return unencodable(path, `${String(input)} is no whole number`)
}

/** Grows as needed; everything is written front to back, so every offset points forward. */
class Encoder {
  /** Zero up to `end`, or about to be written. */
  #bytes: Buffer = Buffer.alloc(512)
  #view: DataView = new DataView(this.#bytes.buffer)
  #end = 8

  readonly #layout: SchemaLayout
  readonly #spares: Spares | undefined

  constructor(layout: SchemaLayout, spares: Spares | undefined) {
    this.#layout = layout
    this.#spares = spares
  }

  message(fields: Fields): Buffer {
    const { id, root } = this.#layout
    if (root === null) return unencodable(id, 'is a part of other schemas, never sent alone')
    for (let i = 0; i < 4; i++) this.#bytes[4 + i] = id.charCodeAt(i)
    const table = this.#table(root, fields, id)
    this.#view.setUint32(0, table, true)
    return Buffer.from(this.#bytes.buffer, 0, this.#end)
  }

  /** Zeroes, but for the last `written` bytes, which the caller writes as a whole. */
  #reserve(size: number, written = 0): void {
    const before = this.#end
    this.#end += size
    if (this.#end > this.#bytes.length) {
      // Room for what follows an image: else each small field would copy it once more.
      const wanted = this.#end + Math.min(Math.max(this.#bytes.length, this.#end >> 4), 1 << 20)
      const spares = this.#spares
      const larger = spares?.take(wanted) ?? Buffer.allocUnsafeSlow(wanted)
      this.#bytes.copy(larger, 0, 0, before)
      spares?.give(this.#bytes)
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    this.#bytes.fill(0, before, this.#end - written)
  }

  /** Fields sorted by size follow the table's start at 4 modulo 8, so that each is aligned. */
  #table(name: string, fields: Fields, path: string): number {
    const layouts = this.#layout.tables[name] ?? []
    for (const key of Object.keys(fields))
      if (!layouts.some((field) => field.name === key)) unencodable(`${path}.${key}`, 'no such field')
    const present = layouts.filter((field) => {
      const there = isPresent(field, fields[field.name])
      if (!there && field.required === true) unencodable(`${path}.${field.name}`, 'is required')
      return there
    })
    const slots = present.flatMap((field) => this.#slots(field)).sort((a, b) => b.size - a.size)
    const vtableSize = 4 + 2 * Math.max(0, ...slots.map(({ slot }) => slot + 1))
    const start = (((this.#end + vtableSize + 3) >> 3) << 3) + 4
    const vtable = start - vtableSize
    let offset = 4
    const positions = new Map<number, number>()
    for (const { slot, size } of slots) {
      positions.set(slot, start + offset)
      offset += size
    }
    this.#reserve(start + offset - this.#end)
    this.#view.setInt32(start, vtableSize, true)
    this.#view.setUint16(vtable, vtableSize, true)
    this.#view.setUint16(vtable + 2, offset, true)
    for (const [slot, at] of positions) this.#view.setUint16(vtable + 4 + 2 * slot, at - start, true)
    for (const field of present) {
      const at = (slot: number): number => positions.get(slot) ?? 0
      this.#field(field, fields[field.name], at, `${path}.${field.name}`)
    }
    return start
  }

  #slots(field: FieldLayout): { slot: number; size: number }[] {
    if (field.kind === 'union')
      return [
        { slot: field.slot, size: 1 },
        { slot: field.slot + 1, size: 4 }
      ]
    const size =
      field.kind === 'scalar' || field.kind === 'enum'
        ? scalarSize[field.type]
        : field.kind === 'struct'
          ? (this.#layout.structs[field.struct]?.size ?? 0)
          : 4
    return [{ slot: field.slot, size }]
  }

  #field(field: FieldLayout, input: FieldInput, at: (slot: number) => number, path: string): void {
    if (field.kind !== 'union') return this.#value(field, input, at(field.slot), path)
    const { type, value } = input as { type?: unknown; value?: FieldInput }
    const index = field.members.findIndex(({ name }) => name === type)
    const member = field.members[index]
    if (member === undefined) return unencodable(path, `no union member ${String(type)}`)
    this.#bytes[at(field.slot)] = index + 1
    if (typeof value !== 'object' || value === null) return unencodable(path, 'a union needs { type, value }')
    this.#point(at(field.slot + 1), this.#table(member.table, value as Fields, path))
  }

  #point(at: number, to: number): void {
    this.#view.setUint32(at, to - at, true)
  }

  #value(type: TypeLayout, input: FieldInput, at: number, path: string): void {
    switch (type.kind) {
      case 'scalar':
        return setScalar(this.#view, at, type.type, input, path)
      case 'enum':
        return setScalar(this.#view, at, type.type, enumValue(type.names, input, path), path)
      case 'string':
        if (typeof input !== 'string') return unencodable(path, 'is no string')
        return this.#string(input, at)
      case 'struct':
        return this.#struct(type.struct, input, at, path)
      case 'vector':
        return this.#vector(type.of, input, at, path)
      default:
        if (type.kind !== 'table' || typeof input !== 'object' || input === null)
          return unencodable(path, 'is no table')
        this.#point(at, this.#table(type.table, input as Fields, path))
    }
  }

  #struct(name: string, input: FieldInput, at: number, path: string): void {
    if (typeof input !== 'object' || input === null) return unencodable(path, 'is no struct')
    for (const { name: member, offset, type } of this.#layout.structs[name]?.members ?? [])
      setScalar(this.#view, at + offset, type, (input as Fields)[member], `${path}.${member}`)
  }

  #string(text: string, at: number): void {
    const length = Buffer.byteLength(text)
    const start = this.#vectorStart(at, length, 1)
    this.#reserve(1)
    Buffer.from(this.#bytes.buffer).write(text, start, length)
  }

  /** Room for a vector's length and elements; gives the position of the first element. */
  #vectorStart(at: number, length: number, width: number, bytes = length, written = 0): number {
    const align = Math.max(4, width)
    const start = Math.ceil((this.#end + 4) / align) * align
    this.#reserve(start + bytes - this.#end, written)
    this.#view.setUint32(start - 4, length, true)
    this.#point(at, start - 4)
    return start
  }

  #vector(of: TypeLayout, input: FieldInput, at: number, path: string): void {
    if (typeof input !== 'object' || input === null) return unencodable(path, 'is no vector')
    if (of.kind === 'scalar') return this.#numbers(of.type, input, at, path)
    if (!Array.isArray(input)) return unencodable(path, 'is no list')
    const list = input as readonly FieldInput[]
    const start = this.#vectorStart(at, list.length, 4, list.length * 4)
    list.forEach((item, i) => this.#value(of, item, start + 4 * i, `${path}[${i}]`))
  }

  #numbers(type: ScalarType, input: object, at: number, path: string): void {
    const width = scalarSize[type]
    if (isVector(input) && input.dtype === type && input.writeTo !== undefined) {
      const bytes = input.length * width
      const start = this.#vectorStart(at, input.length, Math.max(8, width), bytes, bytes)
      return input.writeTo(this.#bytes.subarray(start, start + bytes))
    }
    if (ArrayBuffer.isView(input) || isVector(input)) {
      const raw = rawBytes(type, input)
      if (raw !== undefined) {
        const start = this.#vectorStart(at, raw.length / width, width, raw.length, raw.length)
        this.#bytes.set(raw, start)
        return
      }
    }
    const list = isVector(input) ? elements(input) : (input as ArrayLike<FieldInput>)
    if (typeof list.length !== 'number') return unencodable(path, 'is no list')
    const start = this.#vectorStart(at, list.length, width, list.length * width)
    for (let i = 0; i < list.length; i++) setScalar(this.#view, start + i * width, type, list[i], `${path}[${i}]`)
  }
}

/** The elements as they go on the wire, when the input has them in that type already. */
function rawBytes(type: ScalarType, input: ArrayBufferView | Vector): Uint8Array | undefined {
  if (!ArrayBuffer.isView(input)) return input.dtype === type ? input.bytes : undefined
  const name = input.constructor.name.replace('Big', '').replace('Array', '').toLowerCase()
  const same = name === type || (type === 'uint8' && input instanceof Uint8Array)
  return same && isLittleEndian ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : undefined
}

const elements = (vector: Vector): (number | bigint)[] =>
  Array.from({ length: vector.length }, (_, i) => element(vector, i))

function isPresent(field: FieldLayout, input: FieldInput): boolean {
  if (input === undefined || input === null) return false
  return field.kind !== 'union' || (input as { type?: unknown }).type !== 'NONE'
}

function enumValue(names: readonly string[], input: FieldInput, path: string): FieldInput {
  if (typeof input === 'object' && input !== null && 'value' in input) return input['value']
  if (typeof input !== 'string') return input
  const value = names.indexOf(input)
  return value < 0 ? unencodable(path, `no value ${input}`) : value
}

/**
 * One message; a large one in memory of `spares`, if given. Throws BadMessage `unencodable` naming the field that does not
 * fit its type.
 */
export function encodeFields(layout: SchemaLayout, fields: Fields, spares?: Spares): Buffer {
  return new Encoder(layout, spares).message(fields)
}
