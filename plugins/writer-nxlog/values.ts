// One column of values of a fixed type: converts what comes, so that time and value always have one length.
import {
  BadMessage,
  type Column,
  type Context,
  type Group,
  type LogRecord,
  type NumberType,
  type Vector
} from '../../core/plugin.js'

const aliases: Readonly<Record<string, NumberType>> = {
  short: 'int16', int: 'int32', long: 'int64', float: 'float32', double: 'float64', bool: 'int8'
} // prettier-ignore

const limits: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127], int16: [-32768, 32767], int32: [-2147483648, 2147483647],
  uint8: [0, 255], uint16: [0, 65535], uint32: [0, 4294967295]
} // prettier-ignore

const sizes: Readonly<Record<NumberType, number>> = {
  int8: 1, int16: 2, int32: 4, int64: 8, uint8: 1, uint16: 2, uint32: 4, uint64: 8, float32: 4, float64: 8
} // prettier-ignore

export const isText = (dtype: string): boolean => dtype === 'string' || dtype === 'c_string'
export const numberType = (dtype: string): NumberType => aliases[dtype] ?? (dtype as NumberType)

export interface ValueOptions {
  readonly dtype: string
  /** 1 for scalars. */
  readonly size: number
  readonly stringSize: number
  readonly chunk: number
  readonly units: string | undefined
  /** Remember the last value. */
  readonly latest: boolean
}

export class ValueColumn {
  private readonly column: Column
  private readonly text: boolean
  private readonly type: NumberType
  private readonly range: readonly [number, number] | undefined
  /** A 64-bit integer. */
  private readonly long: boolean
  private readonly row: Buffer
  private last: LogRecord['value'] | undefined
  minimum = Infinity
  maximum = -Infinity
  private sum = 0
  private n = 0

  constructor(
    group: Group,
    private readonly options: ValueOptions,
    private readonly context: Context
  ) {
    const { dtype, size, chunk, units, stringSize } = options
    this.text = isText(dtype)
    this.type = numberType(dtype)
    this.range = limits[this.type]
    this.long = this.type === 'int64' || this.type === 'uint64'
    this.row = Buffer.alloc(this.text ? 0 : size * sizes[this.type])
    this.column = group.column('value', {
      dtype: this.text ? { string: stringSize } : this.type,
      row: size > 1 ? [size] : [],
      chunk: Math.max(1, Math.ceil(chunk / size)),
      attributes: units === undefined ? {} : { units }
    })
  }

  get length(): number {
    return this.column.length
  }

  get average(): number {
    return this.sum / this.n
  }

  /** Numbers are in it that minimum, maximum and average can be made of. */
  get hasNumbers(): boolean {
    return this.n > 0
  }

  get latest(): LogRecord['value'] | undefined {
    return this.last
  }

  /** Appends one row, or throws BadMessage before anything is written. */
  append({ value, dtype }: LogRecord): void {
    if (this.text) this.appendText(value)
    else if (typeof value === 'number' || typeof value === 'bigint') this.appendScalar(value)
    else if (typeof value === 'string' || isStrings(value))
      throw new BadMessage('text_for_number', `text for a ${this.type}`)
    else this.appendVector(value, dtype)
    // a view of the message would be gone by the time it is asked for
    if (this.options.latest) this.last = typeof value === 'object' && 'bytes' in value ? undefined : value
  }

  /** As `append` for a number. */
  appendNumber(value: number | bigint): void {
    if (this.text) this.appendText(value)
    else this.appendScalar(value)
    if (this.options.latest) this.last = value
  }

  private appendText(value: LogRecord['value']): void {
    if (typeof value === 'object' && 'bytes' in value)
      throw new BadMessage('number_for_text', 'an array of numbers for a text')
    const texts = isStrings(value) ? value : [String(value)]
    if (texts.length !== this.options.size && this.options.size > 1)
      throw new BadMessage('array_size', `${texts.length} texts where array_size is ${this.options.size}`)
    if (this.options.size === 1 && texts.length !== 1) throw new BadMessage('array_for_scalar', 'several texts for one')
    for (const text of texts) this.column.appendString(text)
  }

