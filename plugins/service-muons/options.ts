// Options of the two services: `[services.muon_events]` and `[services.muon_frames]`.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

const topic = { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$' } as const
const fetchBytes = {
  type: 'integer',
  minimum: 65_536,
  maximum: 268_435_456,
  default: 8_388_608,
  description: 'Most bytes asked of Kafka at once.'
} as const

export const eventOptions = {
  type: 'object',
  additionalProperties: false,
  required: ['input_topic', 'output_topic', 'threshold'],
  properties: {
    input_topic: { ...topic, description: 'Topic of traces (dat2).' },
    output_topic: { ...topic, description: 'Topic of the events of each digitiser (dev2).' },
    method: {
      enum: ['fixed_threshold', 'constant_fraction'],
      default: 'fixed_threshold',
      description: 'How events are found. The times of constant_fraction do not depend on the height of a pulse.'
    },
    polarity: { enum: ['positive', 'negative'], default: 'positive', description: 'Whether pulses go up or down.' },
    baseline: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      default: 0,
      description: 'Counts of a sample without a pulse.'
    },
    threshold: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: 'Counts above the baseline that a pulse has at least.'
    },
    duration: {
      type: 'integer',
      minimum: 1,
      default: 1,
      description: 'Samples in a row that a pulse is above the threshold at least (fixed_threshold).'
    },
    cool_off: {
      type: 'integer',
      minimum: 0,
      default: 0,
      description: 'Samples from an event on in which no other one begins.'
    },
    fraction: {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.5,
      description: 'Part of its height at which a pulse has its time (constant_fraction).'
    },
    delay: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      default: 4,
      description: 'Samples by which a pulse is delayed, about its rise time (constant_fraction).'
    },
    fetch_bytes: fetchBytes
  }
} as const satisfies JSONSchema

export type EventOptions = Options<typeof eventOptions>

export const frameOptions = {
  type: 'object',
  additionalProperties: false,
  required: ['input_topic', 'output_topic', 'digitisers'],
  properties: {
    input_topic: { ...topic, description: 'Topic of the events of each digitiser (dev2).' },
    output_topic: { ...topic, description: 'Topic of the events of frames (aev2).' },
    digitisers: {
      type: 'array',
      minItems: 1,
      maxItems: 256,
      uniqueItems: true,
      items: { type: 'integer', minimum: 0, maximum: 255 },
      description: 'Digitisers that make a frame complete; what others send is counted and left out.'
    },
    wait_ms: {
      type: 'integer',
      minimum: 0,
      default: 2000,
      description: 'A frame waits so long for all of them, from its first message on; then it goes as it is, marked.'
    },
    max_waiting_frames: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 1000,
      description: 'Frames that may wait; with more the first goes at once.'
    },
    fetch_bytes: fetchBytes
  }
} as const satisfies JSONSchema

export type FrameOptions = Options<typeof frameOptions>
