// From the streams of a command to specs: one per converter, with an identity, so that lists can be compared.
import {
  type Command,
  type ErrorCode,
  type Finding,
  meant,
  type Options,
  type PartLookup
} from '../../core/api/plugin.js'
import { streamSchema } from './stream-schema.js'
import { type ForwarderOptions } from './options.js'

type Json = Readonly<Record<string, unknown>>
export type AlarmSchema = 'al00' | 'none'
export type ConnectionSchema = 'ep00' | 'ep01' | 'none'

/** One converter of one stream: what is sent for a channel to one topic in one schema. */
export interface Spec {
  /** The same for the same route, whatever its settings. */
  readonly id: string
  /** Settings that may change while the route goes on. */
  readonly settings: string
  /** One subscription serves all specs of the same channel key. */
  readonly channelKey: string
  readonly protocol: string
  readonly channel: string
  readonly sourceOptions: Json
  readonly sourceName: string
  readonly schema: string
  readonly converterOptions: Json
  /** Name of a shared converter. */
  readonly name: string | undefined
  readonly topic: string
  readonly periodicMs: number
  /** Undefined: events yes, values no. */
  readonly lossless: boolean | undefined
  readonly alarm: AlarmSchema
  readonly connection: ConnectionSchema
  /** As it goes to the storage topic and into lists: a stream with one converter. */
  readonly canonical: Json
}

/** A stream of a command, checked against the schema of the command. */
type StreamCommand = Options<typeof streamSchema>
type ConverterCommand = Exclude<NonNullable<StreamCommand['converter']>, string>

const topicPattern = /^[A-Za-z0-9._-]{1,249}$/

/** JSON with sorted keys, for comparing. */
function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${stable(item)}`)
    .join(',')}}`
}

/** Turns streams into specs; what is wrong goes to `errors` with its path, the rest is returned. */
export class SpecParser {
  constructor(
    readonly context: PartLookup,
    readonly options: Pick<ForwarderOptions, 'default_protocol' | 'periodic_ms' | 'alarm_schema' | 'connection_schema'>
  ) {}

