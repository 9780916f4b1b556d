// What fills typed arrays from JSON: numbers with their bounds, truth values and texts.
import { typedArrays } from '../../../schemas/numbers.js'
import { numberText } from '../../../core/api/plugin.js'
import { type VectorType } from '../../../schemas/index.js'
import { type Findings } from './findings.js'
import { type DataType } from '../writer-part.js'

// prettier-ignore
export type NumberArray =
  | Int8Array | Int16Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array | Uint32Array | BigUint64Array
  | Float32Array | Float64Array

export type TypeName = VectorType | 'bool' | 'string'

// prettier-ignore
const bounds = {
  int8: [-128, 127], int16: [-32768, 32767], int32: [-2147483648, 2147483647],
  uint8: [0, 255], uint16: [0, 65535], uint32: [0, 4294967295]
} as const

export interface Filler {
  readonly dtype: DataType
  readonly value: NumberArray | string[]
  put(value: unknown, at: () => string): void
  /** Leaves room for what a shorter list has not. */
  skip(n: number): void
}

export class NumberFiller implements Filler {
  readonly dtype: VectorType
  readonly value: NumberArray
  #n = 0

  readonly #type: VectorType | 'bool' | 'string'
  readonly #findings: Findings

  constructor(type: VectorType | 'bool' | 'string', size: number, at: string, findings: Findings) {
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

/** Whole numbers beyond 2^53 are bigints, which JSON.stringify refuses. */
const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
const shown = (value: unknown): string => (JSON.stringify(value, plain) ?? String(value)).slice(0, 60)

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

export class TextFiller implements Filler {
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
