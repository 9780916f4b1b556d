// One column of values of a fixed type: converts what comes, so that time and value always have one length.
import { BadMessage } from '../../core/api/plugin.js'
import { isFloatChanged } from '../../schemas/cast.js'
import { type Column, countConverted, type Group, type WriterContext } from '../service-filewriter/writer-kit.js'
import {
  element,
  integerRanges,
  longRanges,
  widthOf,
  type LogRecord,
  type Scalar,
  type Vector,
  type VectorType
} from '../../schemas/index.js'

const aliases: Readonly<Record<string, VectorType>> = {
  short: 'int16', int: 'int32', long: 'int64', float: 'float32', double: 'float64', bool: 'int8'
} // prettier-ignore

export const isText = (dtype: string): boolean => dtype === 'string' || dtype === 'c_string'
export const numberType = (dtype: string): VectorType => aliases[dtype] ?? (dtype as VectorType)

export interface ValueOptions {
  readonly dtype: string
  /** 1 for scalars. */
  readonly size: number
  readonly stringSize: number
  readonly chunk: number
  readonly units: string | undefined
  /** Remember the last value. */
  readonly latest: boolean
  /** Texts as rows of one: [n, 1] is what Mantid reads. */
  readonly textRows?: boolean
}

/** Minimum, maximum and sum of many columns lie together: as fields they would be boxed one by one, each a cache miss per value. */
const SUMMARY = 3
const SUMMARIES = 512

/** Room for the summaries of one job. */
class Summaries {
  #room = new Float64Array(SUMMARY * SUMMARIES)
  #used = 0

  /** A place for one column. */
  take(): { readonly room: Float64Array; readonly at: number } {
    if (this.#used + SUMMARY > this.#room.length) {
      this.#room = new Float64Array(SUMMARY * SUMMARIES)
      this.#used = 0
    }
    const at = this.#used
    this.#used += SUMMARY
    this.#room.set([Infinity, -Infinity, 0], at)
    return { room: this.#room, at }
  }
}

/** By the signal of the job, with which they go. */
const summaries = new WeakMap<AbortSignal, Summaries>()

function summariesOf({ signal }: WriterContext): Summaries {
  const known = summaries.get(signal) ?? new Summaries()
  summaries.set(signal, known)
  return known
}

export class ValueColumn {
  #column: Column
  readonly #text: boolean
  #size: number
  readonly #latest: boolean
  readonly #type: VectorType
  readonly #range: readonly [number, number] | undefined
  /** A 64-bit integer. */
  readonly #long: boolean
  #row: Buffer
  /** The last row as it is stored, if asked for. */
  #last: number | bigint | string | Uint8Array | undefined
  readonly #summary: Float64Array
  readonly #at: number
  #n = 0
  /** What the row under way is made of. */
  #record: { readonly timestampNs: bigint } | undefined

  readonly #options: ValueOptions
  readonly #context: WriterContext

