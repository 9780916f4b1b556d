// A JSON Schema as table rows for people: option, type, default, meaning.
import { type JSONSchema } from '../../core/api/plugin.js'

type OptionRow = [name: string, type: string, standard: string, meaning: string]

/** One row a property; nested ones as `a.b`, items of lists as `a[].b`. */
export function optionRows(schema: JSONSchema, prefix = ''): OptionRow[] {
  if (typeof schema !== 'object') return []
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    if (typeof property !== 'object') return []
    const name = prefix + key
    const standard = required.has(key) ? 'required' : standardOf(property.default)
    const items = property.items as JSONSchema | undefined
    const below = [...optionRows(property, `${name}.`), ...optionRows(items ?? {}, `${name}[].`)]
    return [[name, typeOf(property), standard, property.description ?? ''] satisfies OptionRow, ...below]
  })
}

/** Empty lists and tables go without saying. */
function standardOf(value: unknown): string {
  if (value === undefined) return ''
  const empty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
  return empty ? '' : JSON.stringify(value)
}

/** A type in a few words: `string`, `integer ≥ 1`, `"a" | "b"`, `list of string`. */
export function typeOf(schema: JSONSchema): string {
  if (typeof schema !== 'object') return 'any'
  if (Array.isArray(schema.enum)) return schema.enum.map((value: unknown) => JSON.stringify(value)).join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const choices = schema.anyOf ?? schema.oneOf
  if (schema.type === undefined && choices !== undefined) return choices.map(typeOf).join(' or ')
  if (schema.type === 'array') {
    const items = schema.items as JSONSchema | undefined
    return `list of ${items === undefined ? 'any' : typeOf(items)}`
  }
  const base = schema.type === undefined ? 'any' : [schema.type].flat().join(' or ')
  const low = schema.minimum === undefined ? '' : ` ≥ ${schema.minimum}`
  const high = schema.maximum === undefined ? '' : ` ≤ ${schema.maximum}`
  return base + low + high
}
