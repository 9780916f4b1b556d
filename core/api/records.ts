// What source updates, and the events in them, look like. Vectors are raw little-endian bytes, in place in the message.

export type VectorType =
  | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'float32' | 'float64' // prettier-ignore

/** A numeric vector: `bytes.length === length * size of dtype`; start is not aligned. */
export interface Vector {
  readonly dtype: VectorType
  readonly length: number
  readonly bytes: Uint8Array
}

/** Whether a Vector, among the things that a value can be. */
export const isVector = (value: unknown): value is Vector =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'bytes' in value

/** Whether a pvAccess structure, among the things that a value can be. */
export const isStructure = (value: unknown): value is PvStructure =>
  typeof value === 'object' && value !== null && 'typeId' in value && 'fields' in value

/** EPICS alarm: severity 0 NO_ALARM, 1 MINOR, 2 MAJOR, 3 INVALID; status 0–21 as in Channel Access (alarm.h). */
export interface Alarm {
  readonly severity: number
  readonly status: number
  /** "" when the source gives none. */
  readonly message: string
}

/** ev42, ev43, ev44, an44: events of one or several pulses. */
export interface EventRecord {
  readonly source: string
  readonly messageId: bigint
  /** ns since the epoch, int64 or uint64, one per pulse. */
  readonly referenceTime: Vector
  /** Index of the first event of each pulse; absent for one pulse (ev42). */
  readonly referenceTimeIndex: Vector | null
  /** ns after the pulse; length 0 when absent. */
  readonly timeOfFlight: Vector
  readonly pixelId: Vector
  /** an44. */
  readonly weight?: Vector
  /** ev42 facility data. */
  readonly facility?:
    | { readonly type: 'isis'; readonly periodNumber: number; readonly runState: string; readonly protonCharge: number }
    | {
        readonly type: 'adc'
        readonly amplitude: Vector; readonly peakArea: Vector; readonly background: Vector
        readonly thresholdTime: Vector; readonly peakTime: Vector
      } // prettier-ignore
}

/** What a source yields: one change of one channel (EPICS PV or simulated). */
export interface Update {
  /** `value`: a new value (alarm and metadata beside it); `connection`: only the connection state changed. */
  readonly kind: 'value' | 'connection'
  /** PV name. */
  readonly source: string
  /**
   * From the control system; for `connection` the local clock.
   * 0n: the source gave none (an EPICS record that was never processed, a structure without time).
   */
  readonly timestampNs: bigint
  readonly dtype: VectorType | 'string' | 'enum' | 'bool' | 'structure'
  /** Scalars of 64-bit integers are bigint; enum is its index; structure is a plain tree (NTTable, NTNDArray, …). */
  readonly value: number | bigint | string | boolean | Vector | readonly string[] | PvStructure | null
  readonly alarm: Alarm
  readonly units: string
  readonly precision: number | null
  readonly enumStrings: readonly string[] | null
  /** ep01 code of the channel's state. */
  readonly connection: number
  /** First value after a (re)connect. */
  readonly first: boolean
  /** A copy of an earlier update, sent again by the periodic repeat. */
  readonly repeat: boolean
  /** Event sources only: the events of one or several pulses; `value` is null, `dtype` 'structure'. */
  readonly events?: EventRecord
  /**
   * For the receiver, once neither it nor those it passed the update to hold it any more: the memory of its large vectors is
   * used again. It need not be called.
   */
  readonly giveBack?: (() => void) | undefined
}

/** A pvAccess structure: field name → scalar, string, Vector, string[], nested structure or array of structures. */
export interface PvStructure {
  /** pvData type id, e.g. `epics:nt/NTTable:1.0`. */
  readonly typeId: string
  readonly fields: ReadonlyMap<string, PvValue>
}
export type PvValue =
  | number | bigint | boolean | string | null | Vector | readonly string[] | readonly boolean[] | PvStructure | readonly PvStructure[] // prettier-ignore
