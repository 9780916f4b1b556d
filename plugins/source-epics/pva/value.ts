// pvData values to plain ones: PvValue of schemas/records.ts.
import { type PvStructure, type PvValue, type Vector } from '../../../schemas/index.js'
import { type PvaReader } from './reader.js'
import { Code, NUMERIC, readType, type Field, type PvType, type TypeCache } from './types.js'

const MAX_DEPTH = 64
const NO_FIELDS: ReadonlyMap<string, PvValue> = new Map()
const EMPTY_STRINGS: readonly string[] = []

/** One scalar of the type with this code. */
export function readScalar(reader: PvaReader, code: number): number | bigint | boolean | string {
  switch (code) {
    case Code.FLOAT64: return reader.f64()
    case Code.INT32: return reader.i32()
    case Code.STRING: return reader.text()
    case Code.FLOAT32: return reader.f32()
    case Code.INT64: return reader.i64()
    case Code.UINT64: return reader.u64()
    case Code.UINT32: return reader.u32()
    case Code.INT16: return reader.i16()
    case Code.UINT16: return reader.u16()
    case Code.INT8: return reader.i8()
    case Code.UINT8: return reader.u8()
    default: return reader.u8() !== 0
  } // prettier-ignore
}

function readArray(reader: PvaReader, code: number, fixed: number): Vector | string[] {
  const numeric = NUMERIC.get(code)
  if (numeric === undefined) {
    const n = fixed >= 0 ? fixed : reader.count(1)
    if (n > reader.left) throw new RangeError('PVA: message too short')
    return Array.from({ length: n }, () => reader.text())
  }
  return reader.vector(numeric.dtype, numeric.width, fixed >= 0 ? fixed : reader.count(numeric.width))
}

/**
 * The next value of `type`. A union gives the value of its chosen member (null: none). Elements of arrays of unions
 * and of anything are structures of one field, named by the member or `value`; absent elements are empty structures.
 */
export function readValue(reader: PvaReader, type: PvType, cache: TypeCache, depth = 0): PvValue {
  if (depth > MAX_DEPTH) throw new RangeError('PVA: value nested too deeply')
  switch (type.kind) {
    case 'scalar': return readScalar(reader, type.code)
    case 'array': return readArray(reader, type.code, type.fixed)
    case 'structure': return readStructure(reader, type.id, type.fields, cache, depth)
    case 'union': return readUnion(reader, type.fields, cache, depth)?.value ?? null
    case 'any': return readAny(reader, cache, depth)
    default: return readElements(reader, type, cache, depth)
  } // prettier-ignore
}

function readStructure(
  reader: PvaReader,
  id: string,
  fields: readonly Field[],
  cache: TypeCache,
  depth: number
): PvStructure {
  reader.countStructure()
  const values = new Map<string, PvValue>()
  for (const { name, type } of fields) values.set(name, readValue(reader, type, cache, depth + 1))
  return { typeId: id, fields: values }
}

function readUnion(
  reader: PvaReader,
  fields: readonly Field[],
  cache: TypeCache,
  depth: number
): { name: string; value: PvValue } | null {
  const chosen = reader.size()
  if (chosen < 0) return null
  const field = fields[chosen]
  if (field === undefined) throw new RangeError('PVA: union without this member')
  return { name: field.name, value: readValue(reader, field.type, cache, depth + 1) }
}

function readAny(reader: PvaReader, cache: TypeCache, depth: number): PvValue {
  const type = readType(reader, cache)
  return type === null ? null : readValue(reader, type, cache, depth + 1)
}

function readElements(
  reader: PvaReader,
  type: Extract<PvType, { kind: 'structure-array' | 'union-array' | 'any-array' }>,
  cache: TypeCache,
  depth: number
): PvStructure[] {
  const n = reader.count(1)
  const list: PvStructure[] = []
  for (let i = 0; i < n; i++) list.push(reader.u8() === 0 ? absent(reader) : readElement(reader, type, cache, depth))
  return list
}

function readElement(
  reader: PvaReader,
  type: Extract<PvType, { kind: 'structure-array' | 'union-array' | 'any-array' }>,
  cache: TypeCache,
  depth: number
): PvStructure {
  if (type.kind === 'any-array') return named(reader, 'value', readAny(reader, cache, depth))
  const { element } = type
  if (element.kind === 'structure') return readStructure(reader, element.id, element.fields, cache, depth + 1)
  if (element.kind !== 'union') throw new RangeError('PVA: array of something else')
  const chosen = readUnion(reader, element.fields, cache, depth + 1)
  return chosen === null ? absent(reader) : named(reader, chosen.name, chosen.value)
}

function named(reader: PvaReader, name: string, value: PvValue): PvStructure {
  reader.countStructure()
  return { typeId: '', fields: new Map([[name, value]]) }
}

function absent(reader: PvaReader): PvStructure {
  reader.countStructure()
  return { typeId: '', fields: NO_FIELDS }
}

/** What a field holds before the server says otherwise. */
export function emptyValue(type: PvType): PvValue {
  switch (type.kind) {
    case 'scalar': return emptyScalar(type.code)
    case 'array': {
      const numeric = NUMERIC.get(type.code)
      return numeric === undefined ? EMPTY_STRINGS : { dtype: numeric.dtype, length: 0, bytes: new Uint8Array(0) }
    }
    case 'structure':
      return { typeId: type.id, fields: new Map(type.fields.map((field) => [field.name, emptyValue(field.type)])) }
    case 'union': case 'any': return null
    default: return []
  } // prettier-ignore
}

function emptyScalar(code: number): number | bigint | boolean | string {
  if (code === Code.STRING) return ''
  if (code === Code.BOOLEAN) return false
  return code === Code.INT64 || code === Code.UINT64 ? 0n : 0
}
