// One topic of a write job: schema id → source bytes → streams. What nobody asked for is not decoded.
import { BadMessage, type Batch, CodedError, type LogLevel } from '../../../core/api/plugin.js'
import { type Converter, type Peek, type Scalar } from '../../../schemas/index.js'
import { SourceTable, viewOf } from './sources.js'
import { countIn, type Counters, Instant, nsOf, type StreamState } from './window.js'

class SchemaRoute {
  readonly sources = new SourceTable()
  constructor(
    readonly id: string,
    readonly converter: Converter
  ) {}
}

/** The four bytes of a schema id as they lie in a message. */
const idOf = (message: Uint8Array): number =>
  (message[4] ?? 0) | ((message[5] ?? 0) << 8) | ((message[6] ?? 0) << 16) | ((message[7] ?? 0) << 24)
const idNumber = (id: string): number => idOf(Buffer.from(`\0\0\0\0${id.padEnd(4, '\0')}`, 'latin1'))

/** Filled in again and again. */
class LogNumber implements Scalar {
  timeHigh = 0
  timeLow = 0
  sourceStart = 0
  sourceEnd = 0
  dtype: Scalar['dtype'] = 'float64'
  value: number | bigint = 0
  severity = -1
  status = 0
  get timestampNs(): bigint {
    return nsOf(this.timeHigh, this.timeLow)
  }
}

const NOTHING = Buffer.alloc(0)

/** A method of a converter or writer. */
export interface PartMethod {
  readonly kind: 'converter' | 'writer'
  readonly id: string
  readonly method: string
}
type RouteLog = (level: LogLevel, message: string, fields?: Record<string, unknown>, fault?: PartMethod) => void

/** A converter threw, or gave, what it must not. */
class ConverterFault extends Error {
  constructor(
    readonly method: string,
    override readonly cause: unknown
  ) {
    super(String(cause))
  }
}

/** Throws when it is a promise: nobody waits for those of methods that must be done when they return. */
export function promised(value: unknown): void {
  if (!(value instanceof Promise)) return
  value.catch(() => undefined)
  throw new TypeError('gave a promise where it must be done at once')
}

export const stackOf = (error: unknown): Record<string, unknown> =>
  error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}

/** What a look at a message tells without writing it. */
export interface Glance {
  readonly source: string
  readonly timeNs: bigint
  /** A stream of the job takes it. */
  readonly wanted: boolean
}

export class TopicRoute {
  messages = 0
  bytes = 0
  otherSchema = 0
  otherSource = 0
  /** Sound in no way that would tell whose they are, or lost on the way, by reason (reasons.ts). */
  readonly bad: Counters = new Map()
  readonly streams: StreamState[] = []
  readonly #schemas = new Map<number, SchemaRoute>()
  readonly #peek: Peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
  readonly #time = new Instant()
  #recentCode = -1
  #recent: SchemaRoute | undefined
  readonly #scalar: Scalar = new LogNumber()

  readonly #log: RouteLog
  constructor(
    readonly topic: string,
    log: RouteLog,
    /** Undefined: all. */
    readonly partitions?: readonly number[]
  ) {
    this.#log = log
  }

  add(stream: StreamState, converters: ReadonlyMap<string, Converter>): void {
    this.streams.push(stream)
    for (const [id, converter] of converters) {
      const key = idNumber(id)
      let route = this.#schemas.get(key)
      if (route === undefined) this.#schemas.set(key, (route = new SchemaRoute(id, converter)))
      const { source } = stream.plan
      route.sources.add(source === converter.nameless ? '' : source, stream)
    }
  }

  /** Writes the messages of a batch into every stream that wants them. Throws only what must end the job. */
  pushAll(batch: Batch): void {
    for (let i = 0; i < batch.count;) i = this.#pushFrom(batch, i)
  }

