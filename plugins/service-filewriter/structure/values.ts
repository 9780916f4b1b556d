// Values of static datasets and attributes: JSON in, typed arrays out, everything that does not fit named by path.
import { typedArrays } from '../../../schemas/numbers.js'
import { type NumberType, numberText } from '../../../core/api/plugin.js'
import { below, type Findings } from './findings.js'
import { type DataType } from '../writer-part.js'

export interface TypedValue {
  readonly dtype: DataType
  readonly shape: readonly number[]
  readonly value: NumberArray | readonly string[] | string
}

type NumberArray =
  | Int8Array | Int16Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array | Uint32Array | BigUint64Array
  | Float32Array | Float64Array // prettier-ignore

type TypeName = NumberType | 'bool' | 'string'

const names: Readonly<Record<string, TypeName>> = {
  int8: 'int8', int16: 'int16', int32: 'int32', int64: 'int64',
  uint8: 'uint8', uint16: 'uint16', uint32: 'uint32', uint64: 'uint64',
  char: 'int8', byte: 'int8', short: 'int16', int: 'int32', long: 'int64', uint: 'uint32',
  float: 'float32', float32: 'float32', double: 'float64', float64: 'float64',
  bool: 'bool', boolean: 'bool', string: 'string', str: 'string', c_string: 'string'
} // prettier-ignore

const bounds = {
  int8: [-128, 127], int16: [-32768, 32767], int32: [-2147483648, 2147483647],
  uint8: [0, 255], uint16: [0, 65535], uint32: [0, 4294967295]
} as const // prettier-ignore

const MAX_RANK = 32

/** The dtype a structure names, in any of the field's spellings. */
export function typeName(name: string): TypeName | undefined {
  const key = name.toLowerCase().replace(/_t$/, '')
  return Object.hasOwn(names, key) ? names[key] : undefined
}

export const knownTypes = Object.keys(names).join(', ')

export interface TypedOptions {
  /** As the structure says it; guessed from the value when undefined. */
  readonly dtype: TypeName | undefined
  /** For numbers without a dtype. */
  readonly guess: 'float64' | 'integer'
  /** Bytes of a fixed-length string; variable when undefined. */
  readonly stringSize: number | undefined
}

/** Types a scalar or (nested) list; undefined when something was found. */
export function typedValue(
  raw: unknown,
  options: TypedOptions,
  at: string,
  findings: Findings
): TypedValue | undefined {
  const shape = shapeOf(raw, at, findings)
  if (shape === undefined) return undefined
  const size = shape.reduce((product, n) => product * n, 1)
  const given = countOf(raw)
  if (size > 64 * given + MOST_PADDING) {
    findings.add(at, `${given} values in lists of different lengths would be filled up to ${size}`)
    return undefined
  }
  const type = options.dtype ?? guessType(raw, options.guess)
  const filler =
    type === 'string' ? new Strings(size, options.stringSize, at, findings) : new Numbers(type, size, at, findings)
  const before = findings.list.length
  fill(raw, shape, at, filler, findings)
  if (findings.list.length > before) return undefined
  const { dtype, value } = filler
  return {
    dtype,
    shape,
    value: typeof value !== 'string' && shape.length === 0 && Array.isArray(value) ? first(value) : value
  }
}

const first = (list: readonly string[]): string => list[0] ?? ''

/** The largest extents: shorter lists are filled up. */
function shapeOf(raw: unknown, at: string, findings: Findings): number[] | undefined {
  const shape: number[] = []
  const visit = (value: unknown, level: number): void => {
    if (!Array.isArray(value) || level > MAX_RANK) return
    shape[level] = Math.max(shape[level] ?? 0, value.length)
    for (const item of value as unknown[]) if (Array.isArray(item)) visit(item, level + 1)
  }
  visit(raw, 0)
  if (shape.length <= MAX_RANK) return shape
  findings.add(at, `lists are nested deeper than ${MAX_RANK} levels`)
  return undefined
}

