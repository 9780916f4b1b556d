// Attributes of a structure node: a map or a list, typed or not.
import { plainNumbers } from '../../../core/api/plugin.js'
import { fitted } from './fitting.js'
import { below, isObject, own, type Findings, type JsonObject } from './findings.js'
import { knownTypes, typedValue, typeName, type TypedOptions, type TypedValue } from './values.js'
import { type Attributes, type AttributeValue } from '../writer-part.js'

type Attribute = Attributes[string]

const listKeys = new Set(['name', 'value', 'values', 'dtype', 'type', 'string_size', 'encoding', 'size', 'space'])

/** Reads `attributes` of a node; what is wrong with one is found and that one left out. */
export function readAttributes(node: JsonObject, at: string, findings: Findings): Map<string, Attribute> {
  const raw = own(node, 'attributes')
  const found = new Map<string, Attribute>()
  const where = below(at, 'attributes')
  if (raw === undefined || raw === null) return found
  if (Array.isArray(raw)) {
    raw.forEach((item: unknown, i) => addListed(item, below(where, i), found, findings))
  } else if (isObject(raw)) {
    for (const name of Object.keys(raw)) addNamed(name, own(raw, name), below(where, name), found, findings)
  } else findings.add(where, 'must be an object or a list')
  return found
}

function addListed(item: unknown, at: string, found: Map<string, Attribute>, findings: Findings): void {
  if (!isObject(item)) return findings.add(at, 'must be an object with name and value')
  const name = own(item, 'name')
  if (typeof name !== 'string') return findings.add(below(at, 'name'), 'is missing; the attribute needs a name')
  for (const key of Object.keys(item)) if (!listKeys.has(key)) findings.add(below(at, key), 'unknown key')
  addTyped(name, item, at, found, findings)
}

function addNamed(name: string, value: unknown, at: string, found: Map<string, Attribute>, findings: Findings): void {
  if (!isObject(value)) return put(name, { raw: value, type: {}, at }, found, findings)
  for (const key of Object.keys(value)) if (!listKeys.has(key)) findings.add(below(at, key), 'unknown key')
  addTyped(name, value, at, found, findings)
}

function addTyped(name: string, item: JsonObject, at: string, found: Map<string, Attribute>, findings: Findings): void {
  const key = Object.hasOwn(item, 'values') ? 'values' : 'value'
  if (!Object.hasOwn(item, key)) return findings.add(below(at, key), 'is missing; the attribute needs a value')
  put(name, { raw: own(item, key), type: readType(item, at, findings), at: below(at, key) }, found, findings)
}

/** `dtype` (or `type`) and `string_size` of a dataset or attribute. */
export function readType(item: JsonObject, at: string, findings: Findings): Partial<TypedOptions> {
  const key = Object.hasOwn(item, 'dtype') ? 'dtype' : 'type'
  const name = own(item, key)
  const dtype = typeof name === 'string' ? typeName(name) : undefined
  if (name !== undefined && dtype === undefined)
    findings.add(below(at, key), `${JSON.stringify(name)} is not a data type; known are ${knownTypes}`)
  const size = fitted(plainNumbers(own(item, 'string_size')), { type: 'integer' })
  const good = typeof size === 'number' && Number.isInteger(size) && size > 0 && size <= 1 << 20
  if (size !== undefined && !good) findings.add(below(at, 'string_size'), 'must be a number of bytes, at least 1')
  return { dtype, stringSize: good ? size : undefined }
}

interface Given {
  readonly raw: unknown
  readonly type: Partial<TypedOptions>
  /** Where the value stands. */
  readonly at: string
}

function put(name: string, { raw, type, at }: Given, found: Map<string, Attribute>, findings: Findings): void {
  if (name === '' || name.includes('\0')) return findings.add(at, 'the name of an attribute may not be empty')
  const guess = Array.isArray(raw) ? 'float64' : 'integer'
  const typed = typedValue(raw, { dtype: type.dtype, stringSize: type.stringSize, guess }, at, findings)
  if (typed === undefined) return
  if (found.has(name)) findings.add(at, `the attribute '${name}' is given twice; the later one is meant`)
  if (attributeBytes(typed.value) > 60_000)
    return findings.add(at, 'an attribute holds at most 60000 bytes; make it a dataset')
  const list = typeof typed.value === 'string' ? [typed.value] : Array.from<string | number | bigint>(typed.value)
  const value = (typed.shape.length === 0 ? list[0] : list) as AttributeValue
  const { dtype, shape } = typed
  found.set(name, { value, dtype, ...(shape.length > 1 && { shape }) })
}

function attributeBytes(value: TypedValue['value']): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (ArrayBuffer.isView(value)) return value.byteLength
  return value.reduce((sum, text) => sum + Buffer.byteLength(text) + 16, 0)
}
