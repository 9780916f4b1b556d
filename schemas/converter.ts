// Converters: one FlatBuffers schema each, both directions.
import { type OutMessage } from '../core/api/dialect.js'
import { type PartLookup } from '../core/api/lookup.js'
import { type Context, erase, type JSONSchema, type Options, type Part } from '../core/api/part.js'
import { type VectorType } from './records.js'
import { type Update } from './updates.js'

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
  dtype: VectorType
  value: number | bigint
  /** In EPICS codes; severity -1: the message says nothing of an alarm. */
  severity: number
  status: number
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

/** Converters that are opened when they are first asked for: of a thread that hears messages of many schemas. */
export class OpenConverters {
  readonly #open = new Map<string, Converter | undefined>()
  readonly #context: Context

  constructor(
    readonly parts: Pick<PartLookup, 'converter'>,
    context: Partial<Context> = {}
  ) {
    const signal = new AbortController().signal
    this.#context = { jobId: '', signal, log: () => undefined, count: () => undefined, ...context }
  }

  /** Undefined when no plugin brings it. */
  of(id: string): Converter | undefined {
    if (!this.#open.has(id)) this.#open.set(id, converterOf(this.parts, id)?.open({}, this.#context))
    return this.#open.get(id)
  }
}

/** The converter of this schema id. */
export const converterOf = (parts: Pick<PartLookup, 'converter'>, id: string): ConverterPart | undefined =>
  parts.converter(id) as ConverterPart | undefined
