// Message values as people and scripts read them: the JSON of the schemas, and one short line made from it.
import { decodeJson, readJson, sourceIn } from '../../schemas/index.js'
import { CodedError, numberText, visible, visibleJson, writeJson } from '../../core/api/plugin.js'
import { type Decode } from './foreign.js'

/** What a message value is. JSON text has the id `json`; what cannot be read has `null` and a reason. */
export interface Decoded {
  readonly file_identifier: string | null
  readonly message: unknown
  readonly error?: string
}

/** Never throws for bad bytes: they are data here, and the reason is shown. */
export function decodeValue(value: Uint8Array | null, decode: Decode = (bytes) => decodeJson(bytes)): Decoded {
  if (value === null) return { file_identifier: null, message: null, error: 'tombstone (no value)' }
  if (value[0] === 0x7b || value[0] === 0x5b) {
    try {
      return { file_identifier: 'json', message: readJson(Buffer.from(value).toString('utf8')) }
    } catch {
      // Not JSON after all: a FlatBuffer may begin with the same byte
    }
  }
  try {
    return decode(value)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { file_identifier: null, message: null, error: error.message }
  }
}

type DecodedFields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is DecodedFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The source that a message names. */
export const sourceOf = ({ message }: Decoded): string | undefined => sourceIn(message)

const SHOWN = 4

/** In one line; 64-bit integers become decimal strings. */
export const toJson = (value: unknown): string => visibleJson(writeJson(value))

/** A value in a few words: enums by name, unions by content, long lists by their beginning. */
export function short(value: unknown): string {
  if (value === null || value === undefined) return '-'
  const digits = numberText(value)
  if (digits !== undefined) return digits
  if (typeof value === 'string') return visible(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  if (Array.isArray(value)) {
    const head = value.slice(0, SHOWN).map(short).join(' ')
    return value.length > SHOWN ? `[${value.length}: ${head} ...]` : `[${head}]`
  }
  if (!isFields(value)) return toJson(value)
  if ('type_id' in value) return short(value['value'])
  if (typeof value['name'] === 'string' && 'value' in value && Object.keys(value).length === 2) return value['name']
  const keys = Object.keys(value)
  if (keys.length === 1 && keys[0] === 'value') return short(value['value'])
  const text = toJson(value)
  return visible(text.length > 60 ? `${text.slice(0, 57)}...` : text)
}

const apart = new Set(['source_name', 'source', 'timestamp'])

/** `key=value` of all fields that are there, without source and time. */
export function summaryOf(decoded: Decoded): string {
  if (decoded.error !== undefined) return decoded.error
  if (!isFields(decoded.message)) return short(decoded.message)
  return Object.entries(decoded.message)
    .filter(([key, value]) => value !== null && !apart.has(key))
    .map(([key, value]) => `${key}=${short(value)}`)
    .join(' ')
}

/** Local-independent time of the day with date: `2026-11-21 12:00:00.123`. */
export const clock = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
