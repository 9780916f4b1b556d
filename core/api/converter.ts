// Converters: one FlatBuffers schema each, both directions.
import { type Context, erase, type JSONSchema, type Options, type Part } from './part.js'
import { type Update } from './records.js'

export type NumberType =
  | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'float32' | 'float64' // prettier-ignore

/** Filled in by `Converter.peek`: where the source name's bytes lie in the message, and the message's time. */
export interface Peek {
  sourceStart: number
  sourceEnd: number
  /** ns since the Unix epoch. */
  timestampNs: bigint
}

/** One number of a log, filled in by `Converter.scalar`: used again for the next message. */
export interface Scalar {
  /** ns since the Unix epoch. */
  readonly timestampNs: bigint
  /** The same as two 32-bit numbers, the high one signed: to compare and store bigints would cost more than all else. */
  timeHigh: number
  timeLow: number
  /** Where the source name's bytes are. */
  sourceStart: number
  sourceEnd: number
  dtype: NumberType
  value: number | bigint
  /** In EPICS codes; severity -1: the message says nothing of an alarm. */
  severity: number
  status: number
}

/** One message for Kafka. */
export interface OutMessage {
  readonly value: Uint8Array
  /** Kafka CreateTime in ms; default now. */
  readonly timestampMs?: number
  /** For whoever has copied `value` and lets go of it: its memory is used again. It need not be called. */
  readonly giveBack?: () => void
}

/** One FlatBuffers schema, both directions. */
export interface Converter<R = unknown> {
  /** For routing, without a decode. A message without a source name gets an empty range. Throws BadMessage when the bytes are not a sound message. */
  peek(message: Buffer, out: Peek): void
  /**
   * The content. Vectors are views into `message`, valid until the caller lets go of it.
   * Must check everything it touches: throws BadMessage, never reads outside the message.
   */
  decode?(message: Buffer): R
  /**
   * For speed: a message of one number that lies at `start` to `end` of a larger buffer, without making an object.
   * False, and nothing promised of `out`: it has another content or is not sound; `peek` and `decode` will tell. Never throws.
   */
  scalar?(bytes: DataView, start: number, end: number, out: Scalar): boolean
  /** Source name of schemas whose messages carry none (NDAr): streams that ask for it get the nameless messages. */
  readonly nameless?: string
  /** One record to one message value. */
  encode?(record: R): Uint8Array
  /**
   * What to send for an update of a source; none when there is nothing to say (e.g. the alarm did not change).
   * The bytes of its vectors are valid during the call only, as those of a message to `decode`: what is kept or given out
   * must be a copy.
   * Throws BadMessage for a value that the schema cannot carry.
   */
  convert?(update: Update): readonly OutMessage[]
}

/** `id` is the four-character schema id. */
export interface ConverterPart<C extends JSONSchema = JSONSchema, R = unknown> extends Part<C> {
  open(config: Options<C>, context: Context): Converter<R>
}

export const defineConverter = <const C extends JSONSchema, R>(part: ConverterPart<C, R>): ConverterPart => erase(part)
