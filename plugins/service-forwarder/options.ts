// The options of the forwarder service.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

export const optionSchema = {
  type: 'object',
  properties: {
    default_protocol: { type: 'string', default: 'pva', description: 'Protocol of streams that name none.' },
    streams: {
      type: 'array',
      default: [],
      items: { type: 'object' },
      description: 'Streams to forward from the start, in the form of the start command.'
    },
    periodic_ms: {
      type: 'integer',
      minimum: 0,
      default: 0,
      description: 'The last value of every stream is sent again when nothing newer was sent for so long; 0 never.'
    },
    alarm_schema: {
      type: 'string',
      enum: ['auto', 'al00', 'none'],
      default: 'auto',
      description: 'Alarm messages beside the values; auto: al00 unless the converter carries the alarm itself (f142).'
    },
    connection_schema: {
      type: 'string',
      enum: ['auto', 'ep00', 'ep01', 'none'],
      default: 'auto',
      description: 'Connection messages beside the values; auto: ep00 beside f142, ep01 otherwise.'
    },
    never_processed: {
      type: 'string',
      enum: ['stamp', 'drop'],
      default: 'stamp',
      description:
        'Values of records that were never processed (time 0 or 1990): sent with the time of arrival, or dropped.'
    },
    older: {
      type: 'string',
      enum: ['recent', 'send', 'refuse'],
      default: 'recent',
      description:
        'Values whose time is before that of the last one (a clock was set back): recent sends and counts them unless they lie more than 10 minutes back, send always, refuse never.'
    },
    max_ahead_s: {
      type: 'number',
      minimum: 0,
      default: 600,
      description: 'Values whose time is further ahead of our clock are refused and counted.'
    },
    buffer_bytes: {
      type: 'integer',
      minimum: 65_536,
      default: 33_554_432,
      description: 'Bytes that may wait for Kafka; beyond, the newest value of each stream wins.'
    },
    lossless_bytes: {
      type: 'integer',
      minimum: 65_536,
      default: 268_435_456,
      description: 'Bytes of lossless streams that are kept beyond buffer_bytes; beyond, they are lost and counted.'
    },
    linger_ms: { type: 'number', minimum: 0, default: 2, description: 'Longest wait for more messages of a batch.' },
    compression: {
      type: 'string',
      enum: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
      default: 'none',
      description: 'Compression of the batches.'
    },
    storage_topic: { type: 'string', minLength: 1, description: 'Topic that keeps the list of streams (partition 0).' },
    storage_format: {
      type: 'string',
      enum: ['json', 'fc00'],
      default: 'json',
      description: 'Form of the kept list; fc00 is what older forwarders read, without converter options.'
    },
    skip_restore: { type: 'boolean', default: false, description: 'Start without the list kept on storage_topic.' },
    group: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description:
        'Daemons that name the same group share one list: each channel is forwarded by one of them. Needs storage_topic in JSON.'
    },
    group_session_ms: {
      type: 'integer',
      minimum: 1000,
      maximum: 300_000,
      default: 10_000,
      description:
        'A member of the group that is silent for so long is taken to be dead and the others take over; brokers want at least 6000.'
    },
    handover_ms: {
      type: 'integer',
      minimum: 0,
      maximum: 60_000,
      default: 3000,
      description:
        'A channel that another member takes over is forwarded by both for so long (no gap, the same values twice).'
    },
    status_channels: {
      type: 'integer',
      minimum: 0,
      default: 200,
      description: 'Most channels listed in one status message; larger lists are shown in turns.'
    }
  },
  additionalProperties: false
} as const satisfies JSONSchema

export type ForwarderOptions = Options<typeof optionSchema>
