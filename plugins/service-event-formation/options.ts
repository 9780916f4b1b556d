// Options of event formation: `[services.event_formation]`, and of one detector, in the config or in `start`.
import { CodedError, type JSONSchema, type Options } from '../../core/api/plugin.js'

export const detectorKeys = {
  family: { type: 'string', minLength: 1, description: 'What reads its packets, e.g. `loki`.' },
  topic: { type: 'string', minLength: 1, description: 'Topic of its events.' },
  host: { type: 'string', default: '0.0.0.0', description: 'Address to receive at; a multicast address is joined.' },
  port: { type: 'integer', minimum: 1, maximum: 65_535, default: 9000, description: 'UDP port.' },
  config: { type: 'object', description: 'The file of the detector, in place of config_file.' },
  config_file: {
    type: 'string',
    minLength: 1,
    description: "The detector's JSON file, as the field's program has it."
  },
  calibration: { type: 'object', description: 'The calibration, in place of calibration_file.' },
  calibration_file: {
    type: 'string',
    minLength: 1,
    description: 'JSON file with its calibration; a name that ends in .csv: a table, for families that take one.'
  },
  mode: {
    enum: ['exact', 'compatible'],
    default: 'exact',
    description: "`compatible`: as the field's program, faults that readers see included."
  },
  schema: { enum: ['ev44', 'ev42'], default: 'ev44', description: 'Schema of the events.' },
  update_ms: {
    type: 'integer',
    minimum: 5,
    maximum: 60_000,
    default: 50,
    description: 'Events wait so long at most for others of their pulse.'
  },
  receive_buffer_bytes: {
    type: 'integer',
    minimum: 65_536,
    maximum: 1_073_741_824,
    default: 16_777_216,
    description: 'Asked of the kernel for packets that wait (SO_RCVBUF); it gives `net.core.rmem_max` at most.'
  },
  receive_thread: {
    type: 'boolean',
    default: true,
    description:
      'A thread of its own receives packets into 20 MB of memory, so that none is lost while the other is held up; false: one thread does both, for less CPU and memory.'
  },
  receive_by: {
    enum: ['auto', 'dgram'],
    default: 'auto',
    description:
      'How that thread receives: `auto`: many packets by one call of the system (`recvmmsg`), for less CPU, where the package koffi is installed (Linux); else, and with `dgram`, by Node.'
  },
  send_buffer_bytes: {
    type: 'integer',
    minimum: 1_048_576,
    default: 268_435_456,
    description: 'Most bytes that wait for Kafka; what would be more is lost and counted.'
  },
  raw_topic: { type: 'string', minLength: 1, description: 'Topic of raw copies (ar51); without it there are none.' },
  raw_every: { type: 'integer', minimum: 1, default: 1000, description: 'Of each so many packets …' },
  raw_consecutive: { type: 'integer', minimum: 1, default: 2, description: '… so many are copied.' },
  raw_only: {
    type: 'boolean',
    default: false,
    description: 'All packets go out raw, and none becomes events (calibration mode).'
  },
  stats_path: {
    type: 'string',
    pattern: '^[^\\s.]+(\\.[^\\s.]+)*$',
    description:
      'Where its counters are in Graphite with the layout `ess`, and at the command port; default `efu.FAMILY.0`.'
  },
  command_port: {
    type: 'integer',
    minimum: 1,
    maximum: 65_535,
    description:
      "TCP port for the tools of the field's program (`STAT_GET`, `CALIB_MODE_SET`, `EXIT` …); without it there is none."
  },
  command_host: {
    type: 'string',
    default: '127.0.0.1',
    description: 'Address of that port; who reaches it needs no login.'
  },
  command_exit: {
    enum: ['detector', 'daemon'],
    default: 'detector',
    description: 'What `EXIT` there ends.'
  }
} as const

export const detectorRequired = ['family', 'topic'] as const

export const optionSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    folder: {
      type: 'string',
      default: '.',
      description: 'Where the files of detectors are; a command may name files in it and none elsewhere.'
    },
    detectors: {
      type: 'object',
      default: {},
      description: 'Detectors that run from the start, by name; the same keys as `start`.',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: detectorRequired,
        properties: detectorKeys
      }
    }
  }
} as const satisfies JSONSchema

export type EventFormationOptions = Options<typeof optionSchema>
type DetectorSchema = {
  readonly type: 'object'
  readonly additionalProperties: false
  readonly required: typeof detectorRequired
  readonly properties: typeof detectorKeys
}
export type DetectorOptions = Options<DetectorSchema>

/** Throws COMMAND_INVALID. */
export function requireRawTopic({ raw_topic: raw }: DetectorOptions, at: string): void {
  if (raw === undefined)
    throw new CodedError('COMMAND_INVALID', 'raw copies need a raw_topic', { path: `${at}/raw_only` })
}
