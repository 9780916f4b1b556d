// Values of static datasets and attributes: JSON in, typed arrays out, everything that does not fit named by path.
import { numberText } from '../../../core/api/plugin.js'
import { below, type Findings } from './findings.js'
import { type DataType } from '../writer-part.js'
import { type NumberArray, type TypeName, type Filler, NumberFiller, TextFiller } from './fillers.js'

export interface TypedValue {
  readonly dtype: DataType
  readonly shape: readonly number[]
  readonly value: NumberArray | readonly string[] | string
}

const names: Readonly<Record<string, TypeName>> = {
  int8: 'int8', int16: 'int16', int32: 'int32', int64: 'int64',
  uint8: 'uint8', uint16: 'uint16', uint32: 'uint32', uint64: 'uint64',
  char: 'int8', byte: 'int8', short: 'int16', int: 'int32', long: 'int64', uint: 'uint32',
  float: 'float32', float32: 'float32', double: 'float64', float64: 'float64',
  bool: 'bool', boolean: 'bool', string: 'string', str: 'string', c_string: 'string'
} // prettier-ignore

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
    type === 'string'
      ? new TextFiller(size, options.stringSize, at, findings)
      : new NumberFiller(type, size, at, findings)
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
