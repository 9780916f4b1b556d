// A histogram that is passed on: what came, in the schema that is wanted, with our `info`.
import { nowNs, type Vector, type VectorType } from '../../../schemas/index.js'
import {
  type DataArrayRecord,
  type DataArrayVariable,
  type HistogramRecord,
  numbersOf
} from '../../../schemas/index.js'
import { type HistogramSpec } from '../spec.js'
import { type ArrayAxis, type ArrayRecord } from './arrays.js'
import { doubles, textVariable } from './vectors.js'

/** Before the first one came. */
const nothing: ArrayRecord = {
  ...{ source: '', timestampNs: 0n, unit: '', errors: null },
  axes: [{ name: '', unit: '', length: 0, edges: null }],
  data: { dtype: 'float64', length: 0, bytes: new Uint8Array() }
}

export function copyRecord(
  spec: HistogramSpec,
  array: ArrayRecord = nothing,
  info: string
): HistogramRecord | DataArrayRecord {
  return spec.format === 'da00' ? dataArray(spec, array, info) : histogram(spec, array, info)
}

const numbered = (length: number): Vector => doubles(Float64Array.from({ length: length + 1 }, (_, i) => i))
const edgesOf = ({ edges, length }: ArrayAxis): Vector => edges ?? numbered(length)

function histogram(
  { format, sender }: HistogramSpec,
  { axes, data, errors }: ArrayRecord,
  info: string
): HistogramRecord {
  const integers: readonly VectorType[] = format === 'hs00' ? ['uint32', 'uint64'] : ['int32', 'int64']
  const known = new Set<VectorType>([...integers, 'float32', 'float64'])
  const fit = (vector: Vector): Vector => (known.has(vector.dtype) ? vector : doubles(Float64Array.from(numbersOf(vector)))) // prettier-ignore
  return {
    ...{ source: sender, timestampNs: nowNs(), lastMetadataTimestampNs: 0n, offset: null, info },
    currentShape: axes.map(({ length }) => length),
    dimensions: axes.map((axis) => {
      return { length: axis.length, unit: axis.unit, label: axis.name, edges: fit(edgesOf(axis)) }
    }),
    data: fit(data),
    errors: errors === null ? null : fit(errors)
  }
}

function dataArray({ id }: HistogramSpec, array: ArrayRecord, info: string): DataArrayRecord {
  const { source, timestampNs, axes, unit, data, errors } = array
  const names = axes.map(({ name }, i) => (name === '' ? `axis_${i}` : name))
  const shape = axes.map(({ length }) => length)
  const signal: DataArrayVariable = { name: 'signal', unit, label: id, source, axes: names, shape, data, isText: false }
  const coordinates = axes.map((axis, i): DataArrayVariable => {
    const edges = edgesOf(axis)
    const name = names[i]!
    return { name, unit: axis.unit, label: null, source: null, axes: [name], shape: [edges.length], data: edges, isText: false } // prettier-ignore
  })
  const errorsOf = errors === null ? [] : [{ ...signal, name: 'errors', label: null, data: errors }]
  return { source: id, timestampNs, variables: [signal, ...errorsOf, ...coordinates, textVariable('info', info)] }
}
