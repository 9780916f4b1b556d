// One topic of a write job: schema id → source bytes → streams. What nobody asked for is not decoded.
import { BadMessage, CodedError } from '../errors.js'
import { type Converter, type LogLevel, type Peek, type Scalar } from '../plugin.js'
import { SourceTable } from './sources.js'
import { countIn, type Counters, Instant, type StreamState } from './window.js'

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

export class TopicRoute {
  messages = 0
  bytes = 0
  otherSchema = 0
  otherSource = 0
  /** Sound in no way that would tell whose they are, or lost on the way, by reason. */
  readonly bad: Counters = new Map()
  readonly streams: StreamState[] = []
  private readonly schemas = new Map<number, SchemaRoute>()
  private readonly peek: Peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
  private readonly time = new Instant()
  private recentCode = -1
  private recent: SchemaRoute | undefined
  private readonly scalar: Scalar = { timestampNs: 0n, dtype: 'float64', value: 0, severity: -1, status: 0 }

  constructor(
    readonly topic: string,
    private readonly log: (level: LogLevel, message: string) => void
  ) {}

  add(stream: StreamState, converters: ReadonlyMap<string, Converter>): void {
    this.streams.push(stream)
    for (const [id, converter] of converters) {
      const key = idNumber(id)
      let route = this.schemas.get(key)
      if (route === undefined) this.schemas.set(key, (route = new SchemaRoute(id, converter)))
      const { source } = stream.plan
      route.sources.add(source === converter.nameless ? '' : source, stream)
    }
  }

  /** Writes a message into every stream that wants it. Throws only what must end the job. */
  push(message: Buffer | null): void {
    this.messages++
    if (message === null) return countIn(this.bad, 'no_value')
    this.bytes += message.length
    const route = this.routeOf(message)
    if (route === undefined) return
    const streams = this.streamsOf(route, message)
    if (streams === undefined) return
    const { time } = this
    time.set(this.peek.timestampNs)
    for (const stream of streams) {
      if (!stream.admit(time, message, route.id, route.converter)) continue
      if (!stream.begun) this.begin(stream)
      try {
        this.write(stream, route, message)
        stream.wrote(time)
      } catch (error) {
        this.trouble(stream, error)
      }
    }
  }

  /** A record is decoded for each stream anew: several streams of one source are rare, and it costs less than keeping it. */
  private write({ writer }: StreamState, { converter, id }: SchemaRoute, message: Buffer): void {
    if (writer === null) return
    if (writer.writeScalar !== undefined && converter.scalar !== undefined) {
      const { scalar } = this
      scalar.timestampNs = this.time.ns
      if (converter.scalar(message, scalar)) return writer.writeScalar(scalar, id)
    }
    writer.write(converter.decode?.(message), id)
  }

  /** Only keeps the message for streams whose window it precedes; true when one of them had none yet. */
  lookBack(message: Buffer | null): boolean {
    if (message === null) return false
    const route = message.length < 8 ? undefined : this.schemas.get(idOf(message))
    if (route === undefined) return false
    try {
      route.converter.peek(message, this.peek)
    } catch (error) {
      if (error instanceof BadMessage) return false
      throw error
    }
    let news = false
    for (const stream of route.sources.find(message, this.peek.sourceStart, this.peek.sourceEnd) ?? []) {
      if (!stream.keepsLast || stream.begun) continue
      const before = stream.kept
      stream.keep(this.peek.timestampNs, message, route.id, route.converter)
      news ||= before === null && stream.kept !== null
    }
    return news
  }

  /** Writes what was kept of a stream from before its window. */
  begin(stream: StreamState): void {
    const { kept } = stream
    stream.begun = true
    if (kept === null) return
    const route = this.schemas.get(idNumber(kept.schemaId))
    try {
      stream.writer?.write(route?.converter.decode?.(kept.message), kept.schemaId)
      stream.wrote(new Instant(kept.timeNs))
    } catch (error) {
      this.trouble(stream, error)
    }
  }

  private routeOf(message: Buffer): SchemaRoute | undefined {
    if (message.length < 8) {
      countIn(this.bad, 'too_small')
      return undefined
    }
    const code = idOf(message)
    // most messages are of the schema of the one before
    if (code !== this.recentCode) {
      this.recentCode = code
      this.recent = this.schemas.get(code)
    }
    if (this.recent === undefined) this.otherSchema++
    return this.recent
  }

  private streamsOf(route: SchemaRoute, message: Buffer): readonly StreamState[] | undefined {
    try {
      route.converter.peek(message, this.peek)
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      countIn(this.bad, error.reason)
      return undefined
    }
    const streams = route.sources.find(message, this.peek.sourceStart, this.peek.sourceEnd)
    if (streams === undefined) this.otherSource++
    return streams
  }

  /** A bad message is counted; trouble with the file ends the job; anything else is a fault of the part, counted too. */
  private trouble(stream: StreamState, error: unknown): void {
    if (error instanceof BadMessage) return stream.refused(error)
    if (error instanceof CodedError && error.code.startsWith('HDF5')) throw error
    if (!stream.bad.has('writer_failed'))
      this.log(
        'error',
        `${stream.plan.module} in ${stream.plan.group.path}: ${String(error)}; its messages are counted`
      )
    countIn(stream.bad, 'writer_failed')
  }
}
