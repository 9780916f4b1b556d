// The shape of generated/layouts.ts: every schema as plain data, for decoding and encoding without code per schema.
import { type scalarSize } from './numbers.js'

export type ScalarType = keyof typeof scalarSize

export type TypeLayout =
  | { readonly kind: 'scalar'; readonly type: ScalarType }
  /** `names[value]`; enums count from 0 without gaps. */
  | { readonly kind: 'enum'; readonly type: ScalarType; readonly names: readonly string[] }
  | { readonly kind: 'string' }
  | { readonly kind: 'table'; readonly table: string }
  | { readonly kind: 'struct'; readonly struct: string }
  /** `members[type id - 1]`; takes two slots, the field's own is that of the type id. */
  | { readonly kind: 'union'; readonly members: readonly { readonly name: string; readonly table: string }[] }
  | { readonly kind: 'vector'; readonly of: TypeLayout }

export type FieldLayout = TypeLayout & {
  readonly name: string
  readonly slot: number
  readonly required?: true
  /** Of a scalar or enum when the slot is absent; null for optional scalars. Default 0. */
  readonly default?: number | null
}

/** Stored inline. */
export interface StructLayout {
  readonly size: number
  readonly align: number
  readonly members: readonly { readonly name: string; readonly offset: number; readonly type: ScalarType }[]
}

export interface SchemaLayout {
  readonly id: string
  /** Name of the root table; null for parts that are only included by other schemas. */
  readonly root: string | null
  readonly tables: Readonly<Record<string, readonly FieldLayout[]>>
  readonly structs: Readonly<Record<string, StructLayout>>
}
