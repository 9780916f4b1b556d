// From cells to the message: types, axes the other way round, periods, normalised counts, what `info` says.
import {
  type Converter,
  type DataArrayRecord,
  type HistogramRecord,
  nowNs,
  type Vector,
  type VectorType
} from '../../../schemas/index.js'
import { type Cells } from '../bins/counts.js'
import { type BinDimension, type HistogramSpec } from '../spec.js'
import { type Histogram } from './histogram.js'
import { copyRecord } from './copies.js'
import { discard } from './discard.js'
import { type JobSpec } from './protocol.js'
import { asDoubles, doubles, textVariable, vector } from './vectors.js'

const MOST_INT32 = 2 ** 31 - 1
const BLOCK = 64

type Window = Pick<JobSpec, 'startMs' | 'stopMs'>

/** Puts cells into messages of one schema. One for all histograms: the memory is used again. */
export class MessageMaker {
  #memory = new ArrayBuffer(0)

  /** @param converter - that of the histogram's format */
  make(histogram: Histogram, converter: Converter, window: Window, diff: number): Uint8Array {
    const message = converter.encode!(this.#record(histogram, infoOf(histogram, window, diff)))
    // What is large is not kept until the next time
    if (this.#memory.byteLength > 1 << 24) {
      discard(this.#memory)
      this.#memory = new ArrayBuffer(0)
    }
    return message
  }

  #record(histogram: Histogram, info: string): HistogramRecord | DataArrayRecord {
    const { spec, copy } = histogram
    if (spec.kind === 'copy') return copyRecord(spec, copy, info)
    return spec.format === 'da00' ? this.#dataArray(histogram) : this.#histogram(histogram, info)
  }

  #histogram(histogram: Histogram, info: string): HistogramRecord {
    const { spec } = histogram
    const dimensions = dimensionsOf(spec)
    return {
      source: spec.sender,
      timestampNs: nowNs(),
      lastMetadataTimestampNs: 0n,
      currentShape: dimensions.map(({ length }) => length),
      dimensions: dimensions.map(({ length, unit, name, edges }) => ({
        length,
        unit: spec.sender === PEER ? '' : unit,
        label: spec.sender === PEER ? '' : name,
        edges: edgesOf(edges, spec.format === 'hs00')
      })),
      offset: null,
      data: this.#data(histogram),
      errors: null,
      info
    }
  }

