// The schemas for everyone: which one a message has, any message as JSON and back.
import { BadMessage } from '../core/api/errors.js'
import { layouts } from './generated/layouts.js'
import { type JsonOptions, type JsonValue, toJson } from './json.js'
import { type SchemaLayout } from './layout.js'
import { encodeFields, type Fields } from './writer.js'
import { type Spares } from './spares.js'
import { verify } from './verify.js'

export type * from './layout.js'
export { type JsonOptions, type JsonValue } from './json.js'
export { type FieldInput, type Fields } from './writer.js'
export * from './cast.js'
export * from './numbers.js'
export * from './peek.js'
export * from './place.js'
export * from './pulses.js'
export * from './reader.js'
export * from './typed-bytes.js'
export * from './verify.js'
export * from './by-source.js'
export * from './epics.js'
export * from './json-text.js'
export * from './converter.js'
export * from './records.js'
export * from './time.js'
export * from './updates.js'
export * from './spares.js'

const byId = new Map<string, SchemaLayout>(Object.entries(layouts))

/** All schema ids, sorted. */
export const schemaIds: readonly string[] = [...byId.keys()].sort()

/** The four characters at bytes 4–7; undefined when the message is shorter or they are no ASCII. */
export function schemaId(message: Uint8Array): string | undefined {
  if (message.length < 8) return undefined
  const codes = message.subarray(4, 8)
  return codes.every((code) => code > 0x20 && code < 0x7f) ? String.fromCharCode(...codes) : undefined
}

function layoutOf(id: string | undefined): SchemaLayout {
  const layout = id === undefined ? undefined : byId.get(id)
  if (layout === undefined) throw new BadMessage('unknown_schema', `no schema has the id ${JSON.stringify(id ?? null)}`)
  return layout
}

/** The layout of a message, all of which can be read. Throws BadMessage as `verify` does, and `unknown_schema`. */
export function verified(message: Uint8Array): SchemaLayout {
  if (message.length < 8) throw new BadMessage('too_small', `${message.length} bytes are no message`)
  const layout = layoutOf(schemaId(message))
  verify(message, layout)
  return layout
}

/**
 * Any message as JSON: every field of the root table in slot order, 64-bit integers as decimal strings, NaN and infinities as
 * strings, enums `{ name, value }`, unions `{ type, type_id, value }`, absent strings, vectors, tables and structs null.
 * Checks everything it reads; throws BadMessage `too_small`, `unknown_schema`, `invalid_flatbuffer` or `missing_field`.
 */
export function decodeJson(
  message: Uint8Array,
  options: JsonOptions = {}
): { file_identifier: string; message: { [name: string]: JsonValue } } {
  if (message.length < 8) throw new BadMessage('too_small', `${message.length} bytes are no message`)
  const layout = layoutOf(schemaId(message))
  return { file_identifier: layout.id, message: toJson(layout, message, options) }
}

/**
 * A message from its fields: the inverse of `decodeJson`, which also takes numbers, bigints and typed arrays.
 * Fields that are absent, null or undefined are left out. Throws BadMessage `unknown_schema` or `unencodable`.
 */
export function encodeMessage(id: string, fields: Fields, spares?: Spares): Buffer {
  return encodeFields(layoutOf(id), fields, spares)
}

/** Fields that name the source, by schema; the first that is there counts. */
const sourceFields = ['source_name', 'source', 'name', 'Name', 'key', 'n', 'service_id']

/** The source that a decoded message names; undefined for none. */
export function sourceIn(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const fields = message as Readonly<Record<string, unknown>>
  for (const key of sourceFields) {
    const name = fields[key]
    if (typeof name === 'string' && name !== '') return name
  }
  return undefined
}
