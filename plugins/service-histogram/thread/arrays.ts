// Histograms that come as messages (da00, hs00, hs01) in one form; what of them counts in one of ours.
import { BadMessage } from '../../../core/api/plugin.js'
import {
  type DataArrayRecord,
  element,
  elementsOf,
  type HistogramRecord,
  numbersOf,
  type Vector
} from '../../../schemas/index.js'
import { type HistogramSpec } from '../spec.js'

export interface ArrayAxis {
  readonly name: string
  readonly unit: string
  readonly length: number
  /** Edges (n + 1 of n bins) or places (n); null: none were given. */
  readonly edges: Vector | null
}

/** A histogram; its vectors lie in the message. */
export interface ArrayRecord {
  readonly source: string
  readonly timestampNs: bigint
  readonly axes: readonly ArrayAxis[]
  readonly unit: string
  readonly data: Vector
  readonly errors: Vector | null
}

export function arrayOf(schema: string, record: DataArrayRecord | HistogramRecord): ArrayRecord {
  return schema === 'da00' ? ofVariables(record as DataArrayRecord) : ofHistogram(record as HistogramRecord)
}

function ofHistogram(record: HistogramRecord): ArrayRecord {
  const { source, timestampNs, currentShape, dimensions, data, errors } = record
  const axes = currentShape.map((length, i) => {
    const { label: name = '', unit = '', edges = null } = dimensions[i] ?? {}
    return { name, unit, length, edges }
  })
  return { source, timestampNs, axes, unit: '', data, errors }
}

function ofVariables({ source, timestampNs, variables }: DataArrayRecord): ArrayRecord {
  const find = (name: string) => variables.find((one) => one.name === name)
  const signal = find('signal')
  if (signal === undefined) throw new BadMessage('no_signal', 'no variable is named signal')
  const errors = find('errors')
  const axes = signal.axes.map((name, i) => {
    const along = find(name)
    return { name, unit: along?.unit ?? '', length: signal.shape[i] ?? 0, edges: along?.data ?? null }
  })
  const fits = errors?.data.length === signal.data.length
  return { source, timestampNs, axes, unit: signal.unit ?? '', data: signal.data, errors: fits ? errors.data : null }
}

/** ns of a unit of time. */
const scales: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9 }

/** Adds up what the bins of an array have; each counts where its centre is. Undefined when its shape is another. */
export function countArray(
  { kind, tofEdges, cells }: HistogramSpec,
  array: ArrayRecord,
  into: Float64Array
): number | undefined {
  if (kind === 'image')
    return array.axes.length === 2 && array.data.length === cells ? addAll(array.data, into) : undefined
  const { axes, data } = array
  const which = axes.findIndex(({ unit, edges }) => edges !== null && scales[unit] !== undefined)
  const axis = axes[which]
  if (axis === undefined) return undefined
  const bins = binsOf(axis, tofEdges!)
  if (bins === undefined) return undefined
  const stride = elementsOf(axes.slice(which + 1).map(({ length }) => length))
  let counted = 0
  for (let i = 0; i < data.length; i++) {
    const bin = bins[Math.floor(i / stride) % axis.length]!
    if (bin < 0) continue
    const n = Number(element(data, i))
    into[bin]! += n
    counted += n
  }
  return counted
}

function addAll(data: Vector, into: Float64Array): number {
  let counted = 0
  for (let i = 0; i < data.length; i++) {
    const n = Number(element(data, i))
    into[i]! += n
    counted += n
  }
  return counted
}

/** Our bin of each of an axis's, -1 outside. */
function binsOf({ unit, length, edges }: ArrayAxis, ours: Float64Array): Int32Array | undefined {
  const scale = scales[unit]!
  const places = numbersOf(edges!)
  if (places.length !== length && places.length !== length + 1) return undefined
  const hasEdges = places.length === length + 1
  return Int32Array.from({ length }, (_, i) => {
    const at = scale * (hasEdges ? (places[i]! + places[i + 1]!) / 2 : places[i]!)
    let [low, high] = [0, ours.length - 1]
    if (!(at >= ours[0]! && at <= ours[high]!)) return -1
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (at >= ours[middle]!) low = middle
      else high = middle
    }
    return low
  })
}

/** Outlives the message. */
export function kept(array: ArrayRecord): ArrayRecord {
  const own = (vector: Vector | null): Vector | null =>
    vector === null ? null : { ...vector, bytes: new Uint8Array(vector.bytes) }
  const axes = array.axes.map((axis) => ({ ...axis, edges: own(axis.edges) }))
  return { ...array, axes, data: own(array.data)!, errors: own(array.errors) }
}

/** Of all cells. */
export function sumOf({ data }: ArrayRecord): number {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += Number(element(data, i))
  return sum
}
