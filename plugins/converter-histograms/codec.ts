// hs00 and hs01: a histogram or a rectangular part of a bigger one.
import { BadMessage } from '../../core/api/plugin.js'
import {
  checkShape,
  encodeMessage,
  idCode,
  missing,
  numbersOf,
  peekField,
  shapeOf,
  Table,
  type Dimension,
  type HistogramRecord,
  type Peek,
  type Vector,
  type VectorType
} from '../../schemas/index.js'

export type HistogramId = 'hs00' | 'hs01'
type VectorMembers = readonly (readonly [string, VectorType])[]

const unsigned: VectorMembers = [
  ['ArrayUInt', 'uint32'],
  ['ArrayULong', 'uint64'],
  ['ArrayDouble', 'float64'],
  ['ArrayFloat', 'float32']
]
const signed: VectorMembers = [
  ['ArrayInt', 'int32'],
  ['ArrayLong', 'int64'],
  ['ArrayDouble', 'float64'],
  ['ArrayFloat', 'float32']
]
const membersOf = (id: HistogramId): VectorMembers => (id === 'hs00' ? unsigned : signed)
const peekSlots = { source: 0, time: 1, nameless: true }

function union(t: Table, slot: number, members: VectorMembers): Vector | null {
  const number = t.uint8(slot)
  if (number === 0) return null
  const member = members[number - 1]
  if (member === undefined) throw new BadMessage('unknown_type', `no array type has the number ${number}`)
  return t.table(slot + 1)?.vector(0, member[1]) ?? null
}

function wrap(vector: Vector | null, members: VectorMembers) {
  if (vector === null) return null
  const member = members.find(([, dtype]) => dtype === vector.dtype)
  if (member === undefined) throw new BadMessage('unencodable', `the schema has no arrays of ${vector.dtype}`)
  return { type: member[0], value: { value: vector } }
}

function dimension(id: HistogramId, t: Table): Dimension {
  const length = id === 'hs00' ? t.uint32(0) : t.int32(0)
  return { length, unit: t.text(1), label: t.text(2), edges: union(t, 3, membersOf(id)) }
}

function decode(id: HistogramId, message: Uint8Array): HistogramRecord {
  const t = Table.root(message, id)
  const int = id === 'hs00' ? 'uint32' : 'int32'
  const members = membersOf(id)
  const currentShape = shapeOf(t.vector(4, int) ?? missing('current_shape'))
  const offset = t.vector(5, int)
  const data = union(t, 6, members) ?? missing('data')
  checkShape(currentShape, data.length)
  const errors = union(t, 8, members)
  if (errors !== null && errors.length !== data.length)
    throw new BadMessage('length_mismatch', `${data.length} counts have ${errors.length} errors`)
  return {
    source: t.text(0),
    timestampNs: t.time(1),
    lastMetadataTimestampNs: t.int64(3),
    currentShape,
    dimensions: (t.tables(2) ?? []).map((table) => dimension(id, table)),
    offset: offset === null ? null : numbersOf(offset),
    data,
    errors,
    info: t.text(10)
  }
}

function encode(id: HistogramId, record: HistogramRecord): Buffer {
  const members = membersOf(id)
  checkShape(record.currentShape, record.data.length)
  return encodeMessage(id, {
    source: record.source,
    timestamp: record.timestampNs,
    dim_metadata: record.dimensions.map(({ length, unit, label, edges }) => {
      return { length, unit, label, bin_boundaries: wrap(edges, members) }
    }),
    last_metadata_timestamp: record.lastMetadataTimestampNs,
    current_shape: record.currentShape,
    offset: record.offset,
    data: wrap(record.data, members),
    errors: wrap(record.errors, members),
    info: record.info
  })
}

/** Both directions of one histogram schema. */
export function histogramCodec(id: HistogramId) {
  const code = idCode(id)
  return {
    peek: (message: Uint8Array, out: Peek): void => peekField(message, code, peekSlots, out),
    decode: (message: Uint8Array): HistogramRecord => decode(id, message),
    encode: (record: HistogramRecord): Buffer => encode(id, record)
  }
}