  /** Up to a message that a converter fails on; returns where to go on. */
  #pushFrom(batch: Batch, from: number): number {
    const { bytes } = batch
    let i = from
    try {
      for (; i < batch.count; i++)
        if (!this.#pushNumber(batch, i, bytes, batch.valueStart(i), batch.valueEnd(i)))
          this.push(batch.value(i), bytes, batch.valueStart(i))
    } catch (error) {
      if (error instanceof CodedError && !(error instanceof BadMessage)) throw error
      this.#converterFailed(this.bad, this.#recent?.id ?? '', new ConverterFault('scalar', error))
      i++
    }
    return i
  }

  /** Whose message it is and of which time; undefined when it does not say, or no stream takes its schema. */
  glance(batch: Batch, i: number): Glance | undefined {
    const message = batch.value(i)
    const route = message === null || message.length < 8 ? undefined : this.#schemas.get(idOf(message))
    if (route === undefined || message === null) return undefined
    const peek = this.#peek
    if (!this.#peeks(route, message)) return undefined
    const { sourceStart, sourceEnd, timestampNs } = peek
    const source = `${route.id} ${message.toString('latin1', sourceStart, sourceEnd)}`
    const wanted = route.sources.find(message, sourceStart, sourceEnd) !== undefined
    return timestampNs <= 0n ? undefined : { source, timeNs: timestampNs, wanted }
  }

  /** False when the message is not one number of a log, or there is no short way for it. */
  #pushNumber(batch: Batch, i: number, bytes: DataView, start: number, end: number): boolean {
    if (end - start < 8) return false
    const route = this.#routeFor(bytes.getInt32(start + 4, true))
    const scalar = this.#scalar
    if (route?.converter.scalar?.(bytes, start, end, scalar) !== true) return false
    this.messages++
    this.bytes += end - start
    const streams = route.sources.findIn(bytes, scalar.sourceStart, scalar.sourceEnd)
    if (streams === undefined) {
      this.otherSource++
      return true
    }
    const time = this.#time.at(scalar.timeHigh, scalar.timeLow)
    for (const stream of streams) {
      if (stream.writer?.writeScalar === undefined || time.isBefore(stream.window.start))
        this.#pushTo(stream, route, batch.value(i) ?? NOTHING)
      else this.#deliver(stream, route, undefined)
    }
    return true
  }

  /** Writes a message into every stream that wants it; it lies in `bytes` from `start` on. Throws only what must end the job. */
  push(message: Buffer | null, bytes = viewOf(message ?? NOTHING), start = 0): void {
    this.messages++
    if (message === null) return countIn(this.bad, 'no_value')
    this.bytes += message.length
    const route = this.#routeOf(message)
    if (route === undefined) return
    const streams = this.#streamsOf(route, message, bytes, start)
    if (streams === undefined) return
    for (const stream of streams) this.#pushTo(stream, route, message)
  }

