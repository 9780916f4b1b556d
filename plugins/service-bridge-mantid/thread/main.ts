// Entry of the thread of the bridge: reads topics of today, sends what Mantid's listener understands.
import { BadMessage, type OutMessage, type ThreadContext } from '../../../core/api/plugin.js'
import { type EventRecord, type HistogramRecord, type LogRecord, schemaId } from '../../../schemas/index.js'
import { serve, TopicsFlow } from '../../service-adara/flow-kit.js'
import { lastMessages } from '../../service-adara/topics-kit.js'
import { histogramMessage } from '../histogram.js'
import { type BridgeOptions, outputsOf } from '../options.js'
import { eventMessages, startMessage, stopMessage, valueMessage } from '../words.js'
import { type BridgeProgress, type OpenBridge } from './protocol.js'

/** Messages of run control that are read at the start, of each partition: Mantid wants the last two. */
const RUNS_BACK = 2

export default function main(context: ThreadContext): void {
  serve(context, ({ options, geometry }: OpenBridge) => {
    const bridge = new Bridge(context, options, geometry)
    bridge.begin()
    return bridge
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
  readonly #flow: TopicsFlow<BridgeProgress>
  readonly #uses = new Map<string, BridgeUse[]>()
  #messages = 0
  #runs = 0

  constructor(
    context: ThreadContext,
    readonly options: BridgeOptions,
    readonly geometry: string | undefined
  ) {
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
    // What comes from now on; of runs the last ones, too. Mantid looks for all outputs
    const flow: TopicsFlow<BridgeProgress> = new TopicsFlow(context, {
      read: [...this.#uses.keys()],
      write: Object.values(outputs),
      startsOf: (topic, partitions) =>
        topic === options.runs
          ? lastMessages(flow.kafka, topic, partitions, RUNS_BACK)
          : flow.kafka.offsets(topic, partitions, 'latest')
    })
    this.#flow = flow
  }

  begin(): void {
    this.#flow.begin(() => this.#progress())
    void this.#flow.run(() => this.#read(), 'the bridge cannot read')
  }

  end(): Promise<void> {
    return this.#flow.end()
  }

  async #read(): Promise<void> {
    const flow = this.#flow
    for (let batch = await flow.reader.next(); batch !== null; batch = await flow.reader.next()) {
      for (let i = 0; i < batch.count; i++) this.#take(batch.topic, batch.value(i))
      for (const [reason, n] of Object.entries(batch.skipped ?? {})) flow.count(reason, n)
      batch.release()
      await flow.drained()
    }
  }

  #take(topic: string, message: Buffer | null): void {
    this.#messages++
    const schema = message === null ? undefined : schemaId(message)
    if (message === null || schema === undefined) return this.#flow.count('too_small')
    for (const use of this.#uses.get(topic) ?? [])
      try {
        for (const { value, timestampMs } of this.#made(use, schema, message))
          this.#send(use.to, value, timestampMs ?? Date.now())
      } catch (error) {
        this.#flow.count(error instanceof BadMessage ? error.reason : 'decode_failed')
      }
  }

  #made({ kind, sources }: BridgeUse, schema: string, message: Buffer): readonly OutMessage[] {
    if (kind === 'runs') return this.#run(schema, message)
    const converter = inputs[kind].includes(schema) ? this.#flow.converters.of(schema) : undefined
    if (converter?.decode === undefined) return this.#nothing('unknown_schema')
    const record = converter.decode(message) as EventRecord | LogRecord | HistogramRecord
    if (sources?.has(record.source) === false) return this.#nothing('other_source')
    if (kind === 'histograms') return [histogramMessage(record as HistogramRecord)]
    const target = this.#flow.converters.of(kind === 'events' ? 'ev42' : 'f142')
    if (target === undefined) return this.#nothing('unknown_schema')
    if (kind === 'values') return valueMessage(record as LogRecord, target)
    const { messages, lost } = eventMessages(record as EventRecord, target, this.options.shift_epoch)
    if (lost > 0) this.#flow.count('events', lost)
    return messages
  }

  #run(schema: string, message: Buffer): readonly OutMessage[] {
    if (schema !== 'pl72' && schema !== '6s4t') return this.#nothing('unknown_schema')
    if (schema === '6s4t') return [stopMessage(message)]
    this.#runs++
    return [startMessage(message, { instrument: this.options.instrument, geometry: this.geometry })]
  }

  #nothing(reason: string): readonly OutMessage[] {
    this.#flow.count(reason)
    return []
  }

  /** Mantid reads the first partition of most topics only. */
  #send(topic: string, value: Uint8Array, timestampMs: number): void {
    this.#flow.send({ topic, partition: 0, value, timestampMs })
  }

  #progress(): BridgeProgress {
    const { sent, losses, missing } = this.#flow
    return { messages: this.#messages, sent, runs: this.#runs, losses: Object.fromEntries(losses), missing }
  }
}
