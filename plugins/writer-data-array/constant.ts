// One array of a da00 stream that is written once: an axis, a calibration.
import { CodedError } from '../../core/api/plugin.js'
import { cast, typeOf } from '../../schemas/cast.js'
import { elementsOf } from '../../schemas/place.js'
import { type ArrayConfig } from './options.js'
import { attributesOf } from './variable.js'
import { type DataArrayVariable } from '../../schemas/index.js'
import { type Group } from '../service-filewriter/writer-kit.js'

export class Constant {
  made = false
  /** Of the dataset, once it is made. */
  length = 0
  rank = 0
  #bytes: Uint8Array | null = null

  readonly #group: Group

  constructor(
    readonly config: ArrayConfig,
    group: Group
  ) {
    this.#group = group

    if (config.data !== undefined) this.#fromConfig(config.data)
  }

  get name(): string {
    return this.config.name
  }

  get #type() {
    const { data_type, dtype, type } = this.config
    return data_type ?? dtype ?? type
  }

  /** Throws BadMessage `not_a_number` before anything is made. */
  fromMessage(found: DataArrayVariable): void {
    const type = this.#type === undefined ? found.data.dtype : typeOf(this.#type)
    const attributes = attributesOf(this.config, found)
    if (found.isText) {
      const text = Buffer.from(found.data.bytes).toString('utf8').replaceAll('\0', '')
      this.#group.dataset(this.name, text, { dtype: 'string', attributes })
    } else {
      const { bytes } = cast(found.data, type)
      this.#group.dataset(this.name, bytes, { dtype: type, shape: found.shape, attributes })
    }
    this.#bytes = Uint8Array.from(found.data.bytes)
    this.made = true
    this.rank = found.shape.length
    this.length = found.shape[0] ?? 1
  }

  /** Whether a later message has another content than the one that was written. */
  differs({ data }: DataArrayVariable): boolean {
    return this.#bytes !== null && Buffer.compare(this.#bytes, data.bytes) !== 0
  }

  #fromConfig(data: NonNullable<ArrayConfig['data']>): void {
    const { shape, numbers } = readNumbers(data, this.name)
    const full = this.config.shape ?? shape
    if (elementsOf(full) !== numbers.length)
      throw new CodedError(
        'STRUCTURE_INVALID',
        `${this.name}: ${numbers.length} numbers do not fill ${full.join(' × ')}`
      )
    const type = typeOf(this.#type ?? 'float64')
    const bytes = new Uint8Array(Float64Array.from(numbers).buffer)
    const vector = { dtype: 'float64', length: numbers.length, bytes } as const
    this.#group.dataset(this.name, cast(vector, type).bytes, { dtype: type, shape: full, attributes: attributesOf(this.config) }) // prettier-ignore
    this.made = true
    this.rank = full.length
    this.length = full[0] ?? 1
  }
}

/** Rectangular lists of numbers, one number, or equal steps. */
function readNumbers(data: NonNullable<ArrayConfig['data']>, name: string): { shape: number[]; numbers: number[] } {
  if (typeof data === 'number') return { shape: [], numbers: [data] }
  if (!Array.isArray(data)) {
    const { first, last, size } = data
    const step = size > 1 ? (last - first) / (size - 1) : 0
    const numbers = Array.from({ length: size }, (_, i) => (i === size - 1 && size > 1 ? last : first + i * step))
    return { shape: [size], numbers }
  }
  const shape: number[] = []
  let level: unknown = data
  while (Array.isArray(level) && shape.length < 32) {
    const list: readonly unknown[] = level
    shape.push(list.length)
    level = list[0]
  }
  const numbers = data.flat(31)
  if (!numbers.every((value): value is number => typeof value === 'number'))
    throw new CodedError('STRUCTURE_INVALID', `${name}: data must be numbers`)
  if (elementsOf(shape) !== numbers.length)
    throw new CodedError('STRUCTURE_INVALID', `${name}: the rows of data have different lengths`)
  return { shape, numbers }
}
