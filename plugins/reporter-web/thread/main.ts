// The thread that reads Kafka for the page: newest histograms and values. It lives only while somebody looks.
import {
  type Batch,
  CodedError,
  errorText,
  type Kafka,
  type Reader,
  type ThreadMain
} from '../../../core/api/plugin.js'
import { type Converter, OpenConverters, schemaId } from '../../../schemas/index.js'
import { Histograms } from './histograms.js'
import { answerOf } from './messages.js'
import { type FromReading, type Question, type ReadKind, type ToReading } from './protocol.js'
import { Peers } from './peers.js'
import { Values } from './values.js'

/** How far back is read when somebody begins to look. */
const BACK_MS = 600_000
const MOST_BACK = { histogram: 40, value: 40_000, peer: 500 } as const
const TELL_MS = 500

/** What Kafka says no to is told; the rest is a fault of ours. */
const refusalOf = (error: unknown): { status: number; message: string } =>
  error instanceof CodedError
    ? { status: 403, message: `${error.code}: ${error.message}` }
    : { status: 500, message: errorText(error) }

class KafkaReading {
  readonly #readers = new Map<string, Promise<Reader>>()
  readonly #histograms = new Histograms()
  readonly #values = new Values()
  readonly #peers = new Peers()
  readonly #kafka: Kafka
  readonly #timer: NodeJS.Timeout
  readonly #signal = new AbortController()
  readonly #converters: OpenConverters

  constructor(readonly context: Parameters<ThreadMain>[0]) {
    this.#converters = new OpenConverters(context.parts, { signal: this.#signal.signal })
    this.#kafka = context.kafka((level, message) => this.#say({ type: 'log', level, message }))
    this.#timer = setInterval(() => this.#tell(), TELL_MS)
    context.port.on('message', (message: ToReading) => this.#hear(message))
  }

  #say(message: FromReading): void {
    this.context.port.postMessage(message)
  }

  #hear(message: ToReading): void {
    if (message.type === 'end') return void this.#end()
    if (message.type === 'follow') {
      for (const { topic, kind } of message.topics) if (!this.#readers.has(topic)) this.#follow(topic, kind)
      return
    }
    const { ask, question } = message
    this.#answer(question).then(
      (value) => {
        if (value !== undefined) this.#say({ type: 'answer', ask, value })
        else this.#say({ type: 'refusal', ask, status: 404, message: 'there is none of this name' })
      },
      (error: unknown) => this.#say({ type: 'refusal', ask, ...refusalOf(error) })
    )
  }

  /** Undefined: there is no such thing. */
  async #answer(question: Question): Promise<unknown> {
    const converter = (id: string): Converter | undefined => this.#converters.of(id)
    if (question.type === 'histogram') return this.#histograms.body(question, converter)
    return answerOf(question, { kafka: this.#kafka, signal: this.#signal.signal, converter })
  }

  #tell(): void {
    const rows = this.#histograms.changed()
    if (rows !== undefined) this.#say({ type: 'histograms', rows })
    const values = this.#values.changed()
    if (values.length > 0) this.#say({ type: 'values', rows: values })
    const peers = this.#peers.changed()
    if (peers !== undefined) this.#say({ type: 'peers', rows: peers })
  }

  #follow(topic: string, kind: ReadKind): void {
    const opened = this.#open(topic, kind)
    this.#readers.set(topic, opened)
    opened
      .then((reader) => this.#read(reader, kind))
      .catch((error: unknown) => {
        this.#readers.delete(topic)
        this.#say({ type: 'log', level: 'warn', message: `the page cannot read ${topic}: ${errorText(error)}` })
      })
  }

  async #open(topic: string, kind: ReadKind): Promise<Reader> {
    const [info] = await this.#kafka.topics([topic])
    const partitions = info?.partitions ?? []
    if (partitions.length === 0) throw new Error('it does not exist')
    const [low, high, since] = await Promise.all([
      this.#kafka.offsets(topic, partitions, 'earliest'),
      this.#kafka.offsets(topic, partitions, 'latest'),
      this.#kafka.offsets(topic, partitions, { timestampMs: Date.now() - BACK_MS })
    ])
    const assign = partitions.map((partition) => {
      const end = high.get(partition) ?? 0
      // A value that has not changed for long is still the value
      const from =
        kind === 'value' ? end - MOST_BACK.value : Math.max(since.get(partition) ?? end, end - MOST_BACK[kind])
      return { topic, partition, offset: Math.max(low.get(partition) ?? 0, from) }
    })
    return this.#kafka.reader({ assign, follow: [topic], signal: this.#signal.signal, maxWaitMs: 200 })
  }

  async #read(reader: Reader, kind: ReadKind): Promise<void> {
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
      for (let i = 0; i < batch.count; i++) this.#take(batch, i, kind)
      batch.release()
    }
  }

  /** What cannot be read is passed over: to count it is the job of those who write. */
  #take(batch: Batch, i: number, kind: ReadKind): void {
    const value = batch.value(i)
    if (kind === 'peer') return this.#takePeer(batch, i, value)
    const schema = value === null ? undefined : schemaId(value)
    const converter = schema === undefined ? undefined : this.#converters.of(schema)
    if (value === null || schema === undefined || converter?.decode === undefined) return
    try {
      if (kind === 'histogram') this.#histograms.take(batch.topic, schema, value, converter)
      else this.#values.take(batch.topic, schema, converter.decode(value))
    } catch {
      return
    }
  }

  #takePeer(batch: Batch, i: number, value: Buffer | null): void {
    try {
      if (value !== null) this.#peers.take(batch.topic, value, batch.timestampMs(i))
    } catch {
      return // As above
    }
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer)
    this.#signal.abort()
    await Promise.allSettled([...this.#readers.values()].map(async (reader) => (await reader).close()))
    await this.#kafka.close()
    await this.context.close()
  }
}

const main: ThreadMain = (context) => void new KafkaReading(context)
export default main
