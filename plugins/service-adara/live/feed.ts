// Messages of Kafka → the live stream: events and charges to the pulse they belong to, values, runs.
import { BadMessage } from '../../../core/api/plugin.js'
import {
  type AlarmRecord,
  type ConnectionRecord,
  type EventRecord,
  isVector,
  type LogRecord,
  type OpenConverters,
  type PulseRecord,
  schemaId
} from '../../../schemas/index.js'
import { type AdaraOptions } from '../options.js'
import { type Destination, type PulseGatherer } from './pulses.js'
import { runMessage, type RunWord } from './runs.js'
import { type LiveReading, type LiveState } from './state.js'

const CONNECTED = 2

export interface LiveFeedHooks {
  send(packets: readonly Buffer[]): void
  run(word: RunWord): void
  count(reason: string, n?: number): void
}

interface LiveFeedParts {
  readonly converters: OpenConverters
  readonly state: LiveState
  readonly gatherer: PulseGatherer
  readonly hooks: LiveFeedHooks
}

/** What each topic is for. */
interface TopicUse {
  /** By source. */
  readonly events: Map<string, Destination>
  pulses: string | undefined
  /** Sources; undefined: all. */
  values: Set<string> | 'all' | undefined
  runs: boolean
}

export class LiveFeed {
  messages = 0
  values = 0
  readonly topics = new Map<string, TopicUse>()
  readonly #converters: OpenConverters
  readonly #state: LiveState
  readonly #gatherer: PulseGatherer
  readonly #hooks: LiveFeedHooks

  constructor(options: AdaraOptions, { converters, state, gatherer, hooks }: LiveFeedParts) {
    this.#converters = converters
    this.#state = state
    this.#gatherer = gatherer
    this.#hooks = hooks
    for (const [i, { topic, source, bank }] of options.events.entries())
      this.#use(topic).events.set(source, { kind: 'bank', bank: bank ?? i + 1 })
    for (const [i, { topic, source, monitor }] of options.monitors.entries())
      this.#use(topic).events.set(source, { kind: 'monitor', monitor: monitor ?? i + 1 })
    if (options.pulses !== undefined) this.#use(options.pulses.topic).pulses = options.pulses.source
    for (const { topic, sources } of options.values) {
      const use = this.#use(topic)
      const before = use.values instanceof Set ? [...use.values] : []
      use.values = sources === undefined || use.values === 'all' ? 'all' : new Set([...before, ...sources])
    }
    if (options.runs !== undefined) this.#use(options.runs.topic).runs = true
  }

  /** Never throws. */
  take(topic: string, message: Buffer | null, nowMs: number): void {
    const use = this.topics.get(topic)
    if (use === undefined || message === null) return
    this.messages++
    try {
      this.#take(use, message, nowMs)
    } catch (error) {
      this.#hooks.count(error instanceof BadMessage ? error.reason : 'decode_failed')
    }
  }

  #take(use: TopicUse, message: Buffer, nowMs: number): void {
    const schema = schemaId(message) ?? ''
    if (use.runs && (schema === 'pl72' || schema === '6s4t')) return this.#hooks.run(runMessage(schema, message))
    const converter = this.#converters.of(schema)
    if (converter?.decode === undefined) return this.#hooks.count('unknown_schema')
    const record = converter.decode(message)
    switch (schema) {
      case 'ev42':
      case 'ev43':
      case 'ev44':
      case 'an44':
        return this.#events(use, record as EventRecord, nowMs)
      case 'pu00':
        return this.#pulse(use, record as PulseRecord, nowMs)
      case 'f142':
      case 'f144':
        return this.#value(use, record as LogRecord)
      case 'al00':
        return this.#alarm(use, record as AlarmRecord)
      case 'ep00':
      case 'ep01':
        return this.#connection(use, record as ConnectionRecord)
      default:
        return this.#hooks.count('unknown_schema')
    }
  }

  #events({ events }: TopicUse, record: EventRecord, nowMs: number): void {
    const to = events.get(record.source)
    if (to === undefined) this.#hooks.count('other_source')
    else this.#gatherer.take(record, to, nowMs)
  }

  #pulse({ pulses }: TopicUse, record: PulseRecord, nowMs: number): void {
    if (pulses === record.source) this.#gatherer.charge(record, nowMs)
    else this.#hooks.count('other_source')
  }

  #value(use: TopicUse, { source, timestampNs, value, alarm }: LogRecord): void {
    if (!isWanted(use, source)) return this.#hooks.count('other_source')
    const content = single(value)
    if (content === undefined) return this.#hooks.count('no_single_value')
    if (!this.#state.hasRoomFor(source)) return this.#hooks.count('too_many_variables')
    const reading: LiveReading = { source, timeNs: timestampNs, content, alarm }
    const packets = this.#state.value(reading)
    if (packets === undefined) return this.#hooks.count('other_type')
    this.values++
    this.#hooks.send(packets)
  }

  #alarm(use: TopicUse, { source, timestampNs, severity }: AlarmRecord): void {
    if (!isWanted(use, source)) return this.#hooks.count('other_source')
    this.#hooks.send(this.#state.alarm(source, timestampNs, { status: 0, severity }))
  }

  #connection(use: TopicUse, { source, timestampNs, status }: ConnectionRecord): void {
    if (!isWanted(use, source)) return this.#hooks.count('other_source')
    if (status !== CONNECTED) this.#hooks.send(this.#state.disconnected(source, timestampNs))
  }

  #use(topic: string): TopicUse {
    const known = this.topics.get(topic)
    const use: TopicUse = known ?? { events: new Map(), pulses: undefined, values: undefined, runs: false }
    this.topics.set(topic, use)
    return use
  }
}

const isWanted = ({ values }: TopicUse, source: string): boolean =>
  values === 'all' || (values !== undefined && values.has(source))

function single(value: LogRecord['value']): number | string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  if (typeof value === 'string') return value
  if (isVector(value) || value.length !== 1) return undefined
  return value[0]
}