  #pushTo(stream: StreamState, route: SchemaRoute, message: Buffer): void {
    const time = this.#time
    if (time.isBefore(stream.window.start)) stream.early(time, message, route.id, route.converter)
    else this.#deliver(stream, route, message)
  }

  /**
   * To a stream whose window has begun; without a message it is the number in `scalar`. A record is decoded for each stream
   * anew: several streams of one source are rare, and it costs less than keeping it.
   */
  #deliver(stream: StreamState, route: SchemaRoute, message: Buffer | undefined): void {
    const time = this.#time
    if (!stream.admit(time)) return
    if (!stream.begun) this.begin(stream)
    try {
      if (message === undefined) stream.writer?.writeScalar?.(this.#scalar, route.id)
      else promised(stream.writer?.write(decoded(route, message), route.id))
      stream.wrote(time)
    } catch (error) {
      this.#trouble(stream, route.id, error)
    }
  }

  /** Whether the message says whose it is; what is wrong with it is counted when it is pushed. */
  #peeks({ converter }: SchemaRoute, message: Buffer): boolean {
    try {
      converter.peek(message, this.#peek)
      return typeof this.#peek.timestampNs === 'bigint'
    } catch {
      return false
    }
  }

  /** Only keeps the message for streams whose window it precedes; true when one of them had none yet. */
  lookBack(message: Buffer | null): boolean {
    if (message === null) return false
    const route = message.length < 8 ? undefined : this.#schemas.get(idOf(message))
    if (route === undefined) return false
    if (!this.#peeks(route, message)) return false
    let news = false
    for (const stream of route.sources.find(message, this.#peek.sourceStart, this.#peek.sourceEnd) ?? []) {
      if (!stream.keepsLast || stream.begun) continue
      const before = stream.kept
      stream.keep(this.#peek.timestampNs, message, route.id, route.converter)
      news ||= before === null && stream.kept !== null
    }
    return news
  }

  /** Writes what was kept of a stream from before its window. */
  begin(stream: StreamState): void {
    const { kept } = stream
    stream.begun = true
    stream.judgeBefore()
    if (kept === null) return
    const route = this.#schemas.get(idNumber(kept.schemaId))
    try {
      if (route !== undefined) promised(stream.writer?.write(decoded(route, kept.message), kept.schemaId))
      stream.wrote(new Instant(kept.timeNs))
    } catch (error) {
      this.#trouble(stream, kept.schemaId, error)
    }
  }

  #routeOf(message: Buffer): SchemaRoute | undefined {
    if (message.length < 8) {
      countIn(this.bad, 'too_small')
      return undefined
    }
    const route = this.#routeFor(idOf(message))
    if (route === undefined) this.otherSchema++
    return route
  }

  #routeFor(code: number): SchemaRoute | undefined {
    // Most messages are of the schema of the one before
    if (code !== this.#recentCode) {
      this.#recentCode = code
      this.#recent = this.#schemas.get(code)
    }
    return this.#recent
  }

  #streamsOf(route: SchemaRoute, message: Buffer, bytes: DataView, start: number): readonly StreamState[] | undefined {
    try {
      route.converter.peek(message, this.#peek)
      this.#time.set(this.#peek.timestampNs)
    } catch (error) {
      if (error instanceof BadMessage) countIn(this.bad, error.reason)
      else this.#converterFailed(this.bad, route.id, new ConverterFault('peek', error))
      return undefined
    }
    const streams = route.sources.findIn(bytes, start + this.#peek.sourceStart, start + this.#peek.sourceEnd)
    if (streams === undefined) this.otherSource++
    return streams
  }

  /** A bad message is counted; trouble with the file ends the job; anything else is a fault of the part, counted too. */
  #trouble(stream: StreamState, schemaId: string, error: unknown): void {
    if (error instanceof BadMessage) return stream.refused(error)
    if (error instanceof CodedError && error.code.startsWith('HDF5')) {
      countIn(stream.ownBad(), 'not_in_file')
      throw error
    }
    if (error instanceof ConverterFault) return this.#converterFailed(stream.ownBad(), schemaId, error)
    if (!stream.bad.has('writer_failed')) {
      const { module, group, part } = stream.plan
      const text = `${module} in ${group.path}: ${String(error)}; its messages are counted`
      this.#log('error', text, stackOf(error), { kind: 'writer', id: part.id, method: 'write' })
    }
    countIn(stream.ownBad(), 'writer_failed')
  }

  #converterFailed(bad: Counters, id: string, { method, message, cause }: ConverterFault): void {
    if (!bad.has('converter_failed'))
      this.#log('error', `${message}; its messages are counted`, stackOf(cause), { kind: 'converter', id, method })
    countIn(bad, 'converter_failed')
  }
}

/** The content of a message. Throws BadMessage, and ConverterFault for anything else that is none. */
function decoded({ converter }: SchemaRoute, message: Buffer): unknown {
  try {
    const record = converter.decode?.(message)
    promised(record)
    if (typeof record === 'object' && record !== null) return record
    throw new TypeError(`gave ${typeof record} where it must give a record`)
  } catch (error) {
    throw error instanceof BadMessage ? error : new ConverterFault('decode', error)
  }
}
