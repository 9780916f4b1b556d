// ev42, ev43, ev44 and an44 by hand: events stay where they are in the message, whatever their number.
import { BadMessage, type OutMessage } from '../../core/api/plugin.js'
import {
  type EventRecord,
  messageOf,
  type Peek,
  type Update,
  type Vector,
  type VectorType,
  emptyVector,
  encodeMessage,
  fieldAt,
  i64,
  idCode,
  missing,
  nameAt,
  peekField,
  peekFirst,
  type PeekSlots,
  rootAt,
  Table,
  splitPulses,
  tableAt,
  timeAt,
  u64,
  u8,
  viewAt,
  widthOf
} from '../../schemas/index.js'

export type EventId = 'ev42' | 'ev43' | 'ev44' | 'an44'

/** All four have source name, message id, pulse time(s), … in the same order; only ev42 has no index. */
interface Form {
  readonly id: EventId
  readonly code: number
  readonly peek: PeekSlots
  /** Slot of time_of_flight; the pixel ids follow. */
  readonly events: number
  readonly long: 'int64' | 'uint64'
  readonly int: 'int32' | 'uint32'
}

const form = (id: EventId): Form => {
  const signed = id.endsWith('44')
  return {
    id,
    code: idCode(id),
    peek: { source: 0, time: 2, nameless: !signed },
    events: id === 'ev42' ? 3 : 4,
    long: signed ? 'int64' : 'uint64',
    int: signed ? 'int32' : 'uint32'
  }
}

function view(message: Uint8Array, table: number, slot: number, dtype: VectorType): Vector {
  const at = fieldAt(message, table, slot, 4)
  return at === 0 ? emptyVector(dtype) : viewAt(message, at, dtype)
}

function pulses(message: Uint8Array, table: number, { id, long, int }: Form) {
  const at = fieldAt(message, table, 2, id === 'ev42' ? 8 : 4)
  if (at === 0) throw new BadMessage('bad_timestamp', 'the message has no pulse time')
  if (id === 'ev42') {
    timeAt(message, at)
    const bytes = message.subarray(at, at + 8)
    return { referenceTime: { dtype: long, length: 1, bytes }, referenceTimeIndex: null }
  }
  const referenceTime = viewAt(message, at, long)
  if (referenceTime.length === 0) throw new BadMessage('bad_timestamp', 'the message has no pulse time')
  timeAt(referenceTime.bytes, 0)
  const referenceTimeIndex = view(message, table, 3, int)
  if (referenceTimeIndex.length !== referenceTime.length)
    throw new BadMessage('length_mismatch', `${referenceTime.length} pulses have ${referenceTimeIndex.length} indices`)
  return { referenceTime, referenceTimeIndex }
}

function decode(form: Form, message: Uint8Array): EventRecord {
  const table = rootAt(message, form.code)
  const name = fieldAt(message, table, 0, 4)
  if (name === 0 && form.peek.nameless !== true) missing('source_name')
  const messageId = fieldAt(message, table, 1, 8)
  const read = form.long === 'int64' ? i64 : u64
  const timeOfFlight = view(message, table, form.events, form.int)
  const pixelId = view(message, table, form.events + 1, form.int)
  // A monitor of one pixel need not name it.
  if (pixelId.length !== timeOfFlight.length && pixelId.length > 0)
    throw new BadMessage('length_mismatch', `${timeOfFlight.length} times have ${pixelId.length} pixel ids`)
  const { referenceTime, referenceTimeIndex } = pulses(message, table, form)
  const record = {
    source: name === 0 ? '' : nameAt(message, name),
    messageId: messageId === 0 ? 0n : read(message, messageId),
    referenceTime,
    referenceTimeIndex,
    timeOfFlight,
    pixelId
  }
  if (form.id === 'ev42') return { ...record, ...facility(message, table) }
  return form.id === 'an44' ? { ...record, weight: weights(message, table, timeOfFlight.length) } : record
}

function weights(message: Uint8Array, table: number, events: number): Vector {
  const weight = view(message, table, 6, 'int16')
  if (weight.length !== events && weight.length > 0)
    throw new BadMessage('length_mismatch', `${events} events have ${weight.length} weights`)
  return weight
}

