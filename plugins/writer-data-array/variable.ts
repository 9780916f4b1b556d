// One array of a da00 stream: a dataset that grows by one row per message.
import { BadMessage, type Context } from '../../core/api/plugin.js'
import { cast, typeOf } from '../../schemas/cast.js'
import { countConverted, type Attributes, type Column, type Group } from '../service-filewriter/writer-kit.js'
import { elementsOf } from '../../schemas/place.js'
import { widthOf } from '../../schemas/numbers.js'
import { type ArrayConfig } from './options.js'
import { type DataArrayVariable, type VectorType } from '../../schemas/index.js'

/** Most bytes of one row. */
const ROW_BYTES = 1 << 30
const TEXT_BYTES = 65_536

/** Attributes of an array: those of the structure, else those of the message. */
export function attributesOf(config: ArrayConfig, found?: DataArrayVariable): Attributes {
  const axes = config.axes ?? found?.axes ?? []
  const all = {
    units: config.unit ?? found?.unit,
    long_name: config.label ?? found?.label,
    source: config.source ?? found?.source,
    axes: axes.length > 0 ? axes.join(':') : undefined
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => typeof value === 'string')) as Attributes
}

export class Variable {
  #column: Column | null = null
  shape: readonly number[] = []
  /** In a form that cannot be written. */
  refused = false
  #type: VectorType | { readonly string: number } = 'float64'
  axes: readonly string[]
  /** Bytes of the row that the message under way brings; null: none. */
  #next: Uint8Array | string | null = null

  readonly #group: Group
  readonly #context: Context
  readonly #rowsPerChunk: ((elements: number) => number) | undefined

  constructor(
    readonly config: ArrayConfig,
    group: Group,
    context: Context,
    /** Rows per chunk for so many elements per row. */
    rowsPerChunk: ((elements: number) => number) | undefined
  ) {
    this.#group = group
    this.#context = context
    this.#rowsPerChunk = rowsPerChunk

    this.axes = config.axes ?? []
    const { shape } = config
    const type = config.data_type ?? config.dtype ?? config.type
    if (shape !== undefined && type !== undefined) this.#make(shape, typeOf(type), attributesOf(config))
  }

  get name(): string {
    return this.config.name
  }

  get isInteger(): boolean {
    return typeof this.#type === 'string' && this.#type.includes('int')
  }

  get made(): boolean {
    return this.#column !== null
  }

  /** Made late, in the form that a message has; `rows` were missed. Throws BadMessage `array_shape`. */
  begin(found: DataArrayVariable, rows: number): void {
    const { config } = this
    const shape = config.shape ?? found.shape
    const given = config.data_type ?? config.dtype ?? config.type
    if (this.axes.length === 0) this.axes = config.axes ?? found.axes
    if (found.isText && given === undefined)
      this.#make([], { string: Math.min(TEXT_BYTES, Math.max(64, 2 * found.data.length)) }, attributesOf(config, found))
    else this.#make(shape, typeOf(given ?? found.data.dtype), attributesOf(config, found))
    this.#next = null
    for (let i = 0; i < rows; i++) this.append()
  }

  /** Whether `begin` can make a dataset of it. */
  static isWritable({ shape, data, isText }: DataArrayVariable): boolean {
    return isText || (shape.length < 32 && !shape.includes(0) && elementsOf(shape) * widthOf(data.dtype) <= ROW_BYTES)
  }

  #make(shape: readonly number[], type: VectorType | { readonly string: number }, attributes: Attributes): void {
    this.shape = shape
    this.#type = type
    const elements = elementsOf(shape)
    this.#column = this.#group.column(this.name, {
      dtype: type,
      row: shape,
      ...(this.#rowsPerChunk === undefined ? {} : { chunk: this.#rowsPerChunk(elements) }),
      bulk: elements > 1024,
      attributes
    })
  }

  /** Checks and keeps what the message has. Throws BadMessage, nothing is written yet. */
  take(found: DataArrayVariable | undefined, timestampNs: bigint): void {
    this.#next = null
    if (found === undefined) return
    if (typeof this.#type === 'object') {
      this.#next = Buffer.from(found.data.bytes).toString('utf8')
      return
    }
    const { shape } = this
    const same = found.shape.length === shape.length && found.shape.every((n, i) => n === shape[i])
    // A number, and a list of one
    const single = found.data.length === 1 && elementsOf(shape) === 1
    if (!same && !single)
      throw new BadMessage(
        'array_shape',
        `${this.name} has ${found.shape.join(' × ')} elements, not ${shape.join(' × ')}`
      )
    const converted = cast(found.data, this.#type)
    countConverted(this.#context, converted, this.#type, timestampNs)
    this.#next = converted.bytes
  }

  /** Appends what was taken; NaN, 0 or an empty text for what was not there. */
  append(): void {
    const column = this.#column,
      type = this.#type,
      next = this.#next
    if (next === null) this.#context.count('variable_missing')
    if (typeof type === 'object') column?.appendString(typeof next === 'string' ? next : '')
    else column?.append(typeof next === 'object' && next !== null ? next : this.#filler(type))
    this.#next = null
  }

  #filler(type: VectorType): Uint8Array {
    const bytes = new Uint8Array(elementsOf(this.shape) * widthOf(type))
    if (type === 'float64') new Float64Array(bytes.buffer).fill(NaN)
    if (type === 'float32') new Float32Array(bytes.buffer).fill(NaN)
    return bytes
  }
}
