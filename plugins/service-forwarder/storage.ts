// The list of streams on its storage topic: one message holds the whole list, the last readable one counts.
import { type Kafka, type Producer, type ServiceContext, topicMissing } from '../../core/api/plugin.js'
import { schemaId } from '../../schemas/index.js'
import { olderName, readStreamChange, writeStreamChange } from '../../schemas/stream-changes.js'
import { type PartitionOffsets } from './positions.js'
import { type Spec } from './spec.js'

type Json = Readonly<Record<string, unknown>>

/** A list as it was found. */
export interface StoredList {
  readonly streams: readonly unknown[]
  readonly writer: string
  /** Last commands that are in it; {} when it does not say. */
  readonly commands: PartitionOffsets
}

const listType = 'nexstream_forwarder_streams'

/** The list in the form of the peers' tools: what does not fit in fc00 is left out. */
export function encodeFc00(specs: readonly Spec[]): Uint8Array {
  const streams = specs.map(({ channel, schema, topic, protocol, periodicMs }) => ({
    ...{ channel, schema: olderName(schema), topic, protocol },
    periodic: periodicMs > 0
  }))
  return writeStreamChange('fc00', streams.length === 0 ? 'REMOVEALL' : 'ADD', streams)
}

function decodeFc00(value: Buffer, id: 'fc00' | 'rf5k'): StoredList {
  const { change, streams } = readStreamChange(value, id)
  const list = change === 'REMOVEALL' ? [] : streams
  return {
    writer: '',
    commands: {},
    streams: list.map(({ channel, schema, topic, protocol, periodic }) => ({
      ...{ channel, topic, converter: schema, protocol },
      ...(periodic === false ? { periodic_ms: 0 } : {})
    }))
  }
}

/** A kept list in either form. Throws for anything else. */
export function decodeList(value: Buffer): StoredList {
  const id = schemaId(value)
  if (id === 'fc00' || id === 'rf5k') return decodeFc00(value, id)
  const content = JSON.parse(value.toString()) as Json | null
  if (content?.['type'] !== listType || !Array.isArray(content['streams'])) throw new TypeError('not a list of streams')
  const { streams, service_id: writer, commands } = content
  return { streams: streams as unknown[], writer: String(writer), commands: offsetsOf(commands) }
}

function offsetsOf(value: unknown): PartitionOffsets {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).filter(([, offset]) => Number.isSafeInteger(offset)))
}

/** What is to be done with what is heard on the topic. */
export interface StorageEvents {
  /** Another daemon has kept a list. */
  list(list: StoredList): Promise<void>
  /** The topic was made again: it holds no list. */
  madeAgain(): Promise<void>
}

/** The topic may be compacted: this key is always the same. */
const key = 'streams'

export class Storage {
  readonly #kafka: Kafka
  readonly #producer: Producer
  /** Up to here the list was restored. */
  #end = 0
  #topicId: string | undefined

  constructor(
    readonly context: ServiceContext,
    readonly topic: string,
    readonly format: 'json' | 'fc00'
  ) {
    this.#kafka = context.kafka
    this.#producer = context.kafka.producer({ lingerMs: 0, compression: 'gzip' })
  }

  /** The last readable list; undefined when there is none. Throws TOPIC_MISSING. */
  async restore(): Promise<StoredList | undefined> {
    const [info] = await this.#kafka.topics([this.topic])
    if (info === undefined || info.partitions.length === 0) throw topicMissing(`storage topic ${this.topic}`)
    this.#topicId = info.id
    const first = await this.#offset('earliest')
    const end = await this.#offset('latest')
    this.#end = end
    // Backwards in growing steps: the last message nearly always is the one
    for (let step = 1, upTo = end; upTo > first; step *= 8) {
      const from = Math.max(first, upTo - step)
      const found = await this.#lastIn(from, upTo)
      if (found !== undefined) return found
      upTo = from
    }
    return undefined
  }

  /** Keeps the list; resolves to false when Kafka did not confirm within `timeoutMs` (it is sent all the same). */
  async save(specs: readonly Spec[], commands: PartitionOffsets, timeoutMs = 5000): Promise<boolean> {
    const value = this.format === 'fc00' ? encodeFc00(specs) : this.#json(specs, commands)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, timeoutMs, false)))
    const sent = new Promise<boolean>((resolve) => {
      this.#producer.send({ topic: this.topic, partition: 0, key, value }, (error) => {
        if (error !== null)
          this.context.log('error', `the list of streams was not kept: ${error.message}`, { code: 'KAFKA_LOST' })
        resolve(error === null)
      })
    })
    try {
      return await Promise.race([sent, late])
    } finally {
      clearTimeout(timer)
    }
  }

  close(): Promise<void> {
    return this.#producer.close()
  }

  /** Tells of all that comes from now on, until `signal`. Never rejects. */
  async follow(signal: AbortSignal, events: StorageEvents): Promise<void> {
    const topicId = this.#topicId
    const place = { topic: this.topic, partition: 0, offset: this.#end, ...(topicId !== undefined && { topicId }) }
    const reader = this.#kafka.reader({ assign: [place], signal })
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
      const lists: StoredList[] = []
      for (let i = 0; i < batch.count; i++) {
        const list = this.#decode(batch.value(i), batch.offset(i))
        if (list !== undefined) lists.push(list)
      }
      const isNew = batch.madeAgain !== undefined
      batch.release()
      if (isNew) await events.madeAgain()
      for (const list of lists) if (list.writer !== this.context.serviceId) await events.list(list)
    }
  }

  #json(specs: readonly Spec[], commands: PartitionOffsets): string {
    const streams = specs.map(({ canonical }) => canonical)
    return JSON.stringify({
      type: listType,
      service_id: this.context.serviceId,
      time: new Date().toISOString(),
      commands,
      streams
    })
  }

  async #offset(at: 'earliest' | 'latest'): Promise<number> {
    return (await this.#kafka.offsets(this.topic, [0], at)).get(0) ?? 0
  }

  async #lastIn(from: number, upTo: number): Promise<StoredList | undefined> {
    const reader = this.#kafka.reader({ assign: [{ topic: this.topic, partition: 0, offset: from }] })
    try {
      let last: StoredList | undefined
      for (let next = from; next < upTo;) {
        const batch = await reader.next()
        if (batch === null || batch.madeAgain !== undefined) break
        for (let i = 0; i < batch.count; i++)
          if (batch.offset(i) < upTo) last = this.#decode(batch.value(i), batch.offset(i)) ?? last
        next = batch.nextOffset
        batch.release()
      }
      return last
    } finally {
      await reader.close()
    }
  }

  #decode(value: Buffer | null, offset: number): StoredList | undefined {
    if (value === null) return undefined
    try {
      return decodeList(value)
    } catch (error) {
      const text = `message ${offset} of '${this.topic}' is no list of streams: ${(error as Error).message}`
      this.context.log('warn', text, { topic: this.topic, offset })
      return undefined
    }
  }
}
