// Vectors from one element type to another, as a dataset of a fixed type needs it.
import { BadMessage } from '../core/api/errors.js'
import { type Vector, type VectorType } from './records.js'
import { integerRanges, longRanges, typedArrays, widthOf } from './numbers.js'

type Numbers =
  Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array
type BigInts = BigInt64Array | BigUint64Array

/** The elements as an aligned typed array (a copy when the bytes are not aligned). */
export function numbersIn({ bytes, dtype, length }: Vector): Numbers | BigInts {
  const aligned = bytes.byteOffset % widthOf(dtype) === 0 ? bytes : new Uint8Array(bytes)
  return new typedArrays[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, length)
}

/**
 * The bytes of a vector in another element type. Fractions are cut and numbers beyond the range brought to its end for integers;
 * floats that are too large become infinities, too small ones 0. `changed` says how many, `first` is the first of them. Throws
 * BadMessage `not_a_number` for NaN as an integer.
 */
export function cast(vector: Vector, to: VectorType): { readonly bytes: Uint8Array } & CastChanges {
  if (vector.dtype === to) return { bytes: vector.bytes, changed: 0, first: undefined }
  const from = numbersIn(vector)
  const into = new typedArrays[to](vector.length)
  const changes =
    into instanceof BigInt64Array || into instanceof BigUint64Array
      ? intoBigInts(from, into, longRanges[to]!)
      : intoNumbers(from, into, integerRanges[to])
  return { bytes: new Uint8Array(into.buffer), ...changes }
}

interface CastChanges {
  readonly changed: number
  /** The first value that was changed. */
  readonly first: number | bigint | undefined
}

/**
 * Whether a float lost more than digits behind the point: it became an infinity or 0, or it is another integer than one of 64 bits
 * was.
 */
export const isFloatChanged = (value: number | bigint, stored: number): boolean =>
  typeof value === 'bigint'
    ? !Number.isFinite(stored) || BigInt(stored) !== value
    : Number.isFinite(value) && (stored === 0 ? value !== 0 : !Number.isFinite(stored))

function intoNumbers(
  from: Numbers | BigInts,
  into: Numbers,
  range: readonly [number, number] | undefined
): CastChanges {
  let changed = 0
  let first: number | bigint | undefined
  for (let i = 0; i < into.length; i++) {
    const value = from[i]!
    const number = Number(value)
    let isChanged: boolean
    if (range === undefined) {
      into[i] = number
      isChanged = isFloatChanged(value, into[i]!)
    } else {
      if (Number.isNaN(number)) throw notANumber()
      const fit = Math.min(Math.max(Math.trunc(number), range[0]), range[1])
      isChanged = fit !== number
      into[i] = fit
    }
    if (isChanged && changed++ === 0) first = value
  }
  return { changed, first }
}

function intoBigInts(from: Numbers | BigInts, into: BigInts, [low, high]: readonly [bigint, bigint]): CastChanges {
  let changed = 0
  let first: number | bigint | undefined
  for (let i = 0; i < into.length; i++) {
    const value = from[i]!
    if (Number.isNaN(value)) throw notANumber()
    const whole = typeof value === 'bigint' ? value : toBigInt(value, low, high)
    const fit = whole < low ? low : whole > high ? high : whole
    if (fit !== value && Number(fit) !== value && changed++ === 0) first = value
    into[i] = fit
  }
  return { changed, first }
}

const toBigInt = (value: number, low: bigint, high: bigint): bigint =>
  Number.isFinite(value) ? BigInt(Math.trunc(value)) : value > 0 ? high : low

/** Throws BadMessage `out_of_range` for what is no int64: NaN, infinities, larger numbers. */
export function toWhole(value: number | bigint): bigint {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new BadMessage('out_of_range', `${value} is no whole number`)
  const whole = typeof value === 'bigint' ? value : BigInt(Math.round(value))
  if (BigInt.asIntN(64, whole) !== whole) throw new BadMessage('out_of_range', `${value} has more than 64 bits`)
  return whole
}

const notANumber = (): BadMessage => new BadMessage('not_a_number', 'NaN cannot be stored as an integer')

const aliases: Readonly<Record<string, VectorType>> = {
  short: 'int16', int: 'int32', long: 'int64', float: 'float32', double: 'float64', bool: 'int8',
  uint32_t: 'uint32', uint64_t: 'uint64', int32_t: 'int32', int64_t: 'int64', c_string: 'uint8'
} // prettier-ignore

/** Names of element types as structures spell them. */
export const typeNames = [
  'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float32', 'float64', ...Object.keys(aliases)
] as const // prettier-ignore

/** The element type behind any of `typeNames`. */
export const typeOf = (name: string): VectorType => aliases[name] ?? (name as VectorType)