  #dataArray(histogram: Histogram): DataArrayRecord {
    const { spec, counts, lastPulseNs, monitor } = histogram
    const dimensions = dimensionsOf(spec)
    const axes = dimensions.map(({ name }) => name)
    const shape = dimensions.map(({ length }) => length)
    const data = this.#data(histogram)
    const per = spec.monitor === undefined ? 1 : monitor
    const unit = spec.monitor === undefined ? 'counts' : ''
    const signal = { name: 'signal', unit, label: spec.id, source: spec.source, axes, shape, data, isText: false }
    const values = new Float64Array(data.bytes.buffer, data.bytes.byteOffset, data.length)
    const errors = vector('float64', errorsOf(values, per, spec.monitor !== undefined))
    const coordinates = dimensions.map(({ name, unit, edges }, i) => ({
      ...{ name, unit, label: i === 0 && spec.labels.length > 0 ? spec.labels.join(', ') : null, source: null },
      ...{ axes: [name], shape: [edges.length], data: edgesOf(edges, false), isText: false }
    }))
    const state = JSON.stringify({ id: spec.id, state: histogram.state, sum: counts.sum })
    return {
      source: spec.id,
      timestampNs: lastPulseNs > 0n ? lastPulseNs : nowNs(),
      variables: [
        signal,
        { ...signal, name: 'errors', label: null, data: errors },
        ...coordinates,
        textVariable('info', state)
      ]
    }
  }

  /** In the order that is sent. */
  #data({ spec, counts, monitor }: Histogram): Vector {
    const cells = counts.settled()
    const dtype = typeFor(spec, counts.sum, cells)
    const ordered = spec.turned ? turn(cells, spec, dtype, this.#room(dtype, cells.length)) : cells
    if (dtype === 'float64') {
      if (spec.monitor === undefined) return ordered instanceof Float64Array ? doubles(ordered) : asDoubles(ordered)
      const out = new Float64Array(this.#room(dtype, cells.length), 0, cells.length)
      for (let i = 0; i < out.length; i++) out[i] = monitor === 0 ? NaN : ordered[i]! / monitor
      return doubles(out)
    }
    if (!dtype.endsWith('32'))
      return longs(dtype, ordered, new Uint32Array(this.#room(dtype, cells.length), 0, 2 * cells.length))
    return vector(dtype, ordered instanceof Uint32Array ? ordered : Uint32Array.from(ordered))
  }

  #room(dtype: VectorType, cells: number): ArrayBuffer {
    const bytes = cells * (dtype.endsWith('32') ? 4 : 8)
    if (this.#memory.byteLength < bytes) this.#memory = new ArrayBuffer(bytes)
    return this.#memory
  }
}

/** The name that just-bin-it gives as source: its messages have neither units nor labels. */
const PEER = 'just-bin-it'

function typeFor({ dataType, format }: HistogramSpec, sum: number, cells: Cells): VectorType {
  if (dataType === 'float64') return 'float64'
  const isSmall = (): boolean => sum <= MOST_INT32 || cells.every((n) => n <= MOST_INT32)
  const small = dataType === 'int32' && cells instanceof Uint32Array && isSmall()
  if (format === 'hs00') return small ? 'uint32' : 'uint64'
  return small ? 'int32' : 'int64'
}

/** With the periods as the first axis. */
const dimensionsOf = ({ periods, dimensions }: HistogramSpec): readonly BinDimension[] =>
  periods === null
    ? dimensions
    : [{ name: 'period', unit: '', length: periods.count, edges: Array.from({ length: periods.count }, (_, i) => i) }, ...dimensions] // prettier-ignore

const edgesOf = (edges: BinDimension['edges'], unsigned: boolean): Vector =>
  edges instanceof Float64Array
    ? vector('float64', edges)
    : vector(unsigned ? 'uint64' : 'int64', BigInt64Array.from(edges, BigInt))

/** 64-bit integers as pairs of words, from the end: `cells` may be the first half of `out`. */
function longs(dtype: VectorType, cells: Cells, out: Uint32Array): Vector {
  for (let i = cells.length - 1; i >= 0; i--) {
    const n = cells[i]!
    out[2 * i + 1] = Math.floor(n / 2 ** 32)
    out[2 * i] = n
  }
  return { ...vector(dtype, out), length: cells.length }
}

/** Columns become rows, block by block so that both sides stay in the cache. */
function turn(cells: Cells, { dimensions, periods }: HistogramSpec, dtype: VectorType, memory: ArrayBuffer): Cells {
  const [columns = 1, rows = 1] = dimensions.map(({ length }) => length)
  const size = rows * columns
  const isDouble = dtype === 'float64' || cells instanceof Float64Array
  const out: Cells = isDouble ? new Float64Array(memory, 0, cells.length) : new Uint32Array(memory, 0, cells.length)
  for (let from = 0; from < (periods?.count ?? 1) * size; from += size)
    for (let y0 = 0; y0 < rows; y0 += BLOCK)
      for (let x0 = 0; x0 < columns; x0 += BLOCK)
        for (let y = y0; y < Math.min(rows, y0 + BLOCK); y++)
          for (let x = x0; x < Math.min(columns, x0 + BLOCK); x++)
            out[from + x * rows + y] = cells[from + y * columns + x]!
  return out
}

/** Of counts that are Poisson distributed; those of the monitor, too. */
function errorsOf(signal: Float64Array, per: number, isNormalised: boolean): Float64Array {
  const errors = new Float64Array(signal.length)
  for (let i = 0; i < signal.length; i++) {
    const counts = signal[i]! * per
    errors[i] = isNormalised ? (Math.sqrt(counts) / per) * Math.sqrt(1 + counts / per) : Math.sqrt(counts)
  }
  return errors
}

/** Keys and order of just-bin-it; the time of the last pulse with all its digits. */
function infoOf(histogram: Histogram, { startMs, stopMs }: Window, diff: number): string {
  const { spec, state, lastPulseNs, counts, rate, error } = histogram
  const head = {
    id: spec.id,
    ...(startMs !== null && { start: startMs }),
    ...(stopMs !== null && { stop: stopMs }),
    state
  }
  const tail = {
    sum: counts.sum,
    diff,
    rate,
    ...(error !== undefined && { error_message: error }),
    'num events': counts.sum
  }
  return `${JSON.stringify(head).slice(0, -1)},"last_pulse_time":${lastPulseNs},${JSON.stringify(tail).slice(1)}`
}