  constructor(group: Group, options: ValueOptions, context: WriterContext) {
    this.#options = options
    this.#context = context

    const { dtype, size, chunk, units, stringSize } = options
    this.#size = size
    this.#latest = options.latest
    const { room, at } = summariesOf(context).take()
    this.#summary = room
    this.#at = at
    this.#text = isText(dtype)
    this.#type = numberType(dtype)
    this.#range = integerRanges[this.#type]
    this.#long = this.#type === 'int64' || this.#type === 'uint64'
    // Single values have no row to be put together
    this.#row = size > 1 ? Buffer.alloc(size * (this.#text ? stringSize : widthOf(this.#type))) : NO_ROW
    this.#column = group.column('value', {
      dtype: this.#text ? { string: stringSize } : this.#type,
      row: size > 1 ? [size] : this.#text && options.textRows === true ? [1] : [],
      chunk: Math.max(1, Math.ceil(chunk / size)),
      attributes: units === undefined ? {} : { units }
    })
  }

  get length(): number {
    return this.#column.length
  }

  /** Also where it was made for scalars and an array came. */
  get isArray(): boolean {
    return this.#size > 1
  }

  get minimum(): number {
    return this.#summary[this.#at] ?? NaN
  }
  get maximum(): number {
    return this.#summary[this.#at + 1] ?? NaN
  }
  get average(): number {
    return (this.#summary[this.#at + 2] ?? NaN) / this.#n
  }

  /** Numbers are in it that minimum, maximum and average can be made of. */
  get hasNumbers(): boolean {
    return this.#n > 0
  }

  /** Makes a dataset of the last row; nothing without rows. */
  writeLatest(group: Group, name: string): void {
    const type = this.#type,
      last = this.#last
    const { stringSize } = this.#options
    if (last === undefined) return
    const dtype = this.#text ? { string: stringSize } : type
    if (last instanceof Uint8Array && this.isArray) group.dataset(name, last, { dtype, shape: [this.#size] })
    else group.dataset(name, last, { dtype: this.#text ? 'string' : type })
  }

  /** Appends one row, or throws BadMessage before anything is written. */
  append(record: LogRecord): void {
    const { value, dtype } = record
    this.#record = record
    if (this.#text) this.#appendText(value)
    else if (typeof value === 'number' || typeof value === 'bigint') this.#appendScalar(value)
    else if (typeof value === 'string' || isStrings(value))
      throw new BadMessage('text_for_number', `text for a ${this.#type}`)
    else this.#appendVector(value, dtype)
  }

  /** As `append` for a number. */
  appendNumber(scalar: Scalar): void {
    const { value } = scalar
    if (this.#record !== scalar) this.#record = scalar // Mostly the same: nothing to tell the collector
    if (this.#text) this.#appendText(value)
    else this.#appendScalar(value)
  }

  #appendText(value: LogRecord['value']): void {
    if (typeof value === 'object' && 'bytes' in value)
      throw new BadMessage('number_for_text', 'an array of numbers for a text')
    const { stringSize, latest } = this.#options
    const texts = isStrings(value) ? value : [String(value)]
    const [first = ''] = texts
    this.#fit(texts.length)
    for (const text of texts) if (Buffer.byteLength(text) > stringSize) this.#context.count('text_cut')
    if (this.#size === 1) {
      this.#column.appendString(first)
      if (latest) this.#last = first
      return
    }
    this.#row.fill(0)
    // Whole characters only, as `write` has it
    for (const [i, text] of texts.entries()) this.#row.write(text, i * stringSize, stringSize)
    this.#appendRow(this.#row)
  }

  #appendScalar(value: number | bigint): void {
    if (this.#size > 1) {
      this.#context.count('padded')
      return this.#appendNumbers([value])
    }
    const stored = this.#long ? this.#toBigInt(value) : this.#toNumber(value)
    if (typeof stored === 'bigint') this.#column.appendBigInt(stored)
    else this.#column.appendNumber(stored)
    this.#take(Number(stored))
    if (this.#latest) this.#last = stored
  }

  #appendRow(row: Uint8Array): void {
    this.#column.append(row)
    // A view of the message would be gone by the time it is asked for
    if (this.#options.latest) this.#last = Uint8Array.from(row)
  }

  /** Makes room for an array of `n`. */
  #fit(n: number): void {
    const size = this.#size
    if (n === 0 && size === 1) throw new BadMessage('array_for_scalar', 'an empty array where array_size is 1')
    if (n < size) this.#context.count('padded')
    if (n <= size) return
    const grown = this.#column.grow([n])
    if (grown === undefined) {
      const reason = size === 1 ? 'array_for_scalar' : 'array_size'
      throw new BadMessage(reason, `an array of ${n} where array_size is ${size}, in a dataset that cannot grow`)
    }
    this.#context.count('resized')
    this.#column = grown
    this.#size = n
    this.#row = Buffer.alloc(n * (this.#text ? this.#options.stringSize : widthOf(this.#type)))
  }

  #appendVector(value: Vector, dtype: LogRecord['dtype']): void {
    this.#fit(value.length)
    const size = this.#size
    if (size > 1 && value.length === size && dtype === this.#type) {
      this.#appendRow(value.bytes)
      for (let i = 0; i < size; i++) this.#take(Number(element(value, i)))
      return
    }
    const numbers = Array.from({ length: value.length }, (_, i) => element(value, i))
    if (size === 1) this.#appendScalar(numbers[0] ?? 0)
    else this.#appendNumbers(numbers)
  }

  /** A row of other type or shorter: converted and filled up with 0. */
  #appendNumbers(numbers: readonly (number | bigint)[]): void {
    const type = this.#type,
      row = this.#row
    const stored = numbers.map((number) => (this.#long ? this.#toBigInt(number) : this.#toNumber(number)))
    row.fill(0)
    for (const [i, number] of stored.entries()) put(row, i, type, number)
    this.#appendRow(row)
    for (const number of stored) this.#take(Number(number))
  }

  #toNumber(value: number | bigint): number {
    const number = Number(value)
    const range = this.#range
    if (range === undefined) {
      const stored = this.#type === 'float32' ? Math.fround(number) : number
      if (stored !== value && isFloatChanged(value, stored)) this.#countConverted(value)
      return number
    }
    if (Number.isNaN(number)) throw new BadMessage('not_a_number', `NaN cannot be stored as ${this.#type}`)
    const whole = Math.min(Math.max(Math.trunc(number), range[0]), range[1])
    if (whole !== number) this.#countConverted(value)
    return whole
  }

  #toBigInt(value: number | bigint): bigint {
    const number = typeof value === 'number' ? Math.trunc(value) : value
    if (typeof number === 'number' && !Number.isFinite(number))
      throw new BadMessage('not_a_number', `${number} cannot be stored as ${this.#type}`)
    const big = BigInt(number)
    const [low, high] = longRanges[this.#type]!
    const fit = big < low ? low : big > high ? high : big
    if (fit !== big || number !== value) this.#countConverted(value)
    return fit
  }

  #countConverted(value: number | bigint): void {
    countConverted(this.#context, { changed: 1, first: value }, this.#type, this.#record?.timestampNs ?? 0n)
  }

  #take(number: number): void {
    if (Number.isNaN(number)) return
    const summary = this.#summary,
      at = this.#at
    if (number < summary[at]!) summary[at] = number
    if (number > summary[at + 1]!) summary[at + 1] = number
    summary[at + 2]! += number
    this.#n++
  }
}

const NO_ROW = Buffer.alloc(0)

const isStrings = (value: LogRecord['value']): value is readonly string[] => Array.isArray(value)

function put(row: Buffer, i: number, type: VectorType, value: number | bigint): void {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
  if (typeof value === 'bigint') return view.setBigUint64(8 * i, BigInt.asUintN(64, value), true)
  switch (type) {
    case 'int8':
    case 'uint8':
      return view.setUint8(i, value & 0xff)
    case 'int16':
    case 'uint16':
      return view.setUint16(2 * i, value & 0xffff, true)
    case 'int32':
    case 'uint32':
      return view.setUint32(4 * i, value >>> 0, true)
    case 'float32':
      return view.setFloat32(4 * i, value, true)
    default:
      return view.setFloat64(8 * i, value, true)
  }
}
