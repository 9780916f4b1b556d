// Entry of the thread of the bridge: reads topics of today, sends what Mantid's listener understands.
import {
  BadMessage,
  errorText,
  type Kafka,
  type OutMessage,
  type Producer,
  type Reader,
  type ThreadContext
} from '../../../core/api/plugin.js'
import {
  type EventRecord,
  type HistogramRecord,
  type LogRecord,
  OpenConverters,
  schemaId
} from '../../../schemas/index.js'
import { FollowedTopics, lastMessages } from '../../service-adara/topics-kit.js'
import { histogramMessage } from '../histogram.js'
import { type BridgeOptions, outputsOf } from '../options.js'
import { eventMessages, startMessage, stopMessage, valueMessage } from '../words.js'
import { type BridgeProgress, type FromBridge, type ToBridge } from './protocol.js'

const PROGRESS_MS = 500
const TOPICS_MS = 2000
/** Messages of run control that are read at the start, of each partition: Mantid wants the last two. */
const RUNS_BACK = 2

export default function main(context: ThreadContext): void {
  let bridge: Bridge | undefined
  context.port.on('message', (message: ToBridge) => {
    if (message.type === 'end') void bridge?.end()
    else {
      bridge = new Bridge(context, message.options, message.geometry)
      bridge.begin()
    }
  })
}

/** Schemas that are taken. */
const inputs = { events: ['ev42', 'ev43', 'ev44'], values: ['f142', 'f144'], histograms: ['hs00', 'hs01'] }

interface BridgeUse {
  readonly to: string
  readonly kind: 'events' | 'values' | 'histograms' | 'runs'
  readonly sources: ReadonlySet<string> | undefined
}

class Bridge {
  readonly #kafka: Kafka
  readonly #reader: Reader
  readonly #producer: Producer
  readonly #uses = new Map<string, BridgeUse[]>()
  readonly #converters: OpenConverters
  readonly #topics: FollowedTopics
  readonly #losses = new Map<string, number>()
  readonly #timers: NodeJS.Timeout[] = []
  #messages = 0
  #sent = 0
  #runs = 0
  #closed = false
  #isFull = false

  constructor(
    readonly context: ThreadContext,
    readonly options: BridgeOptions,
    readonly geometry: string | undefined
  ) {
    this.#kafka = context.kafka((level, message) => this.#say({ type: 'log', level, message }))
    this.#reader = this.#kafka.reader({ assign: [], maxWaitMs: 100 })
    this.#producer = this.#kafka.producer({ lingerMs: 5 })
    const outputs = outputsOf(options)
    const use = (topic: string, one: BridgeUse): void => void this.#uses.set(topic, [...(this.#uses.get(topic) ?? []), one]) // prettier-ignore
    for (const name of ['events', 'monitors', 'values', 'histograms'] as const)
      for (const { topic, sources } of options[name])
        use(topic, {
          to: outputs[name] ?? '',
          kind: name === 'monitors' ? 'events' : name,
          sources: sources && new Set(sources)
        })
    use(options.runs, { to: outputs.runs, kind: 'runs', sources: undefined })
    this.#converters = new OpenConverters(context.parts, { log: (level, message) => this.#say({ type: 'log', level, message }) }) // prettier-ignore
    // What comes from now on; of runs the last ones, too. Mantid looks for all outputs
    this.#topics = new FollowedTopics(this.#kafka, this.#reader, {
      read: [...this.#uses.keys()],
      write: Object.values(outputs),
      startsOf: (topic, partitions) =>
        topic === options.runs
          ? lastMessages(this.#kafka, topic, partitions, RUNS_BACK)
          : this.#kafka.offsets(topic, partitions, 'latest')
    })
  }

  begin(): void {
    this.#timers.push(
      setInterval(() => this.#say({ type: 'progress', progress: this.#progress() }), PROGRESS_MS),
      setInterval(() => void this.#look(), TOPICS_MS)
    )
    void this.#look()
    void this.#read()
  }

  async end(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    await this.#reader.close()
    try {
      await this.#producer.close()
    } catch (error) {
      this.#say({ type: 'log', level: 'error', message: errorText(error) })
    }
    await this.#kafka.close()
    await this.context.close()
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    try {
      await this.#topics.look()
    } catch (error) {
      if (!this.#closed) this.#say({ type: 'log', level: 'warn', message: `${errorText(error)}; trying again` })
    }
  }

  async #read(): Promise<void> {
    try {
      for (let batch = await this.#reader.next(); batch !== null; batch = await this.#reader.next()) {
        for (let i = 0; i < batch.count; i++) this.#take(batch.topic, batch.value(i))
        for (const [reason, n] of Object.entries(batch.skipped ?? {})) this.#count(reason, n)
        batch.release()
        if (this.#isFull) await this.#producer.drained()
      }
    } catch (error) {
      if (!this.#closed) this.#say({ type: 'failed', message: `the bridge cannot read: ${errorText(error)}` })
    }
  }

  #take(topic: string, message: Buffer | null): void {
    this.#messages++
    const schema = message === null ? undefined : schemaId(message)
    if (message === null || schema === undefined) return this.#count('too_small')
    for (const use of this.#uses.get(topic) ?? [])
      try {
        for (const { value, timestampMs } of this.#made(use, schema, message))
          this.#send(use.to, value, timestampMs ?? Date.now())
      } catch (error) {
        this.#count(error instanceof BadMessage ? error.reason : 'decode_failed')
      }
  }

  #made({ kind, sources }: BridgeUse, schema: string, message: Buffer): readonly OutMessage[] {
    if (kind === 'runs') return this.#run(schema, message)
    const converter = inputs[kind].includes(schema) ? this.#converters.of(schema) : undefined
    if (converter?.decode === undefined) return this.#nothing('unknown_schema')
    const record = converter.decode(message) as EventRecord | LogRecord | HistogramRecord
    if (sources?.has(record.source) === false) return this.#nothing('other_source')
    if (kind === 'histograms') return [histogramMessage(record as HistogramRecord)]
    const target = this.#converters.of(kind === 'events' ? 'ev42' : 'f142')
    if (target === undefined) return this.#nothing('unknown_schema')
    if (kind === 'values') return valueMessage(record as LogRecord, target)
    const { messages, lost } = eventMessages(record as EventRecord, target, this.options.shift_epoch)
    if (lost > 0) this.#count('events', lost)
    return messages
  }

  #run(schema: string, message: Buffer): readonly OutMessage[] {
    if (schema !== 'pl72' && schema !== '6s4t') return this.#nothing('unknown_schema')
    if (schema === '6s4t') return [stopMessage(message)]
    this.#runs++
    return [startMessage(message, { instrument: this.options.instrument, geometry: this.geometry })]
  }

  #nothing(reason: string): readonly OutMessage[] {
    this.#count(reason)
    return []
  }

  /** Mantid reads the first partition of most topics only. */
  #send(topic: string, value: Uint8Array, timestampMs: number): void {
    this.#isFull = !this.#producer.send({ topic, partition: 0, value, timestampMs }, (error) => {
      if (error === null) this.#sent++
      else this.#count('kafka')
    })
  }

  #count(reason: string, n = 1): void {
    this.#losses.set(reason, (this.#losses.get(reason) ?? 0) + n)
  }

  #progress(): BridgeProgress {
    return { messages: this.#messages, sent: this.#sent, runs: this.#runs, losses: Object.fromEntries(this.#losses), missing: this.#topics.missing } // prettier-ignore
  }

  #say(message: FromBridge): void {
    this.context.port.postMessage(message)
  }
}
