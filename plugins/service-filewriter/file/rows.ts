// What is read of a file to play it: rows of datasets and times, with bounded memory, and the groups that they make.
import { typedArrays } from '../../../schemas/numbers.js'
import { type VectorType } from '../../../schemas/index.js'
import { type WasmFile } from './wasm.js'

export interface PlayedPulse {
  readonly timeNs: bigint
  /** ns after the pulse, one per event. */
  readonly timeOfFlight: Int32Array
  /** One per event, or none where the file has no event_id. */
  readonly pixelId: Int32Array
}

/** One of the typed arrays. */
export interface PlayedNumbers extends ArrayLike<number | bigint> {
  readonly buffer: ArrayBufferLike
  readonly byteOffset: number
  readonly byteLength: number
}

export interface PlayedValue {
  readonly timeNs: bigint
  readonly values: PlayedNumbers
}

interface PlayedGroup<T> {
  readonly path: string
  /** Pulses or values. */
  readonly count: number
  /** Throws CodedError FILE_READ for what contradicts itself. */
  rows(): Generator<T>
}
export type EventsPlayed = PlayedGroup<PlayedPulse> & {
  readonly kind: 'events'
  /** Made of a histogram, which stays in the file. */
  readonly isSampled?: boolean
}
export type LogPlayed = PlayedGroup<PlayedValue> & {
  readonly kind: 'log'
  readonly dtype: VectorType
  /** Elements of each value; undefined for a number alone. */
  readonly size: number | undefined
  readonly units: string | undefined
}

/** Rows that are read at once. */
const BLOCK = 1 << 16

const scales: Readonly<Record<string, bigint>> = {
  ns: 1n, nanosecond: 1n, nanoseconds: 1n, us: 1000n, 'µs': 1000n, 'μs': 1000n, microsecond: 1000n, microseconds: 1000n,
  ms: 1_000_000n, millisecond: 1_000_000n, milliseconds: 1_000_000n, s: 1_000_000_000n, sec: 1_000_000_000n, second: 1_000_000_000n, seconds: 1_000_000_000n
} // prettier-ignore

/** Why a group cannot be played. */
export class Unplayable extends Error {}

/** A dataset of numbers with at most two dimensions. */
export class NumberRows {
  readonly count: number
  readonly width: number | undefined
  readonly dtype: VectorType
  readonly #file: WasmFile
  readonly #path: string
  #from = 0
  #to = 0
  #block: PlayedNumbers = new Float64Array(0)

  constructor(file: WasmFile, path: string) {
    if (file.kind(path) !== 'dataset') throw new Unplayable(`it has no ${path.slice(path.lastIndexOf('/') + 1)}`)
    const { shape, dtype, name } = file.form(path) ?? { shape: [], dtype: undefined, name: 'nothing' }
    if (typeof dtype !== 'string' || shape.length < 1 || shape.length > 2)
      throw new Unplayable(`${path.slice(path.lastIndexOf('/') + 1)} is ${name} of shape [${shape.join(', ')}]`)
    this.count = shape[0]!
    this.width = shape[1]
    this.dtype = dtype
    this.#file = file
    this.#path = path
  }

  at(row: number): number | bigint {
    return this.slice(row, 1)[0]!
  }

  slice(from: number, count: number): PlayedNumbers {
    const width = this.width ?? 1
    if (from < this.#from || from + count > this.#to)
      this.#read(from, Math.min(this.count - from, Math.max(count, Math.ceil(BLOCK / width))))
    const [begin, end] = [(from - this.#from) * width, (from + count - this.#from) * width]
    return (this.#block as Float64Array).subarray(begin, end)
  }

  #read(from: number, count: number): void {
    const row = this.width === undefined ? [] : [this.width]
    const bytes =
      count === 0
        ? Buffer.alloc(0)
        : this.#file.read(this.#path, from, count, { dtype: this.dtype, row, chunk: 1, filters: [] })
    this.#block = new typedArrays[this.dtype](new Uint8Array(bytes).buffer)
    this.#from = from
    this.#to = from + count
  }
}

/** ns since 1970, whatever the unit, and from wherever they count. */
export class FileTimes {
  readonly count: number
  readonly #rows: NumberRows
  readonly #scale: bigint
  readonly #startNs: bigint

  constructor(file: WasmFile, path: string, startAttribute: string) {
    this.#rows = new NumberRows(file, path)
    this.count = this.#rows.count
    this.#scale = scaleOf(file, path)
    const start =
      file.attributeText(path, startAttribute) ?? file.attributeText(path, 'start') ?? '1970-01-01T00:00:00Z'
    // A date has ms only
    const [whole, digits = ''] = [start.replace(/\.\d+/, ''), /\.(\d+)/.exec(start)?.[1]]
    const startMs = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(whole) ? whole : `${whole}Z`)
    if (Number.isNaN(startMs)) throw new Unplayable(`its times count from ${JSON.stringify(start.slice(0, 40))}`)
    this.#startNs = BigInt(startMs) * 1_000_000n + BigInt(digits.slice(0, 9).padEnd(9, '0'))
  }

  at(row: number): bigint {
    const value = this.#rows.at(row)
    const ns = typeof value === 'bigint' ? value * this.#scale : BigInt(Math.round((value || 0) * Number(this.#scale)))
    return this.#startNs + ns
  }
}

/** Tells the times of the pulses or values of a group, in ns since 1970; none where they are in no form that is known. Throws CodedError. */
export function timesIn(
  file: WasmFile,
  path: string,
  name: 'time' | 'event_time_zero',
  tell: (timeNs: bigint) => void
): void {
  // prettier-ignore
  if (file.kind(path) !== 'group') return
  try {
    const times = new FileTimes(file, `${path}/${name}`, name === 'time' ? 'start' : 'offset')
    for (let row = 0; row < times.count; row++) tell(times.at(row))
  } catch (error) {
    if (!(error instanceof Unplayable)) throw error
  }
}

/** ns of the unit of a dataset; its attribute `units`, or ns without any. Throws Unplayable. */
export function scaleOf(file: WasmFile, path: string): bigint {
  const units = file.attributeText(path, 'units') ?? 'ns'
  const scale = Object.hasOwn(scales, units) ? scales[units] : undefined
  if (scale === undefined) throw new Unplayable(`its times are in ${JSON.stringify(units.slice(0, 40))}`)
  return scale
}
