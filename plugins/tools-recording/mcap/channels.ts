// Which MCAP channel and schema a message belongs to: one channel per topic, partition and kind of message.
import { reflections } from '../../../schemas/generated/reflections.js'
import { schemaId } from '../../../schemas/index.js'
import { type RecordedMessage } from '../recorded.js'
import { sideSchema } from './kafka-side.js'

export interface RecordingSchema {
  readonly id: number
  readonly name: string
  readonly encoding: string
  readonly data: Uint8Array
}

export interface RecordingChannel {
  readonly id: number
  /** 0: without. */
  readonly schemaId: number
  readonly topic: string
  readonly messageEncoding: string
  readonly metadata: Map<string, string>
}

/** MCAP numbers channels by 16 bits. */
const MOST_CHANNELS = 65_535

/** What a value is: the id of one of our schemas, `json`, or '' for anything else. */
export function kindOf(value: Buffer): string {
  if (value[0] === 0x7b || value[0] === 0x5b) {
    try {
      JSON.parse(value.toString('utf8'))
      return 'json'
    } catch {
      // Not JSON after all: a FlatBuffer may begin with the same byte
    }
  }
  const id = schemaId(value)
  return id !== undefined && Object.hasOwn(reflections, id) ? id : ''
}

/** Channels and schemas in the order in which they came up. */
export class Channels {
  readonly channels: RecordingChannel[] = []
  readonly schemas: RecordingSchema[] = []
  readonly #byName = new Map<string, RecordingChannel>()
  readonly #schemaIds = new Map<string, number>()

  /** Of the message itself. */
  of(message: RecordedMessage, value: Buffer): RecordingChannel {
    const kind = kindOf(value)
    return this.#channel(message, message.topic, kind)
  }

  /** Of what stands beside it. */
  beside(message: RecordedMessage): RecordingChannel {
    return this.#channel(message, `${message.topic}/kafka`, 'kafka')
  }

  #channel({ topic, partition, isAppendTime }: RecordedMessage, name: string, kind: string): RecordingChannel {
    const key = `${name} ${partition} ${kind} ${isAppendTime}`
    const known = this.#byName.get(key)
    if (known !== undefined) return known
    if (this.channels.length >= MOST_CHANNELS)
      throw new Error(`more than ${MOST_CHANNELS} channels: record fewer topics`)
    const metadata = new Map([
      ['topic', topic],
      ['partition', String(partition)],
      ['timestamp_type', isAppendTime ? 'LogAppendTime' : 'CreateTime'],
      ...(kind === 'kafka' ? [['nexstream', 'kafka'] as const] : kind === '' || kind === 'json' ? [] : [['schema', kind] as const]) // prettier-ignore
    ])
    const messageEncoding = kind === 'kafka' || kind === 'json' ? 'json' : kind === '' ? '' : 'flatbuffer'
    const channel = { id: this.channels.length, schemaId: this.#schema(kind), topic: name, messageEncoding, metadata }
    this.channels.push(channel)
    this.#byName.set(key, channel)
    return channel
  }

  #schema(kind: string): number {
    const known = this.#schemaIds.get(kind)
    if (known !== undefined) return known
    const schema = schemaOf(kind)
    if (schema === undefined) return 0
    const id = this.schemas.length + 1
    this.schemas.push({ id, ...schema })
    this.#schemaIds.set(kind, id)
    return id
  }
}

function schemaOf(kind: string): Omit<RecordingSchema, 'id'> | undefined {
  if (kind === 'kafka') {
    const { name, encoding, text } = sideSchema
    return { name, encoding, data: Buffer.from(text) }
  }
  const found = reflections[kind]
  return found && { name: found.name, encoding: 'flatbuffer', data: Buffer.from(found.bfbs, 'base64') }
}
