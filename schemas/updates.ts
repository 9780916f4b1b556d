// Sources and what they yield: one change of one channel after the other, and the values in them.
import { type MetricTable } from '../core/api/metrics.js'
import { type Context, erase, type JSONSchema, type Options, type Part } from '../core/api/part.js'
import { type PartLookup } from '../core/api/lookup.js'
import { type Subscription } from '../core/api/service.js'
import { type EventRecord, type Vector, type VectorType } from './records.js'

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
  /** Virtual instruments only: messages of other schemas, each as its converter encodes it. */
  readonly records?: readonly { readonly schema: string; readonly record: unknown; readonly events: number }[]
  /**
   * For the receiver, once neither it nor those it passed the update to hold it any more: the memory of its large vectors is
   * used again. It need not be called.
   */
  readonly giveBack?: (() => void) | undefined
}

/** Code of ep01: the channel is there. */
const CONNECTED = 2

/** An update without value, alarm and metadata, for what is more than a value: events, records. */
export const bareUpdate = (source: string, timestampNs: bigint, connection = CONNECTED): Update => ({
  ...{ kind: 'value', source, timestampNs, dtype: 'structure', value: null },
  ...{ alarm: { severity: 0, status: 0, message: '' }, units: '', precision: null, enumStrings: null },
  ...{ connection, first: false, repeat: false }
})

/** A pvAccess structure: field name → scalar, string, Vector, string[], nested structure or array of structures. */
export interface PvStructure {
  /** pvData type id, e.g. `epics:nt/NTTable:1.0`. */
  readonly typeId: string
  readonly fields: ReadonlyMap<string, PvValue>
}
export type PvValue =
  | number | bigint | boolean | string | null | Vector | readonly string[] | readonly boolean[] | PvStructure | readonly PvStructure[] // prettier-ignore

/** A part that yields updates, e.g. EPICS Channel Access (`ca`), one `open` per channel. Runs in the main thread. */
export interface SourcePart<C extends JSONSchema = JSONSchema> extends Part<C> {
  /** Metrics that its plugin adds to `sources` of the snapshot. */
  readonly metrics?: MetricTable
  /**
   * `emit` is called synchronously for every update, in order per channel. The receiver may keep updates:
   * a source never changes or reuses what it emitted, unless the receiver gives it back.
   */
  open(config: Options<C>, context: Context, emit: (update: Update) => void): Subscription
}

export const defineSource = <const C extends JSONSchema>(part: SourcePart<C>): SourcePart => erase(part)

/** The source of this id. */
export const sourceOf = (parts: Pick<PartLookup, 'source'>, id: string): SourcePart | undefined =>
  parts.source(id) as SourcePart | undefined