  private appendScalar(value: number | bigint): void {
    if (this.options.size > 1) return this.appendNumbers([value])
    if (this.long) this.column.appendBigInt(this.toBigInt(value))
    else this.column.appendNumber(this.toNumber(value))
    this.take(Number(value))
  }

  private appendVector(value: Vector, dtype: LogRecord['dtype']): void {
    const { size } = this.options
    if (size === 1 && value.length !== 1)
      throw new BadMessage('array_for_scalar', `an array of ${value.length} where array_size is 1`)
    if (value.length > size)
      throw new BadMessage('array_size', `an array of ${value.length} where array_size is ${size}`)
    if (size > 1 && value.length === size && dtype === this.type) {
      this.column.append(value.bytes)
      for (let i = 0; i < size; i++) this.take(Number(element(value, i)))
      return
    }
    const numbers = Array.from({ length: value.length }, (_, i) => element(value, i))
    if (size === 1) this.appendScalar(numbers[0] ?? 0)
    else this.appendNumbers(numbers)
  }

  /** A row of other type or shorter: converted and padded (NaN or 0). */
  private appendNumbers(numbers: readonly (number | bigint)[]): void {
    const { row, type } = this
    const float = type === 'float32' || type === 'float64'
    for (let i = 0; i < this.options.size; i++) {
      const raw = numbers[i] ?? (float ? NaN : 0)
      put(row, i, type, type === 'int64' || type === 'uint64' ? this.toBigInt(raw) : this.toNumber(raw))
    }
    if (numbers.length < this.options.size) this.context.count('padded')
    this.column.append(row)
    for (const number of numbers) this.take(Number(number))
  }

  private toNumber(value: number | bigint): number {
    const number = Number(value)
    const { range } = this
    if (range === undefined) return number
    if (Number.isNaN(number)) throw new BadMessage('not_a_number', `NaN cannot be stored as ${this.type}`)
    const whole = Math.min(Math.max(Math.trunc(number), range[0]), range[1])
    if (whole !== number) this.context.count('converted')
    return whole
  }

  private toBigInt(value: number | bigint): bigint {
    const number = typeof value === 'number' ? Math.trunc(value) : value
    if (typeof number === 'number' && !Number.isFinite(number))
      throw new BadMessage('not_a_number', `${number} cannot be stored as ${this.type}`)
    const big = BigInt(number)
    const [low, high] = this.type === 'int64' ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n]
    const fit = big < low ? low : big > high ? high : big
    if (fit !== big || number !== value) this.context.count('converted')
    return fit
  }

  private take(number: number): void {
    if (Number.isNaN(number)) return
    if (number < this.minimum) this.minimum = number
    if (number > this.maximum) this.maximum = number
    this.sum += number
    this.n++
  }
}

const isStrings = (value: LogRecord['value']): value is readonly string[] => Array.isArray(value)

/** Element i of a vector whose start need not be aligned. */
function element({ bytes, dtype }: Vector, i: number): number | bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (dtype) {
    case 'int8':
      return view.getInt8(i)
    case 'uint8':
      return view.getUint8(i)
    case 'int16':
      return view.getInt16(2 * i, true)
    case 'uint16':
      return view.getUint16(2 * i, true)
    case 'int32':
      return view.getInt32(4 * i, true)
    case 'uint32':
      return view.getUint32(4 * i, true)
    case 'int64':
      return view.getBigInt64(8 * i, true)
    case 'uint64':
      return view.getBigUint64(8 * i, true)
    case 'float32':
      return view.getFloat32(4 * i, true)
    case 'float64':
      return view.getFloat64(8 * i, true)
  }
}

function put(row: Buffer, i: number, type: NumberType, value: number | bigint): void {
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
