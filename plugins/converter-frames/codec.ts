// NDAr, ADAr and ad00: one area detector frame.
import { BadMessage } from '../../core/api/plugin.js'
import {
  checkShape,
  encodeMessage,
  fieldAt,
  i32,
  idCode,
  meaning,
  missing,
  peekField,
  rootAt,
  shapeOf,
  spell,
  Table,
  typed,
  typeNumber,
  EPICS_EPOCH_NS,
  type FrameRecord,
  once,
  Spares,
  messageOf,
  type Peek,
  type Update
} from '../../schemas/index.js'
import { frameOf } from './ndarray.js'

export type FrameId = 'NDAr' | 'ADAr' | 'ad00'

/** NDAr names no source; this is the name under which file writers know it. */
const ndarSource = 'ADPluginKafka'

const BILLION = 1_000_000_000n
const peekSlots = { source: 0, time: 2 }
/** One for all: a message is given back before the next is made, whatever the number of routes. */
const spares = new Spares(32 << 20)

/** Seconds since 1990 beside an EPICS time; one well-known sender writes ms since 1970 instead, and no EPICS time. */
function ndarTime(message: Uint8Array, table: number): bigint {
  const at = fieldAt(message, table, 2, 8)
  const epics = at === 0 ? 0n : BigInt(i32(message, at) >>> 0) * BILLION + BigInt(i32(message, at + 4) >>> 0)
  if (epics > 0n) return epics + EPICS_EPOCH_NS
  const stamp = new Table(message, table).float64(1)
  if (!(stamp > 0 && stamp < 1e15)) throw new BadMessage('bad_timestamp', `${stamp} is no time of a frame`)
  if (stamp > 1e11) return BigInt(Math.round(stamp * 1e6))
  return BigInt(Math.round(stamp * 1e9)) + EPICS_EPOCH_NS
}

function decodeNdar(message: Uint8Array): FrameRecord {
  const t = Table.root(message, 'NDAr')
  const shape = shapeOf(t.vector(3, 'uint64') ?? missing('dims'))
  const { data, isText } = typed(t.vector(5, 'uint8') ?? missing('pData'), t.uint8(4))
  checkShape(shape, data.length)
  const timestampNs = ndarTime(message, t.at)
  const attributes = attributesOf(t.tables(6))
  return { source: ndarSource, timestampNs, uniqueId: t.int32(0), shape, data, isText, attributes }
}

function attributesOf(tables: Table[] | null): FrameRecord['attributes'] {
  return (tables ?? []).map((a) => {
    const bytes = a.vector(4, 'uint8')
    const value = bytes === null ? null : meaning(bytes, a.uint8(3))
    return { name: a.text(0), description: a.text(1), source: a.text(2), value }
  })
}

function decode(id: FrameId, message: Uint8Array): FrameRecord {
  if (id === 'NDAr') return decodeNdar(message)
  const t = Table.root(message, id)
  const shape = shapeOf(t.vector(3, id === 'ad00' ? 'int64' : 'uint64') ?? missing('dimensions'))
  const { data, isText } = typed(t.vector(5, 'uint8') ?? missing('data'), t.uint8(4))
  checkShape(shape, data.length)
  const source = t.required(0, 'source_name')
  const attributes = attributesOf(t.tables(6))
  return { source, timestampNs: t.time(2), uniqueId: t.int32(1), shape, data, isText, attributes }
}

function encode(id: FrameId, record: FrameRecord, memory?: Spares): Buffer {
  const { source, timestampNs, uniqueId, shape, data, isText } = record
  checkShape(shape, data.length)
  const type = typeNumber(data.dtype, isText)
  if (id !== 'NDAr') {
    const fields = {
      source_name: source,
      id: uniqueId,
      timestamp: timestampNs,
      dimensions: shape,
      data_type: type,
      data: data.bytes,
      attributes: record.attributes.map((attribute) => {
        const { type: data_type, bytes } = spell(attribute.value)
        const { name, description, source } = attribute
        return { name, description, source, data_type, data: bytes }
      })
    }
    return encodeMessage(id, fields, memory)
  }
  const since1990 = timestampNs - EPICS_EPOCH_NS
  const fields = {
    id: uniqueId,
    timeStamp: Number(since1990) / 1e9,
    epicsTS: { secPastEpoch: since1990 / BILLION, nsec: since1990 % BILLION },
    dims: shape,
    dataType: type,
    pData: data.bytes,
    pAttributeList: record.attributes.map((attribute) => {
      const { type: dataType, bytes } = spell(attribute.value)
      return { pName: attribute.name, pDescription: attribute.description, pSource: attribute.source, dataType, pData: bytes } // prettier-ignore
    })
  }
  return encodeMessage('NDAr', fields, memory)
}

/** Both directions of one frame schema; `convert` throws BadMessage for updates that are no frames. */
export function frameCodec(id: FrameId) {
  const code = idCode(id)
  return {
    ...(id === 'NDAr' ? { nameless: ndarSource } : {}),
    peek(message: Uint8Array, out: Peek): void {
      if (id !== 'NDAr') return peekField(message, code, peekSlots, out)
      out.sourceStart = out.sourceEnd = 0
      out.timestampNs = ndarTime(message, rootAt(message, code))
    },
    decode: (message: Uint8Array): FrameRecord => decode(id, message),
    encode: (record: FrameRecord): Buffer => encode(id, record),
    convert(update: Update) {
      if (update.kind !== 'value' || update.events !== undefined) return []
      const value = encode(id, frameOf(update), spares)
      return [{ ...messageOf(update, value), giveBack: once(() => spares.give(value)) }]
    }
  }
}
