// What each source of a topic sends: pulses, events, and when the last one was.
import { element, type EventRecord } from '../../../schemas/index.js'
import { type SourceProgress } from './protocol.js'

/** A topic can name as many as it likes. */
const MOST_SOURCES = 200

interface Source {
  readonly topic: string
  readonly source: string
  pulses: number
  events: number
  lastNs: bigint
}

export class Sources {
  readonly #byTopic = new Map<string, Map<string, Source>>()
  #size = 0

  /** @param firstNs - time of the first pulse */
  count(topic: string, { source, referenceTime, timeOfFlight }: EventRecord, firstNs: bigint): void {
    const one = this.#of(topic, source)
    if (one === undefined) return
    const pulses = referenceTime.length
    one.pulses += pulses
    one.events += timeOfFlight.length
    const ns = pulses > 1 ? BigInt(element(referenceTime, pulses - 1)) : firstNs
    if (ns > one.lastNs) one.lastNs = ns
  }

  #of(topic: string, source: string): Source | undefined {
    const sources = this.#byTopic.get(topic) ?? new Map<string, Source>()
    this.#byTopic.set(topic, sources)
    const known = sources.get(source)
    if (known !== undefined || this.#size === MOST_SOURCES) return known
    this.#size++
    const one = { topic, source, pulses: 0, events: 0, lastNs: 0n }
    sources.set(source, one)
    return one
  }

  progress(): SourceProgress[] {
    return [...this.#byTopic.values()].flatMap((sources) =>
      [...sources.values()].map(({ lastNs, ...rest }) => ({ ...rest, last_pulse_ms: Number(lastNs / 1_000_000n) }))
    )
  }
}
