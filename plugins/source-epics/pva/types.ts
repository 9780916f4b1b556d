// pvData type descriptions, with the cache that each connection has for them.
import { type VectorType } from '../../../schemas/index.js'
import { type PvaReader } from './reader.js'

export interface Field {
  readonly name: string
  readonly type: PvType
}

/** `weight`: how many fields the type has, all levels. */
export type PvType = { readonly weight: number } & (
  | { readonly kind: 'scalar'; readonly code: number }
  | { readonly kind: 'array'; readonly code: number; readonly fixed: number }
  | { readonly kind: 'structure'; readonly id: string; readonly fields: readonly Field[] }
  | { readonly kind: 'union'; readonly id: string; readonly fields: readonly Field[] }
  | { readonly kind: 'any' }
  | { readonly kind: 'structure-array' | 'union-array'; readonly element: PvType }
  | { readonly kind: 'any-array' }
)
export type StructureType = Extract<PvType, { kind: 'structure' }>

/** Scalar codes on the wire. */
export const Code = {
  BOOLEAN: 0x00, INT8: 0x20, INT16: 0x21, INT32: 0x22, INT64: 0x23, UINT8: 0x24, UINT16: 0x25, UINT32: 0x26,
  UINT64: 0x27, FLOAT32: 0x42, FLOAT64: 0x43, STRING: 0x60
} as const // prettier-ignore

/** Element of numeric arrays; booleans are bytes. */
export const NUMERIC: ReadonlyMap<number, { readonly dtype: VectorType; readonly width: number }> = new Map([
  [Code.BOOLEAN, { dtype: 'uint8', width: 1 }],
  [Code.INT8, { dtype: 'int8', width: 1 }],
  [Code.INT16, { dtype: 'int16', width: 2 }],
  [Code.INT32, { dtype: 'int32', width: 4 }],
  [Code.INT64, { dtype: 'int64', width: 8 }],
  [Code.UINT8, { dtype: 'uint8', width: 1 }],
  [Code.UINT16, { dtype: 'uint16', width: 2 }],
  [Code.UINT32, { dtype: 'uint32', width: 4 }],
  [Code.UINT64, { dtype: 'uint64', width: 8 }],
  [Code.FLOAT32, { dtype: 'float32', width: 4 }],
  [Code.FLOAT64, { dtype: 'float64', width: 8 }]
])

const MAX_DEPTH = 32
const MAX_WEIGHT = 10_000
const MAX_CACHED = 10_000

/** Types that one connection has sent, by their number. */
export type TypeCache = Map<number, PvType | null>

/**
 * The next type description; null for "no type". Throws RangeError for unknown codes, unknown cached types,
 * too deep nesting and too many fields (cached types used in one another multiply).
 */
export function readType(reader: PvaReader, cache: TypeCache, depth = 0): PvType | null {
  if (depth > MAX_DEPTH) throw new RangeError('PVA: type nested too deeply')
  const code = reader.u8()
  switch (code) {
    case 0xff: return null
    case 0xfe: return cached(cache, reader.u16())
    case 0xfd: return defined(reader, cache, depth)
    case 0x80: case 0x81: return compound(reader, cache, depth, code === 0x80 ? 'structure' : 'union')
    case 0x82: return { kind: 'any', weight: 1 }
    case 0x83: // String of limited length
      reader.size()
      return { kind: 'scalar', code: Code.STRING, weight: 1 }
    case 0x88: return elements(reader, cache, depth, 'structure-array')
    case 0x89: return elements(reader, cache, depth, 'union-array')
    case 0x8a: return { kind: 'any-array', weight: 1 }
    default: return plain(reader, code)
  } // prettier-ignore
}

function cached(cache: TypeCache, id: number): PvType | null {
  const type = cache.get(id)
  if (type === undefined) throw new RangeError(`PVA: type ${id} was never sent`)
  return type
}

function defined(reader: PvaReader, cache: TypeCache, depth: number): PvType | null {
  const id = reader.u16()
  const type = readType(reader, cache, depth + 1)
  if (cache.size >= MAX_CACHED && !cache.has(id)) throw new RangeError('PVA: too many cached types')
  cache.set(id, type)
  return type
}

function compound(reader: PvaReader, cache: TypeCache, depth: number, kind: 'structure' | 'union'): PvType {
  const id = reader.text()
  const n = reader.count(2)
  const fields: Field[] = []
  let weight = 1
  for (let i = 0; i < n; i++) {
    const name = reader.text()
    const type = readType(reader, cache, depth + 1)
    if (type === null) throw new RangeError(`PVA: field ${name} has no type`)
    weight += type.weight
    if (weight > MAX_WEIGHT) throw new RangeError('PVA: type with too many fields')
    fields.push({ name, type })
  }
  return { kind, id, fields, weight }
}

function elements(reader: PvaReader, cache: TypeCache, depth: number, kind: 'structure-array' | 'union-array'): PvType {
  const element = readType(reader, cache, depth + 1)
  const wanted = kind === 'structure-array' ? 'structure' : 'union'
  if (element?.kind !== wanted) throw new RangeError(`PVA: ${kind} of something else`)
  return { kind, element, weight: 1 + element.weight }
}

/** Scalars and arrays of them: bits 3 and 4 say which kind of array. */
function plain(reader: PvaReader, code: number): PvType {
  const base = code & 0xe7
  if (base !== Code.STRING && !NUMERIC.has(base)) throw new RangeError(`PVA: unknown type code 0x${code.toString(16)}`)
  const shape = code & 0x18
  if (shape === 0) return { kind: 'scalar', code: base, weight: 1 }
  const bound = shape === 0x08 ? -1 : reader.size()
  return { kind: 'array', code: base, fixed: shape === 0x18 ? bound : -1, weight: 1 }
}
