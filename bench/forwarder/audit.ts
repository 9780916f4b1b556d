// Reads a topic back and accounts for every value of every source: gaps, repetitions, order, latency.
import { connectKafka } from '../../core/kafka/client.js'
import { schemaId } from '../../schemas/index.js'
import { logF142, logF144 } from '../../plugins/converter-logs/codec.js'

/** Sequence numbers of one source, as they lie on the topic. */
export interface Sequence {
  messages: number
  /** Numbers that are missing between two neighbours. */
  lost: number
  /** The same number again (the first value after a reconnect). */
  again: number
  /** Numbers that count from the start again: the IOC was restarted. */
  restarts: number
  first: number
  last: number
  firstAppendMs: number
  lastAppendMs: number
  /** The first append since the time that was asked for; 0: none. */
  firstSinceMs: number
}

export interface Audit {
  readonly sources: ReadonlyMap<string, Sequence>
  /** Messages by schema id. */
  readonly schemas: Readonly<Record<string, number>>
  readonly messages: number
  readonly lost: number
  readonly again: number
  /** ms from EPICS time stamp to the append to Kafka's log, of messages appended within the window. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number } | null
}

const BINS = 600_000 // 0.1 ms each: one minute

/** A histogram of latencies, so that any number of messages needs the same memory. */
export class Latencies {
  readonly #counts = new Uint32Array(BINS + 1)
  #all = 0
  #max = 0

  add(ms: number): void {
    this.#counts[Math.min(BINS, Math.max(0, Math.round(ms * 10)))]!++
    this.#all++
    if (ms > this.#max) this.#max = ms
  }

  summary(): Audit['latencyMs'] {
    if (this.#all === 0) return null
    return { p50: this.#at(0.5), p99: this.#at(0.99), max: Math.round(this.#max * 10) / 10 }
  }

  #at(share: number): number {
    let seen = 0
    for (let bin = 0; bin <= BINS; bin++) {
      seen += this.#counts[bin]!
      if (seen >= share * this.#all) return bin / 10
    }
    return BINS / 10
  }
}

function note(sources: Map<string, Sequence>, source: string, value: number, appendMs: number): Sequence {
  const known = sources.get(source)
  if (known === undefined) {
    const start: Sequence = {
      ...{ messages: 1, lost: 0, again: 0, restarts: 0, first: value, last: value },
      ...{ firstAppendMs: appendMs, lastAppendMs: appendMs, firstSinceMs: 0 }
    }
    sources.set(source, start)
    return start
  }
  known.messages++
  if (value === known.last) known.again++
  else if (value > known.last) known.lost += value - known.last - 1
  else known.restarts++
  known.last = value
  known.lastAppendMs = appendMs
  return known
}

/** The end of the topic's only partition. */
export async function endOf(brokers: readonly string[], topic: string): Promise<number> {
  const kafka = connectKafka({ brokers: [...brokers] })
  try {
    return (await kafka.offsets(topic, [0], 'latest')).get(0) ?? 0
  } finally {
    await kafka.close()
  }
}

/**
 * Reads the whole topic (one partition, with LogAppendTime). Values are counters: each is the one before plus 1.
 * `window`: offsets between which latencies are taken. `sinceMs`: see `firstSinceMs`.
 */
export async function audit(
  brokers: readonly string[],
  topic: string,
  window: readonly [from: number, to: number],
  sinceMs = Infinity
): Promise<Audit> {
  const end = await endOf(brokers, topic)
  const kafka = connectKafka({ brokers: [...brokers] })
  const reader = kafka.reader({ assign: [{ topic, partition: 0, offset: 0 }], maxWaitMs: 100 })
  const sources = new Map<string, Sequence>()
  const schemas: Record<string, number> = {}
  const latencies = new Latencies()
  try {
    for (let next = 0; next < end;) {
      const batch = await reader.next()
      if (batch === null) throw new Error('the reader was closed')
      for (let i = 0; i < batch.count; i++) {
        const message = batch.value(i)
        if (message === null) continue
        const id = schemaId(message) ?? 'unknown'
        schemas[id] = (schemas[id] ?? 0) + 1
        if (id !== 'f142' && id !== 'f144') continue
        const { source, value, timestampNs } = (id === 'f142' ? logF142 : logF144).decode(message)
        const appendMs = batch.timestampMs(i)
        const sequence = note(sources, source, Number(value), appendMs)
        if (sequence.firstSinceMs === 0 && appendMs >= sinceMs) sequence.firstSinceMs = appendMs
        const offset = batch.offset(i)
        // The broker's clock counts whole ms: half of one on the average
        if (offset >= window[0] && offset < window[1]) latencies.add(appendMs + 0.5 - Number(timestampNs) / 1e6)
      }
      next = batch.nextOffset
      batch.release()
    }
  } finally {
    await reader.close()
    await kafka.close()
  }
  const all = [...sources.values()]
  const sum = (of: (one: Sequence) => number): number => all.reduce((total, one) => total + of(one), 0)
  return {
    sources,
    schemas,
    messages: sum(({ messages }) => messages),
    lost: sum(({ lost }) => lost),
    again: sum(({ again }) => again),
    latencyMs: latencies.summary()
  }
}
