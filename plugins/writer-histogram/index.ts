// Histograms (hs00, hs01) as NXdata: every histogram with its time, its edges, the newest complete one at the end.
import { API, BadMessage, CodedError, definePlugin } from '../../core/api/plugin.js'
import {
  type Column,
  countConverted,
  defineWriter,
  type Group,
  timeAttributes,
  type Writer,
  type WriterContext
} from '../service-filewriter/writer-kit.js'
import { cast, typeOf } from '../../schemas/cast.js'
import { elementsOf, rowsPerChunk } from '../../schemas/place.js'
import { widthOf } from '../../schemas/numbers.js'
import { Assembly, type HistogramSlot } from './assembly.js'
import { type Axis, histogramConfig, type HistogramConfig } from './options.js'
import { type Dimension, type HistogramRecord, type Vector, type VectorType } from '../../schemas/index.js'

const MOST_BINS = 33_554_432
const reserved = ['plot', 'histograms', 'errors', 'timestamps', 'time', 'info', 'info_timestamp', 'data']

class HistogramWriter implements Writer<HistogramRecord> {
  #shape: readonly number[] = []
  #types: { data: VectorType; errors: VectorType }
  #histograms: Column | null = null
  #errors: Column | null = null
  #assembly: Assembly | null = null
  readonly #timestamps: Column
  readonly #time: Column
  readonly #info: Column
  readonly #infoTime: Column
  /** Datasets of the edges, per axis. */
  readonly #names: string[] = []
  #edged = false
  #latest: { readonly timestampNs: bigint; readonly data: Uint8Array } | null = null

  readonly #group: Group
  readonly #config: HistogramConfig
  readonly #context: WriterContext