function facility(message: Uint8Array, root: number): Pick<EventRecord, 'facility'> {
  const type = fieldAt(message, root, 5, 1)
  const at = fieldAt(message, root, 6, 4)
  if (type === 0 || at === 0) return {}
  const kind = u8(message, type)
  if (kind === 0 || kind > 2) return {}
  const table = new Table(message, tableAt(message, at))
  if (kind === 1) {
    const runState = table.uint8(1) === 0 ? 'SETUP' : 'RUNNING'
    return { facility: { type: 'isis', periodNumber: table.uint32(0), runState, protonCharge: table.float32(2) } }
  }
  const vector = (slot: number, dtype: VectorType): Vector => table.vector(slot, dtype) ?? emptyVector(dtype)
  return {
    facility: {
      type: 'adc',
      amplitude: vector(0, 'uint32'),
      peakArea: vector(1, 'uint32'),
      background: vector(2, 'uint32'),
      thresholdTime: vector(3, 'uint64'),
      peakTime: vector(4, 'uint64')
    }
  }
}

function facilityFields({ facility }: EventRecord) {
  if (facility === undefined) return null
  if (facility.type === 'isis') {
    const { periodNumber, runState, protonCharge } = facility
    const value = { period_number: periodNumber, run_state: runState, proton_charge: protonCharge }
    return { type: 'ISISData', value }
  }
  const { amplitude, peakArea, background, thresholdTime, peakTime } = facility
  const value = { amplitude, peak_area: peakArea, background, threshold_time: thresholdTime, peak_time: peakTime }
  return { type: 'AdcPulseDebug', value }
}

/** The same numbers in the other signedness, in place; the schemas differ in it, sensible values do not. */
function cast(vector: Vector, dtype: VectorType, what: string): Vector {
  if (vector.dtype === dtype) return vector
  const width = widthOf(dtype)
  if (widthOf(vector.dtype) !== width) throw new BadMessage('unencodable', `${what} of ${vector.dtype} is no ${dtype}`)
  for (let i = width - 1; i < vector.bytes.length; i += width)
    if (u8(vector.bytes, i) > 0x7f) throw new BadMessage('unencodable', `${what} has a value that is no ${dtype}`)
  return { dtype, length: vector.length, bytes: vector.bytes }
}

function encode({ id, long, int }: Form, record: EventRecord): Buffer {
  const referenceTime = cast(record.referenceTime, long, 'pulse time')
  const timeOfFlight = cast(record.timeOfFlight, int, 'time of flight')
  const pixelId = cast(record.pixelId, int, 'pixel id')
  const head = { source_name: record.source, message_id: record.messageId }
  if (id === 'ev42') {
    if (referenceTime.length !== 1) throw new BadMessage('unencodable', 'ev42 carries exactly one pulse')
    return encodeMessage('ev42', {
      ...head,
      pulse_time: u64(referenceTime.bytes, 0),
      time_of_flight: timeOfFlight,
      detector_id: pixelId,
      facility_specific_data: facilityFields(record)
    })
  }
  const index = cast(record.referenceTimeIndex ?? firstOnly(referenceTime.length), int, 'pulse index')
  if (id === 'ev43')
    return encodeMessage('ev43', {
      ...head,
      pulse_time: referenceTime,
      pulse_index: index,
      time_of_flight: timeOfFlight,
      detector_id: pixelId
    })
  return encodeMessage(id, {
    ...head,
    reference_time: referenceTime,
    reference_time_index: index,
    time_of_flight: timeOfFlight,
    pixel_id: pixelId,
    ...(id === 'an44' ? { weight: record.weight ?? emptyVector('int16') } : {})
  })
}

function firstOnly(pulses: number): Vector {
  if (pulses !== 1) throw new BadMessage('unencodable', `${pulses} pulses without an index`)
  return { dtype: 'int32', length: 1, bytes: new Uint8Array(4) }
}

function convert(form: Form, update: Update): OutMessage[] {
  if (update.kind !== 'value' || update.events === undefined) return []
  const record = { ...update.events, source: update.source }
  const records = form.id === 'ev42' ? splitPulses(record) : [record]
  return records.map((one) => messageOf(update, encode(form, one)))
}

/** Both directions of one event schema. */
export interface EventCodec {
  peek(message: Uint8Array, out: Peek): void
  /** Vectors are views of `message`. Throws BadMessage, also `length_mismatch`. */
  decode(message: Uint8Array): EventRecord
  /** Throws BadMessage `unencodable` when the schema cannot carry the record. */
  encode(record: EventRecord): Buffer
  /** The messages of an update with events; ev42 gets one per pulse. */
  convert(update: Update): OutMessage[]
}

/** The codec of one event schema. */
export function eventCodec(id: EventId): EventCodec {
  const its = form(id)
  const peek = id === 'ev42' ? peekField : peekFirst
  return {
    peek: (message, out) => peek(message, its.code, its.peek, out),
    decode: (message) => decode(its, message),
    encode: (record) => encode(its, record),
    convert: (update) => convert(its, update)
  }
}
