// Events and logs of a NeXus file of whatever origin, row by row with bounded memory: for those who send them again.
import { CodedError } from '../../../core/api/plugin.js'
import { typedArrays } from '../../../schemas/numbers.js'
import { type VectorType } from '../../../schemas/index.js'
import { openToRead } from './summary.js'
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
export type EventsPlayed = PlayedGroup<PlayedPulse> & { readonly kind: 'events' }
export type LogPlayed = PlayedGroup<PlayedValue> & {
  readonly kind: 'log'
  readonly dtype: VectorType
  /** Elements of each value; undefined for a number alone. */
  readonly size: number | undefined
  readonly units: string | undefined
}

export interface FilePlayed {
  readonly groups: readonly (EventsPlayed | LogPlayed)[]
  /** Groups that cannot be played, and why. */
  readonly notes: readonly string[]
  close(): void
}

/** Rows that are read at once. */
const BLOCK = 1 << 16

const scales: Readonly<Record<string, bigint>> = {
  ns: 1n, nanosecond: 1n, nanoseconds: 1n, us: 1000n, 'µs': 1000n, 'μs': 1000n, microsecond: 1000n, microseconds: 1000n,
  ms: 1_000_000n, millisecond: 1_000_000n, milliseconds: 1_000_000n, s: 1_000_000_000n, sec: 1_000_000_000n, second: 1_000_000_000n, seconds: 1_000_000_000n
} // prettier-ignore

/** Why a group cannot be played. */
class Unplayable extends Error {}

/** Throws CodedError FILE_READ, HDF5_FAILED. */
export async function playedFile(path: string): Promise<FilePlayed> {
  const { file } = await openToRead(path)
  const groups: (EventsPlayed | LogPlayed)[] = []
  const notes: string[] = []
  const seen = new Set<number>()
  const todo = ['/']
  for (const group of todo) {
    if (seen.has(file.address(group))) continue
    seen.add(file.address(group))
    try {
      const found = groupOf(file, group)
      if (found !== undefined) groups.push(found)
    } catch (error) {
      if (!(error instanceof Unplayable)) throw error
      notes.push(`${group} is not played: ${error.message}`)
    }
    for (const name of file.children(group)) {
      const child = group === '/' ? `/${name}` : `${group}/${name}`
      if (!file.isLink(child) && file.kind(child) === 'group') todo.push(child)
    }
  }
  return { groups, notes, close: () => file.close() }
}

function groupOf(file: WasmFile, path: string): EventsPlayed | LogPlayed | undefined {
  const nxClass = file.attributeText(path, 'NX_class')
  if (nxClass === 'NXevent_data') return eventsOf(file, path)
  return nxClass === 'NXlog' ? logOf(file, path) : undefined
}

function eventsOf(file: WasmFile, path: string): EventsPlayed {
  const zero = new Times(file, `${path}/event_time_zero`, 'offset')
  const index = new Rows(file, `${path}/event_index`)
  const offset = new Rows(file, `${path}/event_time_offset`)
  const scale = Number(scaleOf(file, `${path}/event_time_offset`))
  const id = file.kind(`${path}/event_id`) === 'dataset' ? new Rows(file, `${path}/event_id`) : undefined
  if (index.count !== zero.count) throw new Unplayable(`${zero.count} pulses have ${index.count} indices`)
  if (id !== undefined && id.count !== offset.count) throw new Unplayable(`${offset.count} events have ${id.count} ids`)
  const wrong = (pulse: number): CodedError =>
    new CodedError('FILE_READ', `${file.path}: ${path}: pulse ${pulse} points to events that there are not`)
  return {
    kind: 'events',
    path,
    count: zero.count,
    *rows() {
      for (let pulse = 0; pulse < zero.count; pulse++) {
        const from = Number(index.at(pulse))
        const to = pulse + 1 < index.count ? Number(index.at(pulse + 1)) : offset.count
        if (!(from >= 0 && to >= from && to <= offset.count)) throw wrong(pulse)
        const timeOfFlight = integers(offset.slice(from, to - from), scale, `${path}/event_time_offset`)
        const pixelId =
          id === undefined ? new Int32Array(0) : integers(id.slice(from, to - from), 1, `${path}/event_id`)
        yield { timeNs: zero.at(pulse), timeOfFlight, pixelId }
      }
    }
  }
}

function logOf(file: WasmFile, path: string): LogPlayed {
  const value = new Rows(file, `${path}/value`)
  const time = new Times(file, `${path}/time`, 'start')
  if (value.count !== time.count) throw new Unplayable(`${time.count} times for ${value.count} values`)
  return {
    kind: 'log',
    path,
    count: time.count,
    dtype: value.dtype,
    size: value.width,
    units: file.attributeText(`${path}/value`, 'units'),
    *rows() {
      for (let i = 0; i < time.count; i++) yield { timeNs: time.at(i), values: value.slice(i, 1) }
    }
  }
}

/** A dataset of numbers with at most two dimensions. */
class Rows {
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
        : this.#file.read(this.#path, from, count, { dtype: this.dtype, row, chunk: 1, filter: undefined })
    this.#block = new typedArrays[this.dtype](new Uint8Array(bytes).buffer)
    this.#from = from
    this.#to = from + count
  }
}

/** ns since 1970, whatever the unit, and from wherever they count. */
class Times {
  readonly count: number
  readonly #rows: Rows
  readonly #scale: bigint
  readonly #startNs: bigint

  constructor(file: WasmFile, path: string, startAttribute: string) {
    this.#rows = new Rows(file, path)
    this.count = this.#rows.count
    this.#scale = scaleOf(file, path)
    const start =
      file.attributeText(path, startAttribute) ?? file.attributeText(path, 'start') ?? '1970-01-01T00:00:00Z'
    const startMs = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(start) ? start : `${start}Z`)
    if (Number.isNaN(startMs)) throw new Unplayable(`its times count from ${JSON.stringify(start.slice(0, 40))}`)
    this.#startNs = BigInt(startMs) * 1_000_000n
  }

  at(row: number): bigint {
    const value = this.#rows.at(row)
    const ns = typeof value === 'bigint' ? value * this.#scale : BigInt(Math.round((value || 0) * Number(this.#scale)))
    return this.#startNs + ns
  }
}

function scaleOf(file: WasmFile, path: string): bigint {
  const units = file.attributeText(path, 'units') ?? 'ns'
  const scale = Object.hasOwn(scales, units) ? scales[units] : undefined
  if (scale === undefined) throw new Unplayable(`its times are in ${JSON.stringify(units.slice(0, 40))}`)
  return scale
}

/** Throws CodedError FILE_READ for what is no 32-bit integer. */
function integers(values: ArrayLike<number | bigint>, scale: number, path: string): Int32Array {
  const out = new Int32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = Math.round(Number(values[i]) * scale)
    out[i] = value
    if (out[i] !== value) throw new CodedError('FILE_READ', `${path}: ${value} does not fit into 32 bits`)
  }
  return out
}