  constructor(group: Group, config: HistogramConfig, context: WriterContext) {
    this.#group = group
    this.#config = config
    this.#context = context

    this.#types = { data: typeOf(config.data_type ?? 'double'), errors: typeOf(config.error_type ?? 'double') }
    this.#timestamps = group.column('timestamps', {
      dtype: 'uint64',
      row: [2],
      index: true,
      attributes: timeAttributes
    })
    this.#time = group.column('time', { dtype: 'uint64', index: true, attributes: timeAttributes })
    const packed = { compression: { filter: 'gzip' } } as const
    this.#info = group.column('info', { dtype: { string: config.info_size }, ...packed })
    this.#infoTime = group.column('info_timestamp', { dtype: 'uint64', index: true, attributes: timeAttributes })
    group.attribute('signal', 'histograms')
    const { shape } = config
    if (shape === undefined) return
    this.#make(shape)
    for (const [i, axis] of shape.entries()) this.#configured(axis, i)
    // Else the first message tells those that are missing
    if (shape.every(({ edges }) => edges !== undefined)) this.#nameAxes()
  }

  write(record: HistogramRecord): void {
    if (this.#assembly === null || !this.#edged) this.#first(record)
    const shape = record.currentShape
    const offset = record.offset ?? shape.map(() => 0)
    const { timestampNs } = record
    const data = this.#convert(record.data, this.#types.data, timestampNs)
    const errors =
      record.errors === null
        ? this.#noErrors(elementsOf(shape))
        : this.#convert(record.errors, this.#types.errors, timestampNs)
    this.#assembly?.add({ timestampNs, shape, offset, data, errors })
    if (record.info === '') return
    this.#info.appendString(record.info)
    this.#infoTime.appendBigInt(timestampNs)
  }

  flush(): void {
    this.#assembly?.flush()
  }

  close(): void {
    const types = this.#types,
      latest = this.#latest,
      group = this.#group
    if (this.#histograms === null) {
      group.dataset('histograms', new Uint8Array(0), { dtype: types.data, shape: [0, 1] })
      group.attribute('axes', ['time', '.'])
    } else if (!this.#edged) this.#nameAxes()
    if (latest !== null) group.dataset('data', latest.data, { dtype: types.data, shape: this.#shape })
  }

  get #edgeType(): VectorType {
    return typeOf(this.#config.edge_type ?? 'double')
  }

  #convert(vector: Vector, type: VectorType, timestampNs: bigint): Uint8Array {
    const converted = cast(vector, type)
    countConverted(this.#context, converted, type, timestampNs)
    return converted.bytes
  }

  /** Unknown errors are NaN where the type can say so. */
  #noErrors(elements: number): Uint8Array {
    const { errors: type } = this.#types
    const bytes = new Uint8Array(elements * widthOf(type))
    if (type === 'float64') new Float64Array(bytes.buffer).fill(NaN)
    if (type === 'float32') new Float32Array(bytes.buffer).fill(NaN)
    return bytes
  }

  /** What only a message tells: the form of the histogram, the edges that the structure does not have. */
  #first({ dimensions, data, currentShape, offset }: HistogramRecord): void {
    const axes = this.#config.shape ?? axesOf(dimensions, currentShape, offset)
    const bins = elementsOf(axes.map(({ size }) => size))
    if (axes.length === 0 || axes.some(({ size }) => size < 1) || bins > MOST_BINS)
      throw new BadMessage('histogram_shape', `${bins} bins in ${axes.length} dimensions cannot be written`)
    const edges = axes.map((axis, i) => (axis.edges === undefined ? this.#edgesOf(dimensions[i], axis) : undefined))
    this.#context.late?.(() => {
      if (this.#histograms === null) {
        if (this.#config.data_type === undefined) this.#types = { ...this.#types, data: data.dtype }
        this.#make(axes)
      }
      for (const [i, found] of edges.entries()) this.#names[i] ??= this.#foundEdges(found, axes[i], dimensions[i], i)
      this.#nameAxes()
    })
  }

  #edgesOf(dimension: Dimension | undefined, { size }: Axis): Uint8Array | undefined {
    const edges = dimension?.edges ?? undefined
    return edges?.length === size + 1 ? cast(edges, this.#edgeType).bytes : undefined
  }

  #make(axes: readonly Axis[]): void {
    const types = this.#types,
      group = this.#group,
      config = this.#config
    this.#shape = axes.map(({ size }) => size)
    const bins = elementsOf(this.#shape)
    if (bins > MOST_BINS) throw new CodedError('STRUCTURE_INVALID', `${bins} bins are more than ${MOST_BINS}`)
    const { chunk_size: size } = config
    const chunk = size === undefined ? {} : { chunk: rowsPerChunk(Math.floor(size / bins), bins) }
    const compression = { filter: 'gzip', level: 7 } as const
    const options = { row: this.#shape, ...chunk, bulk: true, compression }
    const units = { units: 'counts' }
    // scipp takes `errors` of the same unit for variances, which integers cannot have: it would load nothing
    const unless = types.data.startsWith('float') ? units : {}
    this.#histograms = group.column('histograms', { ...options, dtype: types.data, attributes: unless })
    this.#errors = group.column('errors', { ...options, dtype: types.errors, attributes: units })
    this.#assembly = new Assembly(this.#shape, types, (slot, complete) => this.#append(slot, complete))
  }

  #configured(axis: Axis, i: number): void {
    const { edges, size } = axis
    if (edges === undefined) return
    if (edges.length !== size + 1)
      throw new CodedError('STRUCTURE_INVALID', `axis ${i} has ${edges.length} edges for ${size} bins`, {
        path: `/config/shape/${i}/edges`
      })
    const bytes = new Uint8Array(Float64Array.from(edges).buffer)
    const vector = { dtype: 'float64', length: edges.length, bytes } as const
    const name = axis.dataset_name ?? nameOf(axis.label, i)
    this.#putEdges(name, i, cast(vector, this.#edgeType).bytes, axis.unit, axis.label)
  }

  /** '.' where there are none, or something else has the name. */
  #foundEdges(
    edges: Uint8Array | undefined,
    axis: Axis | undefined,
    dimension: Dimension | undefined,
    i: number
  ): string {
    const label = axis?.label ?? dimension?.label
    const name = axis?.dataset_name ?? nameOf(label, i)
    if (edges === undefined || this.#group.has(name)) return '.'
    return this.#putEdges(name, i, edges, axis?.unit ?? dimension?.unit, label)
  }

  #putEdges(name: string, i: number, edges: Uint8Array, units = '', label = name): string {
    const dtype = this.#edgeType
    const attributes = { axis: { value: i + 1, dtype: 'int32' }, units, long_name: label } as const
    this.#group.dataset(name, edges, { dtype, shape: [edges.length / widthOf(dtype)], attributes })
    return (this.#names[i] = name)
  }

  #nameAxes(): void {
    this.#edged = true
    const axes = ['time', ...this.#shape.map((_, i) => this.#names[i] ?? '.')]
    const group = this.#group
    group.attribute('axes', axes)
    // scipp loads a group as an array only when all in it fits the signal: this one has just that
    const plot = group.group('plot', { NX_class: 'NXdata', signal: 'histograms', axes })
    const named = axes.filter((name) => name !== '.')
    for (const name of ['histograms', 'errors', ...named]) plot.link(name, `${group.path}/${name}`, 'hard')
    for (const [i, name] of axes.entries()) if (name !== '.') plot.attribute(`${name}_indices`, i, 'int32')
  }

  #append(
    { timestampNs, data, errors }: Pick<HistogramSlot, 'timestampNs' | 'data' | 'errors'>,
    complete: boolean
  ): void {
    this.#histograms?.append(data)
    this.#errors?.append(errors)
    this.#timestamps.append(new Uint8Array(BigUint64Array.of(timestampNs, complete ? 1n : 0n).buffer))
    this.#time.appendBigInt(timestampNs)
    if (!complete) this.#context.count('incomplete')
    // Views of the message would be gone by the end
    else if (timestampNs >= (this.#latest?.timestampNs ?? 0n))
      this.#latest = { timestampNs, data: Uint8Array.from(data) }
  }
}

/** The dimensions of the whole histogram as a message tells them. */
function axesOf(
  dimensions: readonly Dimension[],
  shape: readonly number[],
  offset: readonly number[] | null
): readonly Axis[] {
  return shape.map((n, i) => {
    const dimension = dimensions[i]
    const size = dimension !== undefined && dimension.length > 0 ? dimension.length : n + (offset?.[i] ?? 0)
    return { size }
  })
}

/** A label as the name of a dataset. */
function nameOf(label = '', i: number): string {
  const name = label.replaceAll(/[^A-Za-z0-9_]+/g, '_').slice(0, 64)
  return name === '' || name === '_' || reserved.includes(name) ? `axis_${i}` : name
}

const part = (id: string) =>
  defineWriter({
    id,
    summary: `Histograms of ${id} messages as NXdata: histograms, errors, timestamps, edges, data (the newest complete one).`,
    accepts: [id],
    config: histogramConfig,
    nxClass: 'NXdata',
    keepsLast: false,
    madeAtClose: () => ['data', 'histograms', 'errors', 'plot'],
    open: (group, config, context) => new HistogramWriter(group, config, context)
  })

export default definePlugin({
  name: 'writer-histogram',
  version: '1.0.0',
  api: API,
  summary: 'Writes histograms (hs00, hs01) as NXdata.',
  apply(registry) {
    for (const id of ['hs00', 'hs01']) registry.writer(part(id))
  }
})
