// JSON Schema of one stream of the forwarder, as the start and config commands, the config file and the kept list hold it.
import { type JSONSchema } from '../../core/api/plugin.js'

const topic = {
  type: 'string',
  pattern: '^[A-Za-z0-9._-]{1,249}$',
  description: 'Kafka topic the messages go to; it must exist.'
} as const

const converterObject = {
  type: 'object',
  description: 'Converter with options; keys beside these are options of the converter itself.',
  required: ['schema'],
  properties: {
    schema: { type: 'string', minLength: 1, description: 'Schema id of a loaded converter, e.g. f142.' },
    topic: { ...topic, description: 'Topic of this converter; default the topic of the stream.' },
    name: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: 'Streams that give the same name share one converter instance (schema and options must be the same).'
    },
    source_name: {
      type: 'string',
      minLength: 1,
      description: 'Source name in these messages; default that of the stream.'
    }
  },
  additionalProperties: true
} as const

const converter = {
  description: 'Schema id, or an object with the schema id and options.',
  anyOf: [{ type: 'string', minLength: 1 }, converterObject]
} as const

/** One stream in canonical form. */
export const streamSchema = {
  type: 'object',
  required: ['channel'],
  properties: {
    channel: { type: 'string', minLength: 1, maxLength: 1024, description: 'Name of the channel (PV).' },
    protocol: {
      type: 'string',
      minLength: 1,
      description: 'Source part: ca, pva, sim, …; default that of the service.'
    },
    converter,
    converters: { type: 'array', minItems: 1, items: converter, description: 'Several converters for this channel.' },
    topic,
    source_name: { type: 'string', minLength: 1, description: 'Source name in the messages; default the channel.' },
    periodic_ms: {
      type: 'integer',
      minimum: 0,
      maximum: 86_400_000,
      description:
        'The last value is sent again when nothing newer was sent for so long; 0 never; default that of the service.'
    },
    lossless: {
      type: 'boolean',
      description: 'Every update is kept while Kafka is away or slow (up to lossless_bytes); otherwise the newest wins.'
    },
    alarm_schema: {
      type: 'string',
      enum: ['auto', 'al00', 'none'],
      description: 'Alarm messages beside the values; auto: al00 unless the converter carries the alarm itself (f142).'
    },
    connection_schema: {
      type: 'string',
      enum: ['auto', 'ep00', 'ep01', 'none'],
      description: 'Connection messages beside the values; auto: ep00 beside f142, ep01 otherwise.'
    },
    source_options: { type: 'object', description: 'Options of the source part beside the channel name.' }
  },
  additionalProperties: false
} as const satisfies JSONSchema

/** A list of streams in a command: checked one by one by the service, so that one bad stream does not stop the others. */
export const streamList = {
  type: 'array',
  items: {
    type: 'object',
    description: `A stream; keys: ${Object.keys(streamSchema.properties).join(', ')}. A stream that is wrong is refused, the others are done.`
  }
} as const