function countOf(raw: unknown): number {
  if (!Array.isArray(raw)) return 1
  let n = raw.length
  for (const item of raw as unknown[]) if (Array.isArray(item)) n += countOf(item) - 1
  return n
}

/** Lists so much smaller than what they are filled up to are a mistake, or hostile. */
const MOST_PADDING = 1 << 20

function guessType(raw: unknown, guess: 'float64' | 'integer'): TypeName {
  const kinds = new Set<'bool' | 'string' | 'float64' | 'int64' | 'uint64'>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value as unknown[]) visit(item)
    else if (typeof value === 'boolean') kinds.add('bool')
    else if (typeof value === 'string' && numberText(value) === undefined) kinds.add('string')
    else kinds.add(numberKind(value))
  }
  visit(raw)
  if (kinds.has('string')) return 'string'
  if (kinds.size === 1 && kinds.has('bool')) return 'bool'
  if (guess === 'float64' || kinds.has('float64') || kinds.size === 0) return 'float64'
  return kinds.has('uint64') ? 'uint64' : 'int64'
}

/** Integers as the peers' JSON has them: signed unless that is too small. */
function numberKind(value: unknown): 'float64' | 'int64' | 'uint64' {
  const text = numberText(value)
  if (text === undefined) return typeof value === 'bigint' || Number.isSafeInteger(value) ? 'int64' : 'float64'
  if (!/^-?\d+$/.test(text) || text === '-0') return 'float64'
  const big = BigInt(text)
  if (BigInt.asIntN(64, big) === big) return 'int64'
  return BigInt.asUintN(64, big) === big ? 'uint64' : 'float64'
}

interface Filler {
  readonly dtype: DataType
  readonly value: NumberArray | string[]
  put(value: unknown, at: () => string): void
  /** Leaves room for what a shorter list has not. */
  skip(n: number): void
}

/** Puts the items in row-major order; shorter lists are filled up with 0 or empty texts. */
function fill(raw: unknown, shape: readonly number[], at: string, filler: Filler, findings: Findings): void {
  const fillLevel = (raw: unknown, level: number, at: string): void => {
    if (level === shape.length) {
      if (Array.isArray(raw)) findings.add(at, 'is a list where the others are single values')
      else filler.put(raw, () => at)
      return
    }
    if (!Array.isArray(raw)) {
      findings.add(at, 'is not a list, but there are lists beside it')
      return
    }
    const items = raw as unknown[]
    const leaf = level === shape.length - 1
    for (let i = 0; i < items.length; i++) {
      if (leaf && !Array.isArray(items[i])) filler.put(items[i], () => below(at, i))
      else fillLevel(items[i], level + 1, below(at, i))
    }
    const missing = (shape[level] ?? 0) - items.length
    if (missing > 0) filler.skip(missing * shape.slice(level + 1).reduce((product, n) => product * n, 1))
  }
  fillLevel(raw, 0, at)
}

class Numbers implements Filler {
  readonly dtype: NumberType
  readonly value: NumberArray
  #n = 0

  readonly #type: NumberType | 'bool' | 'string'
  readonly #findings: Findings

  constructor(type: NumberType | 'bool' | 'string', size: number, at: string, findings: Findings) {
    this.#type = type
    this.#findings = findings

    this.dtype = type === 'bool' || type === 'string' ? 'int8' : type
    const constructor = typedArrays[this.dtype]
    let array: NumberArray
    try {
      array = new constructor(size)
    } catch {
      findings.add(at, `${size} values are too many`)
      array = new constructor(0)
    }
    this.value = array
  }

