// Values on the Channel Access wire: DBR_TIME (value, alarm, time) and DBR_CTRL (metadata), all big-endian.
import { alarmOfCodes } from '../shared/alarm.js'
import { spares } from '../shared/gatherer.js'
import { textOf, textOfBytes } from '../shared/text.js'
import { unixNs } from '../shared/time.js'
import { EPICS_EPOCH_S, type Alarm, type Update, type Vector, type VectorType } from '../../../schemas/index.js'

/** Native types: the code on the wire. */
export const Dbr = { STRING: 0, SHORT: 1, FLOAT: 2, ENUM: 3, CHAR: 4, LONG: 5, DOUBLE: 6 } as const
export const MAX_NATIVE = 6
/** Added to the native type. */
export const TIME_BASE = 14
export const CTRL_BASE = 28

const SIZES = [40, 2, 4, 2, 1, 4, 8] as const
/** Bytes before the value in DBR_TIME: 12 of status and time, and padding for alignment. */
const TIME_HEADERS = [12, 14, 12, 14, 15, 12, 16] as const
/** Bytes of a DBR_TIME payload. */
export const timeBytes = (native: number, count: number): number =>
  (TIME_HEADERS[native] as number) + count * (SIZES[native] as number)

// CHAR is unsigned by convention; the wire does not tell.
const VECTOR_TYPES: readonly VectorType[] = ['uint8', 'int16', 'float32', 'uint16', 'uint8', 'int32', 'float64']
const SCALAR_TYPES: readonly Update['dtype'][] = ['string', 'int16', 'float32', 'enum', 'uint8', 'int32', 'float64']

export interface CaValue {
  readonly dtype: Update['dtype']
  readonly value: number | string | Vector | readonly string[]
  readonly alarm: Alarm
  /** ns since the Unix epoch; 0n: never processed. */
  readonly timestampNs: bigint
}

export interface CaLimits {
  readonly display: readonly [low: number, high: number]
  /** Lolo, low, high, hihi. */
  readonly alarm: readonly [number, number, number, number]
  readonly control: readonly [low: number, high: number]
}

/** What changes seldom. */
export interface CaMeta {
  readonly units: string
  readonly precision: number | null
  readonly enumStrings: readonly string[] | null
  readonly limits: CaLimits | null
}

export const NO_META: CaMeta = Object.freeze({ units: '', precision: null, enumStrings: null, limits: null })

/** A payload with `count` elements in bytes[start, end); `view` looks at the same bytes. */
export interface Payload {
  readonly count: number
  readonly bytes: Buffer
  readonly view: DataView
  readonly start: number
  readonly end: number
}

/** How the values of a channel are to be taken. */
export interface DbrForm {
  /** Native type. */
  readonly type: number
  /** The channel is an array, so that one element stays an array. */
  readonly isArray: boolean
  /** CHAR arrays are text. */
  readonly isText: boolean
}

/** DBR_TIME. Throws RangeError when the payload is too short. */
export function decodeTime({ type: native, isArray, isText }: DbrForm, payload: Payload): CaValue {
  const { count, bytes, view, start, end } = payload
  const at = start + (TIME_HEADERS[native] as number)
  if (start + timeBytes(native, count) > end) throw new RangeError(`CA: payload too short for ${count} elements`)
  const alarm = alarmOfCodes(view.getUint16(start + 2), view.getUint16(start))
  const timestampNs = unixNs(view.getUint32(start + 4) + EPICS_EPOCH_S, view.getUint32(start + 8))
  if (native === Dbr.CHAR && isText) {
    return { dtype: 'string', value: textOfBytes(bytes.subarray(at, at + count)), alarm, timestampNs }
  }
  if (!isArray && count === 1) {
    return {
      dtype: SCALAR_TYPES[native] as Update['dtype'],
      value: scalar(native, bytes, view, at),
      alarm,
      timestampNs
    }
  }
  if (native === Dbr.STRING) {
    // An empty long string record sends no element at all.
    const value = isArray || count > 0 ? strings(bytes, at, count) : ''
    return { dtype: 'string', value, alarm, timestampNs }
  }
  const dtype = VECTOR_TYPES[native] as VectorType
  return { dtype, value: vector(native, dtype, bytes, at, count), alarm, timestampNs }
}

function scalar(native: number, bytes: Buffer, view: DataView, at: number): number | string {
  switch (native) {
    case Dbr.DOUBLE: return view.getFloat64(at)
    case Dbr.LONG: return view.getInt32(at)
    case Dbr.ENUM: return view.getUint16(at)
    case Dbr.SHORT: return view.getInt16(at)
    case Dbr.FLOAT: return view.getFloat32(at)
    case Dbr.CHAR: return view.getUint8(at)
    default: return textOf(bytes, at, at + 40)
  } // prettier-ignore
}

function strings(bytes: Buffer, at: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => textOf(bytes, at + i * 40, at + (i + 1) * 40))
}

/** A little-endian copy of its own. */
function vector(native: number, dtype: VectorType, bytes: Buffer, at: number, length: number): Vector {
  const size = SIZES[native] as number
  const copy = spares.take(length * size)
  bytes.copy(copy, 0, at, at + length * size)
  if (size === 2) copy.swap16()
  else if (size === 4) copy.swap32()
  else if (size === 8) copy.swap64()
  return { dtype, length, bytes: copy }
}

/** DBR_CTRL of native type `native` in bytes[start, end). Throws RangeError when the payload is too short. */
export function decodeControl(native: number, { bytes, view, start, end }: Omit<Payload, 'count'>): CaMeta {
  if (native === Dbr.STRING) return NO_META
  if (native === Dbr.ENUM) return { ...NO_META, enumStrings: labels(bytes, view, start, end) }
  const isReal = native === Dbr.FLOAT || native === Dbr.DOUBLE
  const unitsAt = start + (isReal ? 8 : 4)
  const limitsAt = unitsAt + 8
  if (limitsAt + 8 * (SIZES[native] as number) > end) throw new RangeError('CA: metadata too short')
  const limit = (i: number): number => scalar(native, bytes, view, limitsAt + i * (SIZES[native] as number)) as number
  return {
    units: textOf(bytes, unitsAt, limitsAt),
    precision: isReal ? view.getInt16(start + 4) : null,
    enumStrings: null,
    limits: {
      display: [limit(1), limit(0)],
      alarm: [limit(5), limit(4), limit(3), limit(2)],
      control: [limit(7), limit(6)]
    }
  }
}

function labels(bytes: Buffer, view: DataView, start: number, end: number): string[] {
  const length = start + 6 > end ? Infinity : Math.min(16, view.getUint16(start + 4))
  if (start + 6 + length * 26 > end) throw new RangeError('CA: metadata too short')
  return Array.from({ length }, (_, i) => textOf(bytes, start + 6 + i * 26, start + 6 + (i + 1) * 26))
}