  parse(stream: unknown, path: string, errors: Finding[]): Spec[] {
    const wrong = this.context.check(streamSchema, stream, path)
    if (wrong.length > 0) {
      errors.push(...wrong)
      return []
    }
    const checked = stream as StreamCommand
    const protocol = checked.protocol ?? this.options.default_protocol
    if (!this.#sourceFits(checked, protocol, path, errors)) return []
    const { converter, converters } = checked
    if ((converter === undefined) === (converters === undefined)) {
      errors.push(finding('COMMAND_INVALID', `${path}/converter`, "give either 'converter' or 'converters'"))
      return []
    }
    const given = { stream: checked, protocol, path }
    const many = converters?.map((one, i) => this.#spec(given, one, `${path}/converters/${i}`, errors))
    const specs = many ?? [this.#spec(given, converter!, `${path}/converter`, errors)]
    return specs.filter((spec) => spec !== undefined)
  }

  #sourceFits(stream: StreamCommand, protocol: string, path: string, errors: Finding[]): boolean {
    const source = this.context.source(protocol)
    if (source === undefined) {
      const known = this.context.ids('source')
      errors.push(
        finding(
          'SOURCE_UNKNOWN',
          `${path}/protocol`,
          `no source '${protocol}'${meant(protocol, known)}; loaded: ${known.join(', ')}`
        )
      )
      return false
    }
    const config = { ...structuredClone(stream.source_options ?? {}), channel: stream.channel }
    const wrong = this.context.check(source.config, config, `${path}/source_options`)
    errors.push(...wrong)
    return wrong.length === 0
  }

  #spec(
    { stream, protocol, path }: { stream: StreamCommand; protocol: string; path: string },
    given: string | ConverterCommand,
    at: string,
    errors: Finding[]
  ): Spec | undefined {
    const converter: ConverterCommand = typeof given === 'string' ? { schema: given } : given
    const { schema, topic: ownTopic, name, source_name: ownSource, ...converterOptions } = converter
    const part = this.context.converter(schema)
    if (part === undefined) {
      const known = this.context.ids('converter')
      const where = typeof given === 'string' ? at : `${at}/schema`
      errors.push(
        finding(
          'CONVERTER_UNKNOWN',
          where,
          `no converter '${schema}'${meant(schema, known)}; loaded: ${known.join(', ')}`
        )
      )
      return undefined
    }
    const topic = ownTopic ?? stream.topic
    if (topic === undefined || !topicPattern.test(topic)) {
      const text = topic === undefined ? 'is missing; name the Kafka topic' : `'${topic}' is not a topic name`
      errors.push(finding('COMMAND_INVALID', ownTopic === undefined ? `${path}/topic` : `${at}/topic`, text))
      return undefined
    }
    const beside = [stream.alarm_schema, stream.connection_schema].find(
      (id) => id !== undefined && id !== 'auto' && id !== 'none' && this.context.converter(id) === undefined
    )
    if (beside !== undefined) {
      errors.push(finding('CONVERTER_UNKNOWN', path, `no converter '${beside}' is loaded`))
      return undefined
    }
    const filled = structuredClone(converterOptions)
    const wrong = this.context.check(part.config, filled, at)
    if (wrong.length > 0) {
      errors.push(...wrong)
      return undefined
    }
    return this.#make(stream, {
      protocol,
      schema,
      topic,
      name,
      sourceName: ownSource ?? stream.source_name,
      filled,
      converterOptions
    })
  }

  #make(
    stream: StreamCommand,
    route: {
      protocol: string
      schema: string
      topic: string
      name: string | undefined
      sourceName: string | undefined
      filled: Json
      converterOptions: Json
    }
  ): Spec {
    const { protocol, schema, topic, name, filled, converterOptions } = route
    const { channel } = stream
    const sourceName = route.sourceName ?? channel
    const sourceOptions = stream.source_options ?? {}
    const channelKey = stable([protocol, channel, sourceOptions])
    const periodicMs = stream.periodic_ms ?? this.options.periodic_ms
    const { lossless } = stream
    const alarm = alarmOf(stream.alarm_schema ?? 'auto', this.options.alarm_schema, schema)
    const connection = connectionOf(stream.connection_schema ?? 'auto', this.options.connection_schema, schema)
    const plain = name === undefined && Object.keys(converterOptions).length === 0
    const canonical = {
      channel,
      protocol,
      converter: plain ? schema : { schema, ...(name === undefined ? {} : { name }), ...converterOptions },
      topic,
      ...(sourceName === channel ? {} : { source_name: sourceName }),
      ...pick(stream, 'periodic_ms', 'lossless', 'alarm_schema', 'connection_schema', 'source_options')
    }
    return {
      id: stable([channelKey, sourceName, schema, filled, name ?? null, topic]),
      settings: stable([periodicMs, lossless ?? null, alarm, connection]),
      ...{ channelKey, protocol, channel, sourceOptions, sourceName, schema, name, topic },
      ...{ converterOptions: filled, periodicMs, lossless, alarm, connection, canonical }
    }
  }
}

/** What is wrong with the streams of a command, or else of the options, item by item. */
export function inspect(options: ForwarderOptions, command: Command | undefined, parts: PartLookup): Finding[] {
  const parser = new SpecParser(parts, options)
  const isList = command?.cmd === 'start' || command?.cmd === 'config'
  const streams = command === undefined ? options.streams : isList ? (command['streams'] as readonly unknown[]) : []
  const findings: Finding[] = []
  for (const [i, stream] of streams.entries()) parser.parse(structuredClone(stream), `/streams/${i}`, findings)
  return findings
}

function pick(stream: StreamCommand, ...keys: (keyof StreamCommand)[]): Json {
  return Object.fromEntries(keys.filter((key) => stream[key] !== undefined).map((key) => [key, stream[key]]))
}

/** Schemas that are not values: nothing is sent beside them. */
const bare = new Set(['al00', 'ep00', 'ep01'])
/** Schemas that are of events or carry the alarm themselves. */
const noAlarm = new Set(['f142', 'ev42', 'ev43', 'ev44', 'an44', ...bare])
const noConnection = new Set(['ev42', 'ev43', 'ev44', 'an44', ...bare])

function alarmOf(own: 'auto' | AlarmSchema, general: 'auto' | AlarmSchema, schema: string): AlarmSchema {
  if (own !== 'auto') return own
  if (noAlarm.has(schema)) return 'none'
  return general === 'auto' ? 'al00' : general
}

function connectionOf(
  own: 'auto' | ConnectionSchema,
  general: 'auto' | ConnectionSchema,
  schema: string
): ConnectionSchema {
  if (own !== 'auto') return own
  if (noConnection.has(schema)) return 'none'
  return general !== 'auto' ? general : schema === 'f142' ? 'ep00' : 'ep01'
}

export function finding(code: ErrorCode, path: string, message: string): Finding {
  return { code, path, message }
}
