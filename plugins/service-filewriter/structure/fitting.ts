// Values in other spellings than a schema asks for: numbers and true or false as text, as the field's clients send them.
import { type JSONSchema } from '../../../core/api/plugin.js'
import { isObject, own } from './findings.js'

/** The schema of a key, if it has one. */
export function propertyOf(schema: JSONSchema, key: string): unknown {
  const properties: unknown = isObject(schema) ? schema['properties'] : undefined
  return isObject(properties) ? own(properties, key) : undefined
}

/** The value as the schema wants it, where its meaning is plain; else as it is, for the check to refuse. */
export function fitted(value: unknown, schema: unknown): unknown {
  if (!isObject(schema)) return value
  if (Array.isArray(value))
    return listSchemas(schema).reduce<unknown[]>((list, items) => list.map((item) => fitted(item, items)), value)
  const types = typesOf(schema)
  if (typeof value === 'string' && !types.has('string')) return fromText(value, types)
  if (typeof value === 'number' && types.size === 1 && types.has('string')) return String(value)
  return value
}

function fromText(text: string, types: ReadonlySet<string>): unknown {
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  const numeric = types.has('integer') || types.has('number')
  return numeric && /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text) ? Number(text) : text
}

const choices = (schema: Readonly<Record<string, unknown>>): readonly unknown[] => {
  const any = schema['anyOf'] ?? schema['oneOf']
  return Array.isArray(any) ? (any as unknown[]) : []
}

/** Types that a schema names, in itself and in its choices; `string` for a list of words. */
function typesOf(schema: Readonly<Record<string, unknown>>): Set<string> {
  const { type, enum: words } = schema
  const named = Array.isArray(type) ? (type as unknown[]) : [type]
  const texts = Array.isArray(words) && words.some((word) => typeof word === 'string') ? ['string'] : []
  const inner = choices(schema).flatMap((choice) => (isObject(choice) ? [...typesOf(choice)] : []))
  return new Set([...named.filter((name): name is string => typeof name === 'string'), ...texts, ...inner])
}

const listSchemas = (schema: Readonly<Record<string, unknown>>): readonly unknown[] =>
  [schema, ...choices(schema)].flatMap((one) => (isObject(one) && isObject(one['items']) ? [one['items']] : []))