  put(value: unknown, at: () => string): void {
    const number = this.#type === 'bool' ? toBool(value) : this.#convert(value)
    if (typeof number === 'string') this.#findings.add(at(), number)
    else this.value[this.#n++] = number
  }

  skip(n: number): void {
    this.#n += n
  }

  /** The number to store, or what is wrong with it. */
  #convert(raw: unknown): number | bigint | string {
    const value = numberIn(raw) ?? raw
    if (this.dtype === 'int64' || this.dtype === 'uint64') return toBigInt(value, this.dtype)
    if (typeof value === 'boolean') return Number(value)
    if (typeof value === 'number' || typeof value === 'bigint') return this.#bounded(Number(value))
    return this.#floating() ? special(value) : notA(value, this.dtype)
  }

  #floating(): boolean {
    return this.dtype === 'float32' || this.dtype === 'float64'
  }

  #bounded(value: number): number | string {
    if (this.dtype === 'float32' || this.dtype === 'float64' || this.dtype === 'int64' || this.dtype === 'uint64')
      return value
    const [low, high] = bounds[this.dtype]
    if (!Number.isInteger(value)) return `${value} is not an integer (${this.dtype})`
    return value < low || value > high ? `${value} is outside ${this.dtype} (${low} to ${high})` : value
  }
}

/** A number that came as text, with all its digits. */
function numberIn(raw: unknown): number | bigint | undefined {
  if (typeof raw !== 'string') return undefined
  const text = numberText(raw) ?? raw.trim()
  if (/^[+-]?\d{1,400}$/.test(text) && text !== '-0') {
    const number = Number(text)
    return Number.isSafeInteger(number) ? number : BigInt(text.replace(/^\+/, ''))
  }
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
}

const notA = (value: unknown, dtype: string): string => `${shown(value)} is not a number (${dtype})`
const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60)

const special = (value: unknown): number | string => {
  if (value === 'NaN' || value === 'nan') return NaN
  if (value === 'Infinity' || value === 'inf') return Infinity
  if (value === '-Infinity' || value === '-inf') return -Infinity
  return notA(value, 'a float')
}

function toBool(raw: unknown): number | string {
  if (typeof raw === 'boolean') return Number(raw)
  const value = numberIn(raw) ?? raw
  return value === 0 || value === 1 ? value : `${shown(value)} is not true, false, 1 or 0`
}

function toBigInt(value: unknown, dtype: 'int64' | 'uint64'): bigint | string {
  let big: bigint
  if (typeof value === 'bigint') big = value
  else if (typeof value === 'boolean') big = BigInt(value)
  else if (typeof value !== 'number') return notA(value, dtype)
  else if (!Number.isInteger(value)) return `${value} is not an integer (${dtype})`
  else big = BigInt(value)
  const fits = dtype === 'int64' ? BigInt.asIntN(64, big) === big : BigInt.asUintN(64, big) === big
  return fits ? big : `${big} is outside ${dtype}`
}

class Strings implements Filler {
  readonly dtype: DataType
  readonly value: string[] = []

  readonly #bytes: number | undefined
  readonly #findings: Findings

  constructor(size: number, bytes: number | undefined, at: string, findings: Findings) {
    this.#bytes = bytes
    this.#findings = findings

    this.dtype = bytes === undefined ? 'string' : { string: bytes }
    if (size > 1e8) findings.add(at, `${size} strings are too many`)
  }

  put(value: unknown, at: () => string): void {
    const text = textOf(value)
    if (text === undefined) this.#findings.add(at(), `${shown(value)} is not a string`)
    else if (text.includes('\0')) this.#findings.add(at(), 'a string may not hold the character NUL')
    else if (this.#bytes !== undefined && Buffer.byteLength(text) > this.#bytes)
      this.#findings.add(at(), `the text has ${Buffer.byteLength(text)} bytes but string_size is ${this.#bytes}`)
    else this.value.push(text)
  }

  skip(n: number): void {
    for (let i = 0; i < n; i++) this.value.push('')
  }
}

/** What is no text is written as it stands in JSON: `0.0`, `true`, `null`. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return numberText(value) ?? value
  return typeof value === 'object' && value !== null ? undefined : String(value)
}
